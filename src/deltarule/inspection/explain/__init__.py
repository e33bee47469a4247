"""One example on its way through a network and back, every number with a check beside it."""
