"""Checks whether a gradient is the derivative of the loss, and if not, finds the mistake that makes it wrong."""
