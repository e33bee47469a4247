"""The mathematics: networks, their forward pass, the four equations of backpropagation, and gradient descent."""

from deltarule.public import answer_names

__getattr__ = answer_names(__name__)
