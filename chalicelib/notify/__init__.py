"""Tells receivers that mail has come: outbox, channels, webhooks, live sockets.

Never who sent it, never what it says.
"""
