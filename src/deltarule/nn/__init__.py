"""The mathematics: networks, their forward pass, the four equations of backpropagation, and gradient descent."""

from deltarule.elsewhere import unknown_name


def __getattr__(name: str) -> None:
    raise unknown_name(__name__, name)
