"""`explain`: one example on its way through a network and back, with every number checked."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.data.readers.tables import is_frame
from deltarule.errors import SettingError, ShapeError, sentence
from deltarule.inputs import numbers
from deltarule.inspection.explain.walkthrough import Effect, LayerPass, LongSum, NeuronPass, TrialStep, Walkthrough
from deltarule.inspection.gradcheck.equation_checks import CHECKS, Check
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.equations import EQUATIONS, find_equation
from deltarule.nn.network import Network
from deltarule.public import check_network, public
from deltarule.targets import check_range

NUDGE = 0.001  # small enough that prediction and effect agree to three digits
RATES = (0.001, 0.01, 0.1, 1.0)


@public("explain(network, X[0], y[0])")
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
    layer, neuron: the neuron to show in full, counted from 0. By default layer 0, which reads the example, and there
        the neuron with the largest error, to which the loss responds most.
    equation: the id of one equation to show alone, with its symbols, lines of code and proof: a key of
        deltarule.nn.equations.EQUATIONS.

    Everything is computed in float64. Raises ShapeError if example or target does not fit the network, SettingError for
    an unknown class, layer, neuron or equation.

    >>> walk = explain(Network((2, 3, 2)), np.array([0.5, -1.0]), 1)
    >>> walk.layers[-1].a.shape, all(check.ok for checks in walk.checks.values() for check in checks)
    ((2,), True)
    """
    check_network(net_or_model, "dr.explain(network, X[0], y[0])")
    model = net_or_model if isinstance(net_or_model, Model) else Model(net_or_model)
    if np.size(target) == 1 < model.network.layer_sizes[-1]:
        model = model.with_meaning(task="classes")  # several sigmoids can also predict classes
    asked = [find_equation(equation)] if equation else list(EQUATIONS.values())
    shown = tuple(each for each in asked if each.applies_to(model.network))
    if not shown:
        names = [type(part).__name__ for part in (model.network.activations[-1], model.network.loss)]
        raise SettingError(sentence("explain.no_part", id=asked[0].id, sizes=model.network.layer_sizes, names=names))
    raw, inputs = one_example(model, example)
    problem = Problem.of(model.network, inputs, target_for(model, target))
    layers = tuple(layer_pass(problem, each) for each in range(len(problem.network.weights)))
    gradient = problem.grads.vector
    fall = (gradient @ gradient).item()
    return Walkthrough(
        model=model,
        raw=raw,
        inputs=problem.ws.inputs[0][0],
        targets=problem.network.loss.targets(problem.ws.a[-1], problem.y)[0],
        loss=problem.loss,
        output_gradient=problem.network.loss.gradient(problem.ws.a[-1], problem.y, problem.shares)[0],
        numeric_output_delta=problem.numeric_delta(len(layers) - 1, np.arange(layers[-1].fan_out))[0],
        layers=layers,
        neuron=neuron_pass(problem, *layer_and_neuron(layers, layer, neuron)),
        gradient_norm=math.sqrt(fall),
        steps=tuple(TrialStep(rate, -rate * fall, problem.loss_at(-rate * gradient) - problem.loss) for rate in RATES),
        equations=shown,
        checks={each.id: CHECKS[each.id](problem) for each in shown},
    )


def one_example(model: Model, example: Any) -> tuple[Array, Array]:
    """The example in its own units, (features,), and as the network reads it, (1, features)."""
    if is_frame(example):
        example = model.unscaled(example)
        model = model.of_numbers()
    raw, n_features = numbers(example, "example"), len(model.columns) or model.network.layer_sizes[0]
    if raw.ndim == 2 and raw.shape[1] == n_features and len(raw) != 1:
        raise ShapeError(f"one example is explained at a time: got {len(raw)}; pass X[0], and its y")
    if raw.ndim == 1 and raw.size != n_features:
        raise ShapeError(sentence("explain.shape", shape=raw.shape, n_features=n_features))
    raw = model.unscaled(raw if raw.shape == (1, n_features) else raw[np.newaxis])
    X = model.of_numbers().inputs(raw)
    if not np.isfinite(X).all():
        raise ShapeError("an example must be finite numbers: got NaN or infinity among them")
    return raw.ravel(), X


def target_for(model: Model, target: Any) -> Array:
    """The target as `backward` takes it: (1,) int64, or (1, outputs) float64 in the units of the outputs."""
    n_outputs = model.network.layer_sizes[-1]
    if isinstance(target, str):
        if target not in model.class_names:
            raise SettingError(sentence("explain.a_class", names=", ".join(model.class_names), target=target))
        target = model.class_names.index(target)
    y = numbers(np.atleast_1d(target), "target")
    if y.size == 1 < n_outputs:
        if y.item() not in range(n_outputs):
            raise SettingError(f"the class of the example must be 0 to {n_outputs - 1}: got {y.item()}")
        return y.reshape(1).astype(np.int64)
    if y.size != n_outputs or not np.isfinite(y).all():
        raise ShapeError(sentence("explain.target", n_outputs=n_outputs, got=y.tolist()[:5]))
    check_range(y, model.network.loss.least_target, "the target")
    values = y.reshape(1, n_outputs).astype(np.float64)
    return values if model.target_scaling is None else model.target_scaling.apply(values)


def layer_and_neuron(layers: Sequence[LayerPass], layer: int | None, neuron: int | None) -> tuple[LayerPass, int]:
    """The layer and the neuron to show; SettingError, naming the range, if they do not exist."""
    layer = 0 if layer is None else layer
    if not 0 <= layer < len(layers):
        raise SettingError(f"the layers of this network are 0 to {len(layers) - 1}: got layer {layer}")
    if neuron is None:
        neuron = int(np.abs(layers[layer].delta).argmax())
    n_neurons = layers[layer].fan_out
    if not 0 <= neuron < n_neurons:
        raise SettingError(f"the neurons of layer {layer} are 0 to {n_neurons - 1}: got neuron {neuron}")
    return layers[layer], neuron


def layer_pass(problem: Problem, l: int) -> LayerPass:
    """The LayerPass of layer l: the numbers of the layer for the example."""
    z, a, activation = problem.ws.z[l], problem.ws.a[l], problem.network.activations[l]
    derivative, (fan_in, fan_out) = activation.derivative(z, a), problem.network.weights[l].shape
    slope = derivative[0].astype(np.float64) if derivative.ndim == 2 else None
    of_weights, of_biases = (np.linalg.norm(part[l]).item() for part in (problem.grads.weights, problem.grads.biases))
    sigma, delta = type(activation).__name__, problem.delta[l][0]
    return LayerPass(l, fan_in, fan_out, sigma, z[0], a[0], slope, delta, of_weights, of_biases)


def neuron_pass(problem: Problem, layer: LayerPass, neuron: int) -> NeuronPass:
    """The NeuronPass of a neuron: its numbers for the example, and its derivatives by nudging, too."""
    l, network, is_last = layer.layer, problem.network, layer.layer + 1 == len(problem.network.weights)
    gradient = problem.grads.weights[l][:, neuron]
    numeric = problem.slopes(l, np.arange(neuron, network.weights[l].size, layer.fan_out))
    next_layer, loss = effects_of(problem, layer, neuron)
    return NeuronPass(
        layer=l,
        neuron=neuron,
        weighted=LongSum.of(problem.ws.inputs[l][0], network.weights[l][:, neuron]),
        bias=network.biases[l][neuron].item(),
        z=layer.z[neuron].item(),
        a=layer.a[neuron].item(),
        slope=None if layer.slope is None else layer.slope[neuron].item(),
        back=None if is_last else LongSum.of(network.weights[l + 1][neuron], problem.delta[l + 1][0]),
        nudge=NUDGE,
        next_layer=next_layer,
        loss=loss,
        delta=layer.delta[neuron].item(),
        numeric_delta=problem.numeric_delta(l, np.array([neuron])).item(),
        gradient=gradient,
        numeric_gradient=numeric,
        gradient_error=Check.of("", gradient, numeric).relative_error,
    )


def effects_of(problem: Problem, layer: LayerPass, neuron: int) -> tuple[tuple[Effect, ...], Effect]:
    """The effects of nudging z of a neuron: on those z of the next layer that change most, and on C."""
    l, network, ws = layer.layer, problem.network, problem.ws
    both = np.stack([ws.z[l], ws.z[l]])  # without the nudge, and with it
    both[1, 0, neuron] += NUDGE
    before, after = problem.losses_from(l, both)[:, 0]
    loss = Effect(0, layer.delta[neuron].item() * NUDGE, (after - before).item())
    if l + 1 == len(network.weights):
        return (), loss
    W, slopes = network.weights[l + 1], network.activations[l].derivative(ws.z[l], ws.a[l])[0]
    by_z = slopes[:, neuron] if slopes.ndim == 2 else slopes * (np.arange(layer.fan_out) == neuron)  # da/dz
    actual = (network.activations[l].value(both[1]) @ W + network.biases[l + 1] - ws.z[l + 1])[0]
    return Effect.most(NUDGE * by_z @ W, actual), loss
