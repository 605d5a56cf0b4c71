"""Webhooks (Standard Webhooks): endpoints, signatures, tries over days, and the log of them."""
