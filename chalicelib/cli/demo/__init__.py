"""`dm3 demo`: two people exchange messages through a relay on this machine, and every claim is tried."""
