"""The network: its parts, the forward pass, and the four equations of backpropagation.

A sample is a row, so a batch goes through layer l as  z = inputs @ weights[l] + biases[l].  Layers are counted from 0,
as Python counts: layer 0 reads the data, layer l the activations of layer l - 1.
"""

from __future__ import annotations  # help(Network) shows the types as they are written here

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from deltarule.errors import LOG, SettingError, sentence
from deltarule.inputs import LARGEST, Scale, check_inputs
from deltarule.nn.activations import Activation, Exp, Identity, Sigmoid, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, Loss, sample_shares
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.parts import Spec, check_assignment, draw, object_at, resolve
from deltarule.public import LossAndGradient, LossValue, Named, public
from deltarule.settings import Task, check_meaning, dtype_of, generator_of, one_per_layer, sizes_of
from deltarule.targets import check_batch, check_range

IN_C = "deltarule.native.engine_call:outputs"  # computes what outputs_of returns, in C
PREDICTION_ROWS = 1024  # large enough for the matrix product's full speed, small enough for the cache


@public("forward(network, X, network.workspace(len(X)))")
def forward(network: Network, X: Array, ws: Workspace) -> Array:
    """The forward pass of a batch: X (batch, features) -> a^L (batch, outputs), a view into `ws`.

    X has at most ws.capacity rows; if `network.pixels` is True, uint8 values are divided by 255.
    """
    ws.begin(X)
    for l, (W, b, activation) in enumerate(zip(network.weights, network.biases, network.activations, strict=True)):
        # z^l = a^(l-1) W^l + b^l
        np.matmul(ws.inputs[l], W, out=ws.z[l])
        ws.z[l] += b
        # a^l = sigma(z^l)
        activation.forward(ws.z[l], out=ws.a[l])
        ws.drop(l)

    return ws.a[-1]


@public("ws = network.workspace(len(X)); forward(network, X, ws); loss_value(network, y, ws)")
def loss_value(
    network: Network, y: Array, ws: Workspace, *, sample_weight: Array | None = None, divisor: float | None = None
) -> float:
    """The loss C of the batch that the last `forward` call with `ws` computed. The arguments are as for `backward`."""
    shares = sample_shares(len(y), sample_weight, divisor)
    if network.has_shortcut:
        return network.loss.value(ws.z[-1], y, shares, from_z=True)
    return network.loss.value(ws.a[-1], y, shares)


@public("loss, grads = loss_and_gradient(network, X, y)")
def backward(
    network: Network,
    y: Array,
    ws: Workspace,
    grads: Parameters,
    *,
    sample_weight: Array | None = None,
    divisor: float | None = None,
) -> None:
    """Write dC/dW and dC/db into `grads`, for the batch that the last `forward` call with `ws` computed.

    y: (batch,) integer classes, or (batch, outputs).
    sample_weight: (batch,), how much each sample counts, 1 by default.
    divisor: what the weighted sum over samples is divided by, by default the sum of the weights.

    delta^l = dC/dz^l. The equations are those of Nielsen, "Neural Networks and Deep Learning", chapter 2.
    """
    weights, activations, loss = tuple(network.weights), tuple(network.activations), network.loss
    z, a, delta, inputs = ws.z, ws.a, ws.delta, ws.inputs
    shares = sample_shares(len(y), sample_weight, divisor)
    last = len(weights) - 1

    # BP1  delta^L = dC/da^L * sigma'(z^L), which is a^L - t where output and loss are a proven pair
    if network.has_shortcut:
        loss.shortcut(a[last], y, shares, out=delta[last])
    else:
        loss.gradient(a[last], y, shares, out=delta[last])
        activations[last].backward(delta[last], z[last], a[last])

    for l in range(last, -1, -1):
        # BP2  delta^l = (delta^(l+1) (W^(l+1))^T) * sigma'(z^l)
        if l < last:
            np.matmul(delta[l + 1], weights[l + 1].T, out=delta[l])
            if ws.masks is not None:  # a dropped neuron had no part in the error
                delta[l] *= ws.masks[l]
            activations[l].backward(delta[l], z[l], a[l])
        # BP3  dC/db^l = sum over the batch of delta^l
        delta[l].sum(axis=0, out=grads.biases[l])
        # BP4  dC/dW^l = (a^(l-1))^T delta^l
        np.matmul(inputs[l].T, delta[l], out=grads.weights[l])


@public("loss_and_gradient(network, X, y)")
def loss_and_gradient(network: Network, X: Array, y: Array, *, sample_weight: Array | None = None) -> LossAndGradient:
    """The loss C of a batch and its gradient, (loss, Parameters), in new arrays: all of backpropagation in one call."""
    X, y, sample_weight = check_batch(inputs_of(network, X), y, sample_weight, network.layer_sizes)
    check_range(y, network.loss.least_target)
    ws, grads = network.workspace(len(X)), network.parameters.zeros_like()
    forward(network, X, ws)
    backward(network, y, ws, grads, sample_weight=sample_weight)
    loss = loss_value(network, y, ws, sample_weight=sample_weight)
    return LossAndGradient(LossValue(loss) if network.dtype.kind == "f" else loss, grads)


@public('Network((784, 100, 10), hidden="relu")', is_inner=True)
class Network(metaclass=Named):
    """A neural network: layers of weighted sums and activations, and a loss.

    layer_sizes: (inputs, hidden ..., outputs).
    hidden: an activation for all hidden layers or one for each: an object, a
        name, or {"name": "leaky_relu", "slope": 0.1}. output, loss: likewise.
    task: "classes", "labels", "values", or None: output, loss or `fit` decide.
    pixels: whether inputs are uint8, read as value / 255; `fit` sets it.
    image_shape: (height, width) of an input. class_names: one for each output.
    dropout: the share of hidden neurons that a training step drops, in [0, 1).
    dtype: float32, float64 or complex128. rng: for the weights, or its seed.

    Attributes: most arguments, activations[l], biases[l], parameters, reading,
    weights[l] (fan_in, fan_out), input_range, has_shortcut, has_probabilities.

    >>> Network((784, 128, 10)).predict(np.zeros((2, 784))).shape
    (2,)
    """

    input_range: tuple[float, float] | None = None  # of its inputs, once `fit`, a file or a program has set it
    reading: str | None = None  # how its images are prepared: "digits" (as MNIST's), "images", or None

    def __init__(
        self,
        layer_sizes: Sequence[int],
        *,
        hidden: Activation | Spec | Sequence[Activation | Spec] = "relu",
        output: Activation | Spec = "softmax",
        loss: Loss | Spec = "cross_entropy",
        task: Task | None = None,
        pixels: bool = False,
        image_shape: tuple[int, int] | None = None,
        class_names: Sequence[str] | None = None,
        dropout: float | Sequence[float] = 0.0,
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator = 0,
    ) -> None:
        self.layer_sizes = sizes_of(layer_sizes)
        between = one_per_layer("hidden", hidden, len(self.layer_sizes) - 2, partial(resolve, "activation"))
        last: Activation = resolve("activation", output, "output")
        if isinstance(last, Softmax) and self.layer_sizes[-1] == 1:
            raise SettingError(sentence("network.softmax_of_one"))
        self.loss: Loss = loss  # type: ignore[assignment]
        self.activations: tuple[Activation, ...] = (*between, last)
        if not isinstance(last, self.loss.fits):
            raise output_error(self, "not_above_0" if Exp in self.loss.fits else "not_probabilities")
        self.dropout: tuple[float, ...] = dropout  # type: ignore[assignment]
        self.parameters = Parameters(self.layer_sizes, dtype=dtype_of(dtype))
        self.task = task_of(last, self.loss, self.layer_sizes[-1]) if task is None else task
        self.pixels, self.image_shape, rng = pixels, image_shape, generator_of(rng)
        self.class_names: tuple[str, ...] = class_names  # type: ignore[assignment]
        for activation, W, b in zip(self.activations, self.weights, self.biases, strict=True):
            W[:] = draw(activation.initializer, rng, *W.shape)
            b[:] = draw(activation.bias_initializer, rng, 1, len(b))[0]

    def __init_subclass__(cls) -> None:
        for name in ("forward", "backward", "call", "training_step"):
            if name in vars(cls):
                LOG.warning(sentence("network.own_method", name=f"{cls.__name__}.{name}"))

    def __setattr__(self, name: str, value: Any) -> None:
        """Check an assignment such as `network.image_shape = (28, 28)` like the argument of that name, and make it."""
        check_meaning(**{name: value})
        super().__setattr__(name, check_assignment(self, name, value))

    @property
    def weights(self) -> tuple[Array, ...]:
        """weights[l] (fan_in, fan_out): the textbooks' w_jk, from neuron k to neuron j, is weights[l][k, j]."""
        return self.parameters.weights

    @property
    def biases(self) -> tuple[Array, ...]:
        """The biases of each layer l, (fan_out,)."""
        return self.parameters.biases

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters and of everything computed with them."""
        return self.parameters.vector.dtype

    @property
    def has_shortcut(self) -> bool:
        """Whether BP1 simplifies to delta^L = a^L - t for this output activation and loss."""
        return isinstance(self.activations[-1], self.loss.shortcut_for)

    @property
    def has_probabilities(self) -> bool:
        """Whether the outputs are probabilities: those of a softmax, or of a single sigmoid."""
        return isinstance(self.activations[-1], Sigmoid if self.layer_sizes[-1] == 1 else Softmax)

    def workspace(self, capacity: int) -> Workspace:
        """A new Workspace: the arrays for batches of at most `capacity` samples."""
        return Workspace(self.layer_sizes, capacity, self.dtype, self.dropout, pixels=self.pixels)

    def astype(self, dtype: DTypeLike) -> Network:
        """A copy of the network that computes in another dtype."""
        return with_meaning(self, parameters=self.parameters.astype(dtype_of(dtype)))

    def outputs(self, X: Array) -> Array:
        """a^L, (n_samples, outputs), for X (n_samples, features), without dropout."""
        return outputs_of(self, inputs_of(self, X))

    def predict(self, X: Array) -> Array:
        """Classes (n,); labels (n, k), 1 where an output is >= 0.5; or values."""
        return decide(self, self.outputs(X))

    def probabilities(self, X: Array) -> Array:
        """The outputs (n, k) of a softmax or one sigmoid; else SettingError."""
        if not self.has_probabilities:
            raise output_error(self, "no_probabilities")
        return self.outputs(X)

    def __str__(self) -> str:
        """A table: layer, shape, activation, parameters."""
        rows = [
            f"{l:>5}  {W.shape[0]:>6} -> {W.shape[1]:<6}  {type(activation).__name__:<10} {W.size + b.size:>12,}"
            for l, (W, b, activation) in enumerate(zip(self.weights, self.biases, self.activations, strict=True))
        ]
        heading = f"{'layer':>5}  {'shape':<16}  {'activation':<10} {'parameters':>12}"
        total = f"loss {str(self.loss).removesuffix('()')}, {self.dtype}, {self.parameters.size:,} parameters"
        return "\n".join([f"Network {'-'.join(map(str, self.layer_sizes))}", heading, *rows, total])

    def __repr__(self) -> str:
        return f"<Network {'-'.join(map(str, self.layer_sizes))}, {self.parameters.size:,} parameters>"


def task_of(output: Activation, loss: Loss, n_outputs: int) -> Task | None:
    """The task that an output activation and a loss determine; None if they allow several."""
    if isinstance(output, Softmax):
        return "classes"
    is_yes_or_no = isinstance(output, Sigmoid) and isinstance(loss, BinaryCrossEntropy) and n_outputs == 1
    return "labels" if is_yes_or_no else "values" if isinstance(output, Identity | Exp) else None


def output_error(network: Network, key: str) -> SettingError:
    """A SettingError about a network's output activation and loss; key: the name of its message in sentences.toml."""
    output, loss = network.activations[-1], network.loss
    values = {"output": type(output).__name__, "loss": type(loss).__name__, "n_outputs": network.layer_sizes[-1]}
    fitting = [kind.__name__ for kind in loss.fits]
    other = "binary_cross_entropy" if isinstance(output, Sigmoid) else "quadratic"
    values |= {"fitting": " or ".join(fitting), "first": fitting[0].lower(), "other": other}
    return SettingError(sentence(f"network.{key}", **values))


def with_meaning(network: Network, **meaning: Any) -> Network:
    """A shallow copy of a network with some attributes replaced, such as task, pixels, image_shape or parameters."""
    other = copy.copy(network)
    for name, value in ({"input_range": network.input_range} | meaning if "pixels" in meaning else meaning).items():
        setattr(other, name, value)
    return other


def scale_of(network: Network) -> Scale:
    """The Scale of a network: which numbers it accepts as inputs."""
    return Scale(network.pixels, network.input_range, LARGEST[network.dtype.char], "input_range" not in vars(network))


def inputs_of(network: Network, X: Any) -> Array:
    """X as an array (n, features), uint8 only if the network reads pixels. ShapeError or DataError if X is unfit."""
    if network.dtype.kind == "c" and isinstance(X, np.ndarray) and X.dtype.kind == "c":
        return X  # in a complex-step check
    if network.pixels and type(X) is np.ndarray and X.dtype.char == "B" and X.shape[1:] == network.layer_sizes[:1]:
        return X  # what check_inputs would return, in less time
    X = check_inputs(X, network.layer_sizes[0], network.image_shape, scale_of(network))
    return X.astype(network.dtype) if X.dtype == np.uint8 and not network.pixels else X


def outputs_of(network: Network, X: Array) -> Array:
    """The outputs a^L, (n, outputs), for any number of rows X, which `inputs_of` or a Model has prepared."""
    if (a := object_at(IN_C)(network, X)) is not None:
        return a
    a, ws = np.empty((len(X), network.layer_sizes[-1]), network.dtype), network.workspace(min(len(X), PREDICTION_ROWS))
    for start in range(0, len(X), PREDICTION_ROWS):
        rows = slice(start, start + PREDICTION_ROWS)
        a[rows] = forward(network, X[rows], ws)
    return a


def decide(network: Network, a: Array) -> Array:
    """Predictions from outputs a (n, k): classes (n,), labels (n, k) or values (n, k). SettingError without a task."""
    if network.task is None:
        raise output_error(network, "no_task")
    if network.task == "classes":
        return a.argmax(axis=1)
    return (a >= 0.5).astype(np.uint8) if network.task == "labels" else a
