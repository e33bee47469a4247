"""Turns a drawing or a photo of a digit into a 28x28 image in MNIST's format."""
