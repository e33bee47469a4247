"""How good a network is and how it behaves, in numbers."""
