"""Workspace: the arrays for a batch and its gradients. Each caller has its own, so threads can share a network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from deltarule.errors import ShapeError, sentence
from deltarule.nn.arrays import Array
from deltarule.public import public
from deltarule.randomness import generator_at


@public("network.workspace(len(X))", is_inner=True)
class Workspace:
    """Arrays for a batch of at most `capacity` samples; later batches allocate nothing.

    For layer l, as views that `begin` sets to the number of rows of the batch:
    z[l]: weighted input;  a[l]: activation;  delta[l]: the error dC/dz;  each (batch, fan_out).
    inputs[l]: what layer l reads: the data for l = 0, else a[l - 1], with dropped neurons at 0 if masks are drawn.
    masks: one per hidden layer, 0 where a neuron is dropped and 1 / (1 - rate) where it stays; None drops nothing.

    pixels: whether uint8 inputs are pixels, to be divided by 255; otherwise inputs of every dtype keep their values.
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        capacity: int,
        dtype: DTypeLike,
        dropout: Sequence[float] = (),
        *,
        pixels: bool = False,
    ) -> None:
        self.capacity, self.pixels, self._dropout = capacity, pixels, dropout
        self._input = np.empty((0, layer_sizes[0]), dtype)  # `input_buffer` creates its rows
        self._z, self._a, self._delta, self._dropped = (
            [np.empty((capacity, size), dtype) for size in layer_sizes[1:]] for _ in range(4)
        )
        self._masks = [np.empty(a.shape, a.real.dtype) for a in self._a[:-1]]
        self._drawn = [np.empty((capacity, -(-size // 8) * 8), np.float32) for size in layer_sizes[1:-1]]
        self.masks: list[Array] | None = None
        self.inputs: list[Array] = [self._input] * len(self._z)
        self.take_rows(capacity)

    def begin(self, X: Array) -> None:
        """Make X (batch, features) the input of layer 0 and set the number of rows of every view."""
        if X.ndim != 2 or X.shape[1] != self._input.shape[1] or not 0 < len(X) <= self.capacity:
            raise ShapeError(sentence("network.batch", most=(self.capacity, self._input.shape[1]), shape=X.shape))
        if len(X) != len(self.z[0]):
            self.take_rows(len(X))
        is_ready = X.dtype == self._input.dtype
        self.inputs[0] = X if is_ready else scale_inputs(X, self.input_buffer(len(X)), pixels=self.pixels)
        for l, a in enumerate(self.a[:-1]):
            self.inputs[l + 1] = a if self.masks is None else self._dropped[l][: len(a)]

    def input_buffer(self, n_rows: int) -> Array:
        """An array (n_rows, features) of the network's dtype, into which a batch can be gathered before `begin`."""
        if len(self._input) == 0:
            self._input = np.empty((self.capacity, self._input.shape[1]), self._input.dtype)
        return self._input[:n_rows]

    def draw_masks(self, seed: int, epoch: int = 0, step: int = 0, first_row: int = 0) -> None:
        """Choose at random which neurons the next batch drops, each with its layer's dropout rate (Srivastava 2014).

        The others are multiplied by 1 / (1 - rate), so that nothing needs rescaling without dropout. What a row drops
        depends on seed, layer, epoch, step and the row's number in the step's batch, counted from `first_row` here.
        """
        for l, (mask, drawn, rate) in enumerate(zip(self._masks, self._drawn, self._dropout, strict=True)):
            count = first_row * drawn.shape[1] // 8
            generator_at(count, seed, f"dropout {l}", epoch, step).random(dtype=np.float32, out=drawn)
            np.greater_equal(drawn[:, : mask.shape[1]], rate, out=mask)
            mask /= 1.0 - rate
        self.masks = [mask[: len(self.z[0])] for mask in self._masks]

    def drop(self, l: int) -> None:
        """Write a[l], with dropped neurons at 0, into inputs[l + 1]. Do nothing without masks or for the last layer."""
        if self.masks is not None and l < len(self.masks):
            np.multiply(self.a[l], self.masks[l], out=self.inputs[l + 1])

    def take_rows(self, n_rows: int) -> None:
        """Set the number of rows of the views z, a, delta and masks."""
        self.z, self.a, self.delta = ([each[:n_rows] for each in part] for part in (self._z, self._a, self._delta))
        if self.masks is not None:
            self.masks = [mask[:n_rows] for mask in self._masks]


def as_floats(X: Array, dtype: DTypeLike) -> Array:
    """The inputs X as a network reads them, in a new array of floats: uint8 are taken as pixels and divided by 255."""
    return scale_inputs(X, np.empty(X.shape, dtype))


def scale_inputs(X: Array, out: Array, *, pixels: bool = True) -> Array:
    """Write the inputs X into `out`, and return it: with `pixels`, uint8 are divided by 255; others are only cast."""
    if pixels and X.dtype == np.uint8:
        np.divide(X, 255.0, out=out, dtype=out.dtype)
    else:
        np.copyto(out, X, casting="same_kind")
    return out
