"""One example on its way through a network and back: every number, and beside each a check."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from deltarule.data.frames import is_frame
from deltarule.errors import SettingError, ShapeError
from deltarule.inputs import numbers
from deltarule.inspection.explain.neuron import NeuronPass, neuron_pass
from deltarule.inspection.explain.nudges import numeric_delta
from deltarule.inspection.explain.text import text_of
from deltarule.inspection.gradcheck.equation_checks import CHECKS, Case, Check
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.equations import EQUATIONS, SYMBOLS, Equation, equation_named
from deltarule.nn.network import Network
from deltarule.public import check_network, public

RATES = (0.001, 0.01, 0.1, 1.0)


@dataclass(frozen=True, eq=False)
class LayerPass:
    """A layer's numbers for the example: z, a, sigma'(z) and delta, each (fan_out,); the norms of its gradients.

    slope: sigma'(z); None after a softmax, where it is a matrix.
    """

    layer: int
    fan_in: int
    fan_out: int
    activation: str
    z: Array
    a: Array
    slope: Array | None
    delta: Array
    weights_gradient_norm: float
    biases_gradient_norm: float


@dataclass(frozen=True)
class Step:
    """How much a step of gradient descent changes the loss: as -rate |gradient|^2 predicts, and in fact."""

    rate: float
    predicted: float
    actual: float


@public()
@dataclass(frozen=True, eq=False, repr=False)
class Walkthrough:
    """What `explain` finds. Shown or printed, it is a text of 80 columns; `as_dict()` has every number in it.

    raw, inputs: the example as it came and as the network reads it, (features,). targets: (outputs,).
    loss: C. output_gradient: dC/da of the outputs, (outputs,).
    numeric_output_delta: dC/dz of the outputs, (outputs,), by complex step.
    gradient_norm: |dC/dp| over all parameters. steps: what steps of several rates do.
    equations: those that are shown; checks: for each of them by id.
    alone: whether one equation was asked for, which is then told with symbols, lines of code and proof.
    """

    model: Model
    raw: Array
    inputs: Array
    targets: Array
    loss: float
    output_gradient: Array
    numeric_output_delta: Array
    layers: tuple[LayerPass, ...]
    neuron: NeuronPass
    gradient_norm: float
    steps: tuple[Step, ...]
    equations: tuple[Equation, ...]
    checks: dict[str, list[Check]]
    alone: bool

    def as_dict(self) -> dict[str, Any]:
        """The same in dicts, lists, strings and numbers: what `deltarule explain --json` prints."""
        network = self.model.network
        return {
            "layer_sizes": list(network.layer_sizes),
            "parameters": network.parameters.size,
            "loss_name": type(network.loss).__name__,
            "class_names": list(self.model.class_names),
            "image_shape": self.model.image_shape,
            "input_names": list(self.model.input_names),
            **{
                name: plain(getattr(self, name))
                for name in ("inputs", "targets", "output_gradient", "numeric_output_delta")
            },
            "loss": self.loss,
            "layers": [plain(each) for each in self.layers],
            "neuron": plain(self.neuron),
            "gradient_norm": self.gradient_norm,
            "steps": [plain(step) for step in self.steps],
            "equations": [described(equation, self.checks[equation.id]) for equation in self.equations],
        }

    def text(self, encoding: str = "utf-8") -> str:
        """All of it in words and numbers, at most 80 columns; `encoding` is what the terminal takes."""
        return text_of(self, encoding)

    def __repr__(self) -> str:
        return self.text()


@public("explain(network, x, target)")
def explain(
    net_or_model: Network | Model,
    example: Any,
    target: Any,
    *,
    layer: int | None = None,
    neuron: int | None = None,
    equation: str | None = None,
) -> Walkthrough:
    """Follow one example through the network and back, with every number, and every number checked.

    example: (features,), or an image (height, width): uint8 pixels, or numbers in the units that the model takes; a
        DataFrame of one row for a model of a table.
    target: the class, an integer; or (outputs,), labels or values in their own units.
    layer, neuron: the neuron to show in full, counted from 0. By default layer 0, the one that reads the example, and
        there the neuron with the largest error: that to which the loss answers most.
    equation: the id of one equation to show alone, with its symbols, lines of code and proof: a key of
        deltarule.nn.equations.EQUATIONS.

    All is computed in float64. Raises ShapeError where example or target does not fit the network, SettingError for a
    class, layer, neuron or equation that does not exist.

    >>> walk = explain(Network((2, 3, 2)), np.array([0.5, -1.0]), 1)
    >>> walk.layers[-1].a.shape, all(check.ok for checks in walk.checks.values() for check in checks)
    ((2,), True)
    """
    check_network(net_or_model, "dr.explain(network, X[0], y[0])")
    model = net_or_model if isinstance(net_or_model, Model) else Model(net_or_model)
    if np.size(target) == 1 < model.network.layer_sizes[-1]:
        model = model.with_meaning(task="classes")  # several sigmoids can tell classes apart, too
    shown = shown_equations(equation, model.network)
    raw, X = one_example(model, example)
    case = Case.of(model.network, X, checked_target(model, target))
    z, a, loss = case.ws.z[-1], case.ws.a[-1], case.network.loss
    layers = tuple(layer_pass(case, n) for n in range(len(case.network.weights)))
    return Walkthrough(
        model=model,
        raw=raw,
        inputs=case.ws.inputs[0][0],
        targets=loss.targets(a, case.y)[0],
        loss=case.loss,
        output_gradient=loss.gradient(a, case.y)[0],
        numeric_output_delta=numeric_delta(case.in_complex, len(layers) - 1, z, case.y, np.arange(a.shape[1]))[0],
        layers=layers,
        neuron=neuron_pass(case, *which_neuron(layers, layer, neuron)),
        gradient_norm=np.linalg.norm(case.grads.vector).item(),
        steps=tuple(step_of(case, rate) for rate in RATES),
        equations=shown,
        checks={each.id: CHECKS[each.id](case) for each in shown},
        alone=equation is not None,
    )


def shown_equations(name: str | None, network: Network) -> tuple[Equation, ...]:
    """The equation of that name, or all that have a part in the network; SettingError where that one has none."""
    equations = [equation_named(name)] if name else list(EQUATIONS.values())
    shown = tuple(equation for equation in equations if equation.applies_to(network))
    if not shown:
        sizes = "-".join(map(str, network.layer_sizes))
        outputs = f"{type(network.activations[-1]).__name__} with {type(network.loss).__name__}"
        raise SettingError(f"{equations[0].id} has no part in this network: got a {sizes}, {outputs}; ask for another")
    return shown


def one_example(model: Model, example: Any) -> tuple[Array, Array]:
    """The example as it came, (features,), and as the network reads it, (1, features)."""
    if is_frame(example):
        example = model.unscaled(example)
        model = model.of_numbers()
    raw, n_features = numbers(example, "example"), len(model.columns) or model.network.layer_sizes[0]
    if raw.ndim == 2 and raw.shape[1] == n_features and len(raw) != 1:
        raise ShapeError(f"one example is explained at a time: got {len(raw)}; pass X[0], and its y")
    if raw.ndim == 1 and raw.size != n_features:
        raise ShapeError(
            f"example has shape {raw.shape}, and this network takes {n_features} numbers, or an image of them"
        )
    raw = model.unscaled(raw if raw.shape == (1, n_features) else raw[np.newaxis])
    X = model.of_numbers().inputs(raw)
    if not np.isfinite(X).all():
        raise ShapeError("an example must be finite numbers: got NaN or infinity among them")
    return raw.ravel(), X


def checked_target(model: Model, target: Any) -> Array:
    """The target as `backward` takes it: (1,) int64, or (1, outputs) float64 in the units of the outputs."""
    n_outputs = model.network.layer_sizes[-1]
    if isinstance(target, str):
        if target not in model.class_names:
            names = ", ".join(model.class_names)
            raise SettingError(f"the class of the example must be a number, or one of {names}: got {target!r}")
        target = model.class_names.index(target)
    y = numbers(np.atleast_1d(target), "target")
    if y.size == 1 < n_outputs:
        if y.item() not in range(n_outputs):
            raise SettingError(f"the class of the example must be 0 to {n_outputs - 1}: got {y.item()}")
        return y.reshape(1).astype(np.int64)
    if y.size != n_outputs or not np.isfinite(y).all():
        needs = f"the target of an example is {n_outputs} finite numbers, one an output"
        raise ShapeError(f"{needs}: got {y.tolist()[:5]}; for a class use a number, y[0]")
    values = y.reshape(1, n_outputs).astype(np.float64)
    return values if model.target_scaling is None else model.target_scaling.apply(values)


def which_neuron(layers: Sequence[LayerPass], layer: int | None, neuron: int | None) -> tuple[int, int]:
    """The layer and the neuron to show; SettingError, naming the range, where there is none such."""
    layer = 0 if layer is None else layer
    if not 0 <= layer < len(layers):
        raise SettingError(f"the layers of this network are 0 to {len(layers) - 1}: got layer {layer}")
    if neuron is None:
        return layer, int(np.abs(layers[layer].delta).argmax())
    n_neurons = layers[layer].fan_out
    if not 0 <= neuron < n_neurons:
        raise SettingError(f"the neurons of layer {layer} are 0 to {n_neurons - 1}: got neuron {neuron}")
    return layer, neuron


def layer_pass(case: Case, l: int) -> LayerPass:
    """What one layer makes of the example."""
    fan_in, fan_out = case.network.weights[l].shape
    slope = case.network.activations[l].derivative(case.ws.z[l], case.ws.a[l])
    return LayerPass(
        layer=l,
        fan_in=fan_in,
        fan_out=fan_out,
        activation=type(case.network.activations[l]).__name__,
        z=case.ws.z[l][0],
        a=case.ws.a[l][0],
        slope=slope[0].astype(np.float64) if slope.ndim == 2 else None,
        delta=case.ws.delta[l][0],
        weights_gradient_norm=np.linalg.norm(case.grads.weights[l]).item(),
        biases_gradient_norm=np.linalg.norm(case.grads.biases[l]).item(),
    )


def step_of(case: Case, rate: float) -> Step:
    """A step of gradient descent on the example alone."""
    gradient = case.grads.vector
    actual = case.value_at(-rate * gradient).real - case.loss
    return Step(rate, -rate * (gradient @ gradient).item(), actual)


def described(equation: Equation, checks: Sequence[Check]) -> dict[str, Any]:
    """An equation and its checks, as plain values."""
    names = ("id", "title", "latex", "text", "says", "place", "proof")
    return {name: getattr(equation, name) for name in names} | {
        "code": equation.code(),
        "symbols": [asdict(SYMBOLS[symbol]) for symbol in equation.symbols],
        "checks": [asdict(check) | {"ok": check.ok} for check in checks],
    }


def plain(value: Any) -> Any:
    """Records and arrays as dicts and lists."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray) else value
