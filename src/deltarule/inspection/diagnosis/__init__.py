"""Finds out why a network does not learn, or would not: with evidence from its data, weights and runs."""
