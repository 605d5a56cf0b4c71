"""The SDK: build a profile, send, receive, verify, acknowledge. Needs neither Chalice nor AWS."""
