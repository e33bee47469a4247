"""Whether a gradient is the derivative of the loss, and if not, which mistake makes it wrong."""
