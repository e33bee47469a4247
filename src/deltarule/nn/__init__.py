"""The mathematics: networks, their forward pass, the four equations of backpropagation, and gradient descent."""
