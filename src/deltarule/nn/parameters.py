"""Parameters: every weight and bias of a network in one vector.

The vector holds all weights, layer by layer, then all biases; `weights[l]` and `biases[l]` are views into it. So an
optimizer is arithmetic on one vector, a penalty acts on one slice of it, saving and restoring is one copy, and a
gradient check nudges `vector[k]`. Gradients and optimizer moments are Parameters or vectors of the same size.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from deltarule.errors import SettingError, ShapeError, sentence
from deltarule.nn.arrays import Array, cache_line_zeros
from deltarule.parts import Views
from deltarule.public import public
from deltarule.settings import sizes_of


@public()
class Parameters:
    """The weights and biases of a network: one contiguous vector, and views into it.

    layer_sizes: (inputs, hidden ..., outputs), as for Network.
    vector: (size,), used as it is, not copied; zeros of `dtype` if none is given.

    weight_block: (n_weights,), the first part of `vector`, all weights without the biases: a penalty acts on it.
    weights[l]: (fan_in, fan_out) of layer l, which maps layer_sizes[l] numbers to layer_sizes[l + 1].
    biases[l]: (fan_out,).

    >>> parameters = Parameters((2, 3, 1))
    >>> parameters.weights[0][:] = 1.0
    >>> parameters.vector.sum()
    np.float32(6.0)
    """

    def __init__(self, layer_sizes: Sequence[int], vector: Array | None = None, dtype: DTypeLike = np.float32) -> None:
        self.layer_sizes = sizes_of(layer_sizes)
        shapes = list(pairwise(self.layer_sizes))
        pieces = [*map(math.prod, shapes), *self.layer_sizes[1:]]
        size = sum(pieces)
        self.vector = cache_line_zeros(size, dtype) if vector is None else vector
        if self.vector.shape != (size,) or not self.vector.flags.c_contiguous:
            raise ShapeError(sentence("network.not_one_vector", parameters=self, size=size))
        self.weight_block = self.vector[: size - sum(self.layer_sizes[1:])]
        views = np.split(self.vector, np.cumsum(pieces)[:-1])
        self.weights = Views(view.reshape(shape) for view, shape in zip(views[: len(shapes)], shapes, strict=True))
        self.biases = Views(views[len(shapes) :])

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute once. SettingError for a new array later: the views would still show the old one."""
        if vars(self).get(name, value) is not value:
            raise SettingError(f"{name} cannot be replaced, only its numbers: use parameters.vector[:] = vector")
        super().__setattr__(name, value)

    @property
    def size(self) -> int:
        """The number of weights and biases."""
        return self.vector.size

    def copy(self) -> Self:
        """A copy of the parameters, with a vector of its own."""
        return type(self)(self.layer_sizes, self.vector.copy())

    def zeros_like(self) -> Self:
        """New Parameters of the same layout and dtype, all 0: for gradients, for instance."""
        return type(self)(self.layer_sizes, dtype=self.vector.dtype)

    def astype(self, dtype: DTypeLike) -> Self:
        """A copy of the parameters in another dtype."""
        return type(self)(self.layer_sizes, self.vector.astype(dtype))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy only layer sizes and vector, then rebuild the views, so that they share the new vector."""
        return type(self), (self.layer_sizes, self.vector)

    def __repr__(self) -> str:
        return f"Parameters({self.layer_sizes}, {self.size:,} x {self.vector.dtype})"
