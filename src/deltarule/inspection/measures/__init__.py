"""How good a network is and how it behaves, as numbers."""
