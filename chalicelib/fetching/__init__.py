"""Requests to URLs that somebody else chose: guarded, bounded, and never redirected."""
