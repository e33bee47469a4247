"""Converts networks to the formats of other software, and from them."""
