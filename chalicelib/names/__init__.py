"""ENS: names, records and profiles, read through the Universal Resolver."""
