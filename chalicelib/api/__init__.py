"""Chalice blueprints: shape in, shape out, no decisions."""
