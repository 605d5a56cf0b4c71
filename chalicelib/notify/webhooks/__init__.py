"""Webhooks: signed requests to servers that receivers have chosen, tried for three days, with a log."""
