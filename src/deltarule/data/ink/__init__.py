"""A drawing or a photo, turned into 28x28 pixels as MNIST's digits were."""
