"""What a delivery service decides: admission, inbox, accounts, sessions. Ports are in `ports`."""
