"""The packaging step: what `make package` adds to and checks of the output of `chalice package`."""
