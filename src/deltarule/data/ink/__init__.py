"""A drawing or a photo, made into the 28x28 pixels that MNIST would have made of it."""
