"""One example on its way through a network and back, with every number checked."""
