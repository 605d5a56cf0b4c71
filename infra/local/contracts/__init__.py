"""The contracts of the local chain: ENS's own from npm, and a universal resolver of ours in Vyper."""
