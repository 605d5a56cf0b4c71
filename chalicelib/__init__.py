"""The dm3 relay: protocol, names, relay, store, API, SDK and command line."""
