"""Networks for other software, and from it."""
