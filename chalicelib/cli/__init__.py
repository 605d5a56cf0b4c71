"""The `dm3` command."""
