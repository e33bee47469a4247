"""gradcheck: every usual mistake, of a backward pass, an activation or a loss, is injected and called by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from small_network import CLASSES, VALUES, RealOnly, X, network_of

import deltarule as dr
from deltarule.errors import ShapeError
from deltarule.inspection.gradcheck import check as gradient_check
from deltarule.inspection.gradcheck.check import GradientCheck, gradcheck
from deltarule.nn.arrays import Array
from deltarule.nn.network import with_meaning

RNG = np.random.default_rng(2)


@dataclass
class Mistaken:
    """A learner's backward pass in plain NumPy, with one mistake. tanh, softmax, cross-entropy.

    mistake: its name. first, last: factors on the first and last layer's gradient.
    """

    mistake: str = ""
    first: float = 1.0
    last: float = 1.0

    def __call__(self, network: dr.Network, inputs: Array, y: Array) -> tuple[float, Any]:
        weights, activations = network.weights, [inputs]
        for l, (W, b) in enumerate(zip(weights, network.biases, strict=True)):
            z = activations[l] @ W + (0.0 if self.mistake == "forward without biases" else b)
            activations.append(np.tanh(z))
        e = np.exp(z)
        activations[-1] = e / e.sum(axis=1, keepdims=True)
        delta = activations[-1].copy()
        delta[np.arange(len(y)), y] -= 1.0
        delta /= 1.0 if self.mistake == "sum over the batch" else len(y)
        if self.mistake == "sigma' twice":
            delta = activations[-1] * (delta - (delta * activations[-1]).sum(axis=1, keepdims=True))
        all_dW, all_db = [np.zeros_like(W) for W in weights], [np.zeros_like(b) for b in network.biases]
        for l in range(len(weights) - 1, -1, -1):
            factor = {0: self.first, len(weights) - 1: self.last}.get(l, 1.0)
            all_dW[l], all_db[l] = factor * activations[l].T @ delta, factor * delta.sum(axis=0)
            behind = weights[l] if self.mistake == "not transposed" and l == 1 else weights[l].T
            slope = 1.0 if self.mistake == "no sigma'" else 1.0 - activations[l] ** 2
            delta = delta @ behind * slope if l > 0 else delta
        spoil(self.mistake, all_dW, all_db)
        return -np.log(activations[-1][np.arange(len(y)), y]).mean(), (all_dW, all_db)


def spoil(mistake: str, all_dW: list[Array], all_db: list[Array]) -> None:
    """Mistakes that are made when the gradient is put together."""
    if mistake == "last never filled":
        all_dW[2][:], all_db[2][:] = 0.0, 0.0
    if mistake == "empty":
        all_dW[1][:] = np.nan
    if mistake == "weights never filled":
        all_dW[1][:] = 0.0
    if mistake == "forgotten bias":
        all_db[1][:] = 0.0
    if mistake == "sum over all axes":
        all_db[0][:] = all_db[0].sum()
    if mistake == "transposed gradient":
        all_dW[1] = all_dW[1].T
    if mistake == "float32":
        all_dW[:] = [dW.astype(np.float32) for dW in all_dW]


def test_directions_find_a_mistake_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_check, "MOST_WORK", 0)
    check = check_of(Mistaken(first=2.0))
    assert not check.ok
    assert check.per_layer[0].relative_error == pytest.approx(1.0)
    assert check.per_layer[1].relative_error <= 1e-12


def check_of(gradient: Callable[..., Any]) -> GradientCheck:
    return gradcheck(network_of(), X, CLASSES, gradient=gradient)


def test_a_right_backward_pass_of_ones_own_passes() -> None:
    check = check_of(Mistaken())
    assert check.ok
    assert check.max_relative_error < 1e-14
    assert check.mistakes == ()


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        (
            "sum over the batch",
            "layer 2: delta is 7 times what it should be: it is not divided by the batch, the number",
        ),
        ("sigma' twice", "layer 2: a - t is dC/dz already: BP1 must not multiply it by sigma'(z) once more"),
        ("no sigma'", "in every hidden layer: BP2 lacks the factor sigma'(z)"),
        ("not transposed", "layer 0: BP2 needs the transposed matrix: delta @ weights[1].T, not delta @ weights[1]"),
        ("transposed gradient", "layer 1: dC/dW is transposed: it must be inputs.T @ delta"),
        ("last never filled", "layer 2: the gradient is never filled: all of it is 0"),
        ("empty", "layer 1: dC/dW is not a finite number: it was never filled"),
        ("weights never filled", "layer 1: dC/dW is never filled: all of it is 0"),
        ("forgotten bias", "layer 1: the bias is forgotten: all of dC/db is 0"),
        ("forward without biases", "the forward pass forgets the biases"),
        ("sum over all axes", "layer 0: dC/db is summed over all axes"),
    ],
)
def test_every_mistake_of_a_backward_pass_is_named(mistake: str, named: str) -> None:
    check = check_of(Mistaken(mistake))
    assert not check.ok
    assert len(check.mistakes) == 1
    assert named in check.mistakes[0]


@pytest.mark.parametrize(
    ("factors", "named"),
    [
        ((-1.0, 1.0), ["layer 0: delta: its sign is reversed"]),
        ((1.0, 2.0), ["layer 2: dC/dW is 2 times what it should be", "layer 2: dC/db is 2 times what it should be"]),
        ((1 / 7, 1.0), ["layer 0: delta is 0.142857 times", "divided by the number of samples once too often"]),
        ((3.0, 1.0), ["layer 0: delta is 3 times", "it is multiplied by the number of outputs"]),
    ],
)
def test_factors_are_named_and_explained(factors: tuple[float, float], named: list[str]) -> None:
    said = " ".join(check_of(Mistaken("", *factors)).mistakes)
    for each in named:
        assert each in said


def test_the_bias_summed_over_the_outputs() -> None:
    def gradient(network: dr.Network, inputs: Array, y: Array) -> tuple[float, dr.Parameters]:
        value, grads = dr.loss_and_gradient(network, inputs, y)
        ws = network.workspace(len(inputs))
        dr.forward(network, inputs, ws)
        dr.backward(network, y, ws, network.parameters.zeros_like())
        grads.biases[1][:] = ws.delta[1].sum(axis=1)
        return value, grads

    check = gradcheck(network_of(), X[:5], CLASSES[:5], gradient=gradient)
    assert check.mistakes == (
        "layer 1: dC/db is summed over the outputs: it must be summed over the batch, delta.sum(axis=0)",
    )


def test_a_penalty_forgotten_or_there() -> None:
    def with_penalty(network: dr.Network, inputs: Array, y: Array) -> tuple[float, dr.Parameters]:
        value, grads = dr.loss_and_gradient(network, inputs, y)
        dr.L2(0.3).add_gradient(network.parameters, grads)
        return value + dr.L2(0.3).value(network.parameters), grads

    assert gradcheck(network_of(), X, CLASSES, penalty=dr.L2(0.3), gradient=with_penalty).ok
    forgotten = gradcheck(network_of(), X, CLASSES, penalty=dr.L2(0.3), gradient=dr.loss_and_gradient)
    assert forgotten.mistakes[0].endswith("the penalty is missing")
    assert forgotten.mistakes[1:] == ("in every layer: the penalty's part of the gradient is missing",)


def test_bp1_without_sigma() -> None:
    class NoSlope(dr.Sigmoid):
        def backward(self, delta: Array, z: Array, a: Array) -> None:
            pass

    def gradient(network: dr.Network, inputs: Array, y: Array) -> tuple[float, dr.Parameters]:
        wrong = with_meaning(network_of(output=NoSlope(), loss=dr.Quadratic()), parameters=network.parameters)
        return dr.loss_and_gradient(wrong, inputs, y)

    right = network_of(output=dr.Sigmoid(), loss=dr.Quadratic())
    check = gradcheck(right, X, RNG.integers(2, size=(7, 3)), gradient=gradient)
    says = "BP1 lacks the factor sigma'(z): a - t is the delta of binary cross-entropy, but the loss is squared error"
    assert check.mistakes == (f"layer 2: {says}",)


def test_a_mistake_without_a_name_is_placed() -> None:
    def gradient(network: dr.Network, inputs: Array, y: Array) -> tuple[float, dr.Parameters]:
        value, grads = dr.loss_and_gradient(network, inputs, y)
        grads.weights[1][2, 3] += 0.5
        return value, grads

    check = check_of(gradient)
    assert check.worst is not None
    assert check.worst.name == "weights[1][2, 3]"
    assert check.worst.gradient == pytest.approx(check.worst.numeric + 0.5)
    assert "layer 1: dC/dW is wrong in one place, [2, 3]: it is 0.5" in check.mistakes[0]


def test_biases_of_zero_are_drawn_so_that_one_forgotten_shows() -> None:
    check = gradcheck(
        dr.Network((4, 5, 5, 3), hidden=dr.Tanh()), X, CLASSES, gradient=Mistaken("forward without biases")
    )
    assert "the forward pass forgets the biases" in check.mistakes[0]
    assert "drawn" in check.notes[0]


def with_change(change: Callable[[list[Array], list[Array]], Any]) -> Callable[..., Any]:
    def gradient(network: dr.Network, inputs: Array, y: Array) -> tuple[None, Any]:
        _, grads = dr.loss_and_gradient(network, inputs, y)
        return None, change(list(grads.weights), list(grads.biases))

    return gradient


def with_layer(arrays: list[Array], l: int, array: Array) -> list[Array]:
    return [*arrays[:l], array, *arrays[l + 1 :]]


@pytest.mark.parametrize("penalty", [dr.L2(0.0), dr.L2(0.3)], ids=str)
@pytest.mark.parametrize("l", [0, 1, 2])
def test_a_gradient_transposed_is_named_whatever_its_shape(l: int, penalty: dr.L2) -> None:
    """G15: in a square layer the shape does not tell, in the others it does."""

    def gradient(network: dr.Network, inputs: Array, y: Array) -> tuple[None, Any]:
        _, grads = dr.loss_and_gradient(network, inputs, y)
        penalty.add_gradient(network.parameters, grads)
        return None, (with_layer(list(grads.weights), l, grads.weights[l].T), grads.biases)

    check = gradcheck(network_of(), X, CLASSES, gradient=gradient, penalty=penalty)
    shapes = {0: " (its shape is (5, 4), the layer's is (4, 5))", 2: " (its shape is (3, 5), the layer's is (5, 3))"}
    assert check.mistakes == (f"layer {l}: dC/dW is transposed{shapes.get(l, '')}: it must be inputs.T @ delta",)
    assert check.wrong[0].mistake.fix.startswith(f"dC_dW[{l}] = ")


@pytest.mark.parametrize("l", [0, 1, 2])
def test_a_bias_gradient_of_one_number_is_named(l: int) -> None:
    """G2: the scalar that np.sum returns without an axis, 0 behind a softmax."""
    for number in (np.sum, np.mean, lambda db: [[np.sum(db)]]):
        check = check_of(with_change(lambda dW, db, number=number: (dW, with_layer(db, l, number(db[l])))))
        said = f"layer {l}: dC/db is one number, but each neuron needs its own: the sum runs over all axes"
        assert check.mistakes == (said,)
        assert check.wrong[0].mistake.fix == f"dC_db[{l}] = delta[{l}].sum(axis=0)"


def test_arrays_of_other_shapes_are_named_beside_other_mistakes() -> None:
    for change, said in (
        (lambda dW, db: (dW, [np.ones(7), *db[1:]]), ["layer 0: dC/db has shape (7,); it must have (5,)"]),
        (lambda dW, db: ([dW[0], dW[1][:4], dW[2]], db), ["layer 1: dC/dW has shape (4, 5); it must have"]),
        (lambda dW, db: ([dW[0].T, 2.0 * dW[1], dW[2]], db), ["layer 1: dC/dW is 2 times", "layer 0: dC/dW is transp"]),
        (
            lambda dW, db: ([dW[0].T, *dW[1:]], [db[0].sum(), *db[1:]]),
            ["layer 0: dC/dW is tra", "layer 0: dC/db is one"],
        ),
    ):
        check = check_of(with_change(change))
        assert not check.ok
        assert len(check.mistakes) == len(said)
        assert all(found.startswith(start) for found, start in zip(check.mistakes, said, strict=True))
    with pytest.raises(ShapeError, match="for each of 3 layers: got 2 and 3"):
        check_of(with_change(lambda dW, db: (dW[:-1], db)))
    assert check_of(with_change(lambda dW, db: (dW, [b[None] for b in db]))).ok


def test_its_text_and_its_json_say_the_same() -> None:
    check = check_of(Mistaken("forgotten bias"))
    content, text = check.to_json_dict(), check.to_text(1000)
    assert {"parameters", "method", "max_relative_error", "worst", "per_layer", "ok"} <= set(content)
    assert content["ok"] is False
    assert content["max_relative_error"] == check.per_layer[1].relative_error == pytest.approx(1.0)
    assert "The gradient is WRONG" in text
    assert content["worst"]["name"] in text
    assert check.mistakes[0] in text


# Activations and losses of one's own


class LostMinus(dr.Activation):
    def value(self, z: Array) -> Array:
        return 1.0 / (1.0 + np.exp(z))

    def derivative(self, z: Array, a: Array) -> Array:
        return a * (1.0 - a)


class LostMinusAtTheOutput(dr.Sigmoid):
    def value(self, z: Array) -> Array:
        return 1.0 / (1.0 + np.exp(z))


class Doubled(dr.Tanh):
    def derivative(self, z: Array, a: Array) -> Array:
        return 2.0 * (1.0 - a * a)


class DerivativeOfA(dr.Tanh):
    def derivative(self, z: Array, a: Array) -> Array:
        return 1.0 - z * z


class DiagonalSoftmax(dr.Softmax):
    def backward(self, delta: Array, z: Array, a: Array) -> None:
        delta *= a * (1.0 - a)


@pytest.mark.parametrize(
    ("activation", "named"),
    [
        (
            LostMinus(),
            "LostMinus.derivative is not the derivative of value: its sign is reversed; where it is a sigmoid",
        ),
        (Doubled(), "Doubled.derivative is not the derivative of value: it is 2 times what it should be"),
        (DerivativeOfA(), "value: it is 1 - z^2, and value is Tanh, whose derivative is 1 - a^2"),
        (DiagonalSoftmax(), "it is a (1 - a), and value is Softmax, whose derivative is the matrix"),
    ],
)
def test_a_wrong_activation_is_named(activation: dr.Activation, named: str) -> None:
    check = gradcheck(network_of((dr.Tanh(), activation)), X, CLASSES)
    assert not check.ok
    assert len(check.mistakes) == 1
    assert named in check.mistakes[0]


SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "a": lambda z, a: a,
    "1 - a": lambda z, a: 1.0 - a,
    "1 - z": lambda z, a: 1.0 - z,
    "a (1 - a)": lambda z, a: a * (1.0 - a),
    "z (1 - z)": lambda z, a: z * (1.0 - z),
    "1 - a^2": lambda z, a: 1.0 - a * a,
    "1 - z^2": lambda z, a: 1.0 - z * z,
    "1": lambda z, a: np.ones_like(z),
    "the derivative of ReLU": lambda z, a: (z > 0.0) * 1.0,
}


@pytest.mark.parametrize("kind", [dr.Sigmoid, dr.Tanh, dr.ReLU, RealOnly, dr.SiLU])
@pytest.mark.parametrize("name", SLOPES)
def test_a_derivative_is_named_by_the_formula_that_it_matches(name: str, kind: type[dr.Activation]) -> None:
    """G14, for every activation and every formula that is not its own."""
    sound = kind()

    class Own(dr.Activation):
        value = staticmethod(sound.value)
        derivative = staticmethod(SLOPES[name])

    z = np.linspace(-2.0, 2.0, 8)[:, np.newaxis]
    is_right = np.allclose(SLOPES[name](z, sound.value(z)), sound.derivative(z, sound.value(z)))
    check = gradcheck(network_of((dr.Tanh(), Own()), output=dr.Identity(), loss=dr.Quadratic()), X, VALUES)
    assert check.ok == is_right
    assert is_right or f"Own.derivative is not the derivative of value: it is {name}" in check.mistakes[0]
    assert is_right or kind is not dr.Tanh or "value is Tanh, whose derivative is 1 - a^2" in check.mistakes[0]


def test_the_slope_of_a_is_named_and_what_matches_nothing_is_placed() -> None:
    class OfA(dr.Tanh):
        def derivative(self, z: Array, a: Array) -> Array:
            return 1.0 - np.tanh(a) ** 2

    class Odd(dr.Tanh):
        def derivative(self, z: Array, a: Array) -> Array:
            return 1.0 - np.sin(z) ** 3

    assert "it is sigma'(a), where sigma'(z) is needed" in gradcheck(network_of(OfA()), X, CLASSES).mistakes[0]
    assert (
        "Odd.derivative is not the derivative of value: at z = " in gradcheck(network_of(Odd()), X, CLASSES).mistakes[0]
    )


class StretchedForward(dr.Tanh):
    def forward(self, z: Array, out: Array) -> None:
        out[:] = 1.1 * np.tanh(z)


class ForwardWithoutBiases(dr.Network):
    def forward(self, X: Array) -> Array:
        a = X
        for W, activation in zip(self.weights, self.activations, strict=True):
            a = activation.value(a @ W)
        return a


def test_an_overridden_forward_is_checked_like_value() -> None:
    check = gradcheck(network_of((dr.Tanh(), StretchedForward())), X, CLASSES)
    assert not check.ok
    assert "StretchedForward.forward differs from value: at z = " in check.mistakes[0]
    network = ForwardWithoutBiases((4, 5, 3), hidden=dr.Tanh(), dtype=np.float64)
    assert gradcheck(network, X, CLASSES).ok  # its biases are 0
    network.biases[0][:] = 0.3
    check = gradcheck(network, X, CLASSES)
    assert not check.ok
    assert "ForwardWithoutBiases.forward is off by" in check.mistakes[0]


def test_a_weighted_gradient_is_judged_by_its_weights() -> None:
    weights = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 1.0, 3.0])

    def gradient(network: dr.Network, inputs: Array, y: Array, sample_weight: Array, factor: float = 1.0) -> Any:
        value, grads = dr.loss_and_gradient(network, inputs, y, sample_weight=sample_weight)
        return value, ([factor * dW for dW in grads.weights], [factor * db for db in grads.biases])

    check = gradcheck(network_of(), X, CLASSES, sample_weight=weights, gradient=gradient)
    assert check.ok
    undivided = partial(gradient, factor=weights.sum())
    check = gradcheck(network_of(), X, CLASSES, sample_weight=weights, gradient=undivided)
    assert "it is not divided by the batch" in check.mistakes[0]


class Unhalved(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return ((a - t) ** 2).sum(axis=1)


class Reversed(dr.Quadratic):
    def sample_gradients(self, a: Array, t: Array) -> Array:
        return t - a


class MeanOfOutputs(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).mean(axis=1)


class OverTheBatch(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).sum()


class OverTheBatchAxis(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).sum(axis=0)


class SummedGradient(dr.Quadratic):
    def sample_gradients(self, a: Array, t: Array) -> Array:
        return (a - t).sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (Unhalved(), "Unhalved.sample_gradients is not the derivative of sample_losses: it is 0.5 times"),
        (Reversed(), "Reversed.sample_gradients is not the derivative of sample_losses: its sign is reversed"),
        (MeanOfOutputs(), "it is 3 times what it should be: it is multiplied by the number of outputs"),
        (SummedGradient(), "SummedGradient.sample_gradients must have the outputs' shape (7, 3): got (7, 1)"),
    ],
)
def test_a_wrong_loss_is_named(loss: dr.Loss, named: str) -> None:
    check = gradcheck(network_of(output=dr.Identity(), loss=loss), X, VALUES)
    assert not check.ok
    assert len(check.mistakes) == 1
    assert named in check.mistakes[0]


@pytest.mark.parametrize(("loss", "got"), [(OverTheBatch(), r"\(\)"), (OverTheBatchAxis(), r"\(3,\)")])
@pytest.mark.parametrize("n_samples", [3, 7])
def test_a_loss_over_the_wrong_axis_is_named(loss: dr.Loss, got: str, n_samples: int) -> None:
    """Even where there are as many samples as outputs, and no shape betrays it."""
    message = rf"{type(loss).__name__}.sample_losses must return one number per sample, shape \(\d,\): got {got}; "
    with pytest.raises(ShapeError, match=message + "it sums over the wrong axis"):
        gradcheck(network_of(output=dr.Identity(), loss=loss), X[:n_samples], VALUES[:n_samples])


def test_a_lost_minus_where_the_shortcut_is_taken() -> None:
    network = network_of(output=LostMinusAtTheOutput(), loss=dr.BinaryCrossEntropy())
    check = gradcheck(network, X, RNG.integers(2, size=(7, 3)))
    assert not check.ok
    assert "a - t, the shortcut, is not the derivative of sample_losses" in check.mistakes[0]


def test_without_complex_numbers_mistakes_are_named_too() -> None:
    class Wrong(RealOnly):
        def derivative(self, z: Array, a: Array) -> Array:
            return -super().derivative(z, a)

    check = gradcheck(network_of(Wrong()), X, CLASSES)
    assert not check.ok
    assert "Wrong.derivative is not the derivative of value: its sign is reversed" in check.mistakes[0]
