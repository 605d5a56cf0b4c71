"""dm3 itself, pure: bytes and values in, values or errors out. No I/O, no AWS, no clock."""
