"""Programs of kinds that are not a handful of functions: which of them are recognized, and what is said of them."""

from pathlib import Path

import pytest

from deltarule.learn.check import check_here
from deltarule.learn.report import ProgramCheck
from tests.learn import (
    programs_of_later_kinds,
    programs_of_other_kinds,
    programs_of_public_kinds,
    programs_with_odd_names,
)

KINDS = programs_of_other_kinds.KINDS | programs_of_public_kinds.KINDS | programs_of_later_kinds.KINDS

LAYERS = """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad, lr):
        back = grad @ self.W.T
        self.W -= lr * self.x.T @ grad
        self.b -= lr * grad.sum(axis=0, keepdims=True)
        return back

class Tanh:
    def forward(self, x):
        self.a = np.tanh(x)
        return self.a

    def backward(self, grad, lr):
        return grad * (1 - self.a ** 2)
"""
NETWORK = (
    LAYERS
    + """
class Network:
    def __init__(self, sizes):
        self.layers = [Dense(sizes[0], sizes[1]), Tanh(), Dense(sizes[1], sizes[2])]

    def step(self, x, y, lr):
        a = x
        for layer in self.layers:
            a = layer.forward(a)
        grad = (a - y) / len(x)
        for layer in reversed(self.layers):
            grad = layer.backward(grad, lr)

def train(net, x, y, epochs=10, lr=0.1):
    for epoch in range(epochs):
        net.step(x, y, lr)
"""
)
MAIN = (
    LAYERS
    + """
def fit(layers, X, Y):
    for x, y in zip(X, Y):
        a = x[None]
        for layer in layers:
            a = layer.forward(a)
        grad = a - y[None]
        for layer in reversed(layers):
            grad = layer.backward(grad, 0.1)

def main():
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    Y = np.array([[0], [1], [1], [0]])
    network = [Dense(2, 5), Tanh(), Dense(5, 1)]
    for epoch in range(100):
        fit(network, X, Y)
"""
)
SET_FROM_OUTSIDE = """
class Scale:
    def apply(self, x):
        return x * self.factor

scale = Scale()
scale.factor = 2
"""
OWN_GENERATOR = """
import numpy as np
from activations import relu, relu_grad

class Network:
    def __init__(self, sizes, seed=0):
        self.rng = np.random.default_rng(seed)
        self.weights_input_hidden = self.rng.normal(size=(sizes[0], sizes[1]))
        self.weights_hidden_output = self.rng.normal(size=(sizes[1], sizes[-1]))

    def treinar(self, X, y, epocas):
        for _ in range(epocas):
            order = self.rng.permutation(len(X))
            X, y = X[order], y[order]
            z = X @ self.weights_input_hidden
            a = relu(z)
            delta = (a @ self.weights_hidden_output - y) / len(X)
            hidden = delta @ self.weights_hidden_output.T * relu_grad(z)
            self.weights_hidden_output -= 0.1 * a.T @ delta
            self.weights_input_hidden -= 0.1 * X.T @ hidden
"""


LOOP = """\
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(n, m) * 0.3 for n, m in zip(sizes, sizes[1:])]
        self.b = [np.zeros((1, m)) for m in sizes[1:]]

    def forward(self, X):
        self.a = [X]
        for l in range(len(self.W)):
            z = self.a[-1] @ self.W[l] + self.b[l]
            self.a.append(np.tanh(z) if l + 1 < len(self.W) else softmax(z))
        return self.a[-1]

    def backward(self, T):
        dW, db = [None] * len(self.W), [None] * len(self.b)
        delta = (self.a[-1] - T) / len(T)
        for l in range(len(self.W) - 1, -1, -1):
            dW[l] = self.a[l].T @ delta
            db[l] = delta.sum(axis=0)
            if l > 0:
                delta = (delta @ self.W[l].T) * (1 - self.a[l] ** 2)
        return dW, db

    def train(self, X, T, lr=0.1, epochs=100):
        for _ in range(epochs):
            self.forward(X)
            dW, db = self.backward(T)
            for l in range(len(self.W)):
                self.W[l] -= lr * dW[l]
                self.b[l] -= lr * db[l]
"""
SQUASH = """\
def squash(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))

class Net"""
IN_PLACE = """\
classes = T.argmax(axis=1)
        delta = self.a[-1].copy()
        delta[np.arange(len(T)), classes] -= 1
        delta /= len(T)"""


def checked(folder: Path, text: str) -> ProgramCheck:
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return ProgramCheck.from_json_dict(check_here(str(path), train=False))


def assert_followed(folder: Path, text: str) -> None:
    """A sound program is matched to its deltas, and nothing in it is wrong."""
    found = checked(folder, text)
    assert (found.ok, found.matched) == (True, True), found.to_text()
    assert "delta of all layers" in " ".join(found.right)


def assert_named(folder: Path, text: str, edit: tuple[str, str], key: str, code: str) -> None:
    """The mistake that an edit makes, old text to new, is named first: its id (any if "") and a part of its line."""
    assert text.count(edit[0]) == 1
    found = checked(folder, text.replace(*edit))
    assert found.first is not None
    assert key in ("", found.first.id), found.to_text()
    assert code in found.first.code, found.to_text()


RECOGNIZED = {
    "network of layers": NETWORK,
    "main": MAIN,
    "own generator": OWN_GENERATOR,
    "given parameters": programs_of_other_kinds.GIVEN_PARAMETERS,
    "passed in a dict": programs_of_later_kinds.PASSED_IN_A_DICT,
    "cost prime": programs_of_later_kinds.COST_PRIME,
    "whole numbers": programs_of_later_kinds.WHOLE_NUMBERS,
    "typed numbers": programs_of_later_kinds.TYPED,
    "all of a module": programs_of_later_kinds.ALL_OF_A_MODULE,
    "with validation": programs_of_later_kinds.WITH_VALIDATION,
    "one by one": programs_of_later_kinds.ONE_BY_ONE,
    "one output": programs_of_later_kinds.ONE_OUTPUT,
    "autoencoder": programs_of_later_kinds.AUTOENCODER,
    "steep sigmoid": programs_with_odd_names.STEEP,
    "sizes named as data": programs_with_odd_names.SIZES_NAMED_AS_DATA,
}


@pytest.mark.parametrize("text", RECOGNIZED.values(), ids=RECOGNIZED)
def test_a_sound_program_of_each_kind_is_recognized_and_not_accused(tmp_path: Path, text: str) -> None:
    found = checked(tmp_path, text)
    assert (found.ok, found.matched) == (True, True), found.to_text()


def test_a_layer_that_carries_back_new_weights_is_found(tmp_path: Path) -> None:
    text = NETWORK.replace("        back = grad @ self.W.T\n", "").replace("return back", "return grad @ self.W.T")
    found = checked(tmp_path, text)
    assert found.first is not None
    assert (found.first.id, found.first.code) == ("updated-weights", "return grad @ self.W.T")


@pytest.mark.parametrize("loop", ["range(len(self.W))", "range(0, len(self.W))"])
def test_a_backward_loop_that_goes_forward_is_found(tmp_path: Path, loop: str) -> None:
    assert checked(tmp_path, LOOP).ok, checked(tmp_path, LOOP).to_text()
    found = checked(tmp_path, LOOP.replace("range(len(self.W) - 1, -1, -1)", loop))
    mistakes = [(each.id, each.code) for each in found.findings if each.level == "mistake"]
    assert mistakes == [("loop-forward", f"for l in {loop}:")], found.to_text()


@pytest.mark.usefixtures("patient_repair")
@pytest.mark.parametrize("slope", ["1 + x", "(1 - x)", "1 - x ** 2"])
def test_a_wrong_slope_is_blamed_in_the_function_that_has_both(tmp_path: Path, slope: str) -> None:
    text = LOOP.replace("(1 - self.a[l] ** 2)", "squash(self.a[l], deriv=True)").replace("np.tanh(z)", "squash(z)")
    text = text.replace("class Net", SQUASH)
    assert checked(tmp_path, text).ok, checked(tmp_path, text).to_text()
    found = checked(tmp_path, text.replace("return x * (1 - x)", f"return {slope}"))
    assert found.first is not None
    assert (found.first.code, found.first.write) == (f"return {slope}", "return x * (1 - x)"), found.to_text()


def test_a_bias_with_a_row_for_each_sample_is_named_first(tmp_path: Path) -> None:
    found = checked(tmp_path, programs_with_odd_names.BIAS_OF_SAMPLES)
    assert found.first is not None
    assert (found.first.id, found.first.code) == ("bias-of-samples", "b1 = np.random.rand(m, 4)")


def test_a_steep_sigmoid_needs_a_derivative_as_steep(tmp_path: Path) -> None:
    found = checked(tmp_path, programs_with_odd_names.STEEP.replace("return BETA * a", "return a"))
    assert found.first is not None
    assert (found.first.id, found.first.function) == ("derivative-differs", "sigmoid_prime")


@pytest.mark.parametrize("name", ["backward", "loss"])
def test_targets_that_an_index_shifts_in_place_are_blamed_there(tmp_path: Path, name: str) -> None:
    text = LOOP.replace("delta = (self.a[-1] - T) / len(T)", IN_PLACE).replace("backward", name)
    assert checked(tmp_path, text).ok, checked(tmp_path, text).to_text()
    found = checked(tmp_path, text.replace("classes] -= 1", "classes - 1] -= 1"))
    assert found.first is not None
    assert (found.first.id, found.first.code) == ("targets-shifted", "delta[np.arange(len(T)), classes - 1] -= 1")


def test_what_a_program_makes_of_weights_is_no_update(tmp_path: Path) -> None:
    found = checked(tmp_path, LOOP.replace("delta @ self.W[l].T", "delta @ np.clip(self.W[l], 0, None).T"))
    assert found.first is not None
    assert (found.first.id, "np.clip" in found.first.code) == ("off", True), found.to_text()


def test_a_bias_that_is_never_updated_is_found(tmp_path: Path) -> None:
    found = checked(tmp_path, NETWORK.replace("        self.b -= lr * grad.sum(axis=0, keepdims=True)\n", ""))
    assert found.first is not None
    assert (found.first.id, found.first.function) == ("never-updated", "Dense.backward")


def test_a_program_that_is_not_recognized_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    assert checked(tmp_path, "def double(x):\n    return 2 * x\n").ok is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_program_of_another_kind_is_followed_to_its_update(tmp_path: Path, kind: str) -> None:
    found = checked(tmp_path, KINDS[kind])
    assert (found.ok, found.matched) == (True, True), found.to_text()
    assert "update" in " ".join(found.right)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("lists", "d_h.append(err * self.h[j] * (1 - self.h[j]))", "d_h.append(err * self.h[j])"),
        ("neurons", "neuron.delta = error * neuron.output * (1 - neuron.output)", "neuron.delta = error"),
        ("bias_row", "(d_out @ self.w2[:-1].T) * self.h * (1 - self.h)", "d_out @ self.w2[:-1].T"),
        ("vector", "self.weights_1_2) * hidden_out * (1 - hidden_out)", "self.weights_1_2) * hidden_out"),
        ("words", "return (z > 0).astype(float)", "return (z < 0).astype(float)"),
        ("no_names", "(1 - a1 ** 2)", "(1 - z1 ** 2)"),
        ("outputs", "error * squash_slope(predicted_output)", "error * squash(predicted_output)"),
        ("two_starts", "* (1 - cache[l - 1] ** 2)", "* (1 - cache[l - 1])"),
        ("bipolar", "delta2 * sigmoid_derivative(a1)", "delta2 * sigmoid_derivative(row @ W1 + b1)"),
        ("sizes_as_inputs", "miss * answer * (1 - answer) * rate", "miss * self.squash(answer) * rate"),
        ("picks_one_row", "self.W2.T.dot(d_out) * h * (1 - h)", "self.W2.T.dot(d_out)"),
    ],
)
def test_a_mistake_in_a_program_of_another_kind_is_found(tmp_path: Path, kind: str, old: str, new: str) -> None:
    assert KINDS[kind].count(old) == 1
    found = checked(tmp_path, KINDS[kind].replace(old, new))
    assert found.first is not None
    assert found.first.array.startswith(("delta", "sigma'")), found.to_text()
    assert new in found.first.code or kind in ("lists", "neurons")  # which compute delta and use it number by number


@pytest.mark.parametrize(
    ("kind", "old", "new", "says"),
    [
        ("sizes_as_inputs", "2 * np.random.random((hidden", "2 * np.random((hidden", "'module' object is not callable"),
        ("sizes_as_inputs", "(inputs, hidden)) - 1", "(inputs, width)) - 1", "'width' is not defined"),
        ("picks_one_row", "        self.W2, self.b2 = np.random.rand", "        W2, b2 = np.random.rand", "'W2'"),
    ],
)
def test_what_a_class_raises_whatever_it_is_given_is_named(
    tmp_path: Path, kind: str, old: str, new: str, says: str
) -> None:
    assert KINDS[kind].count(old) == 1
    found = checked(tmp_path, KINDS[kind].replace(old, new))
    assert found.first is not None, found.to_text()
    assert found.first.id == "raises"
    assert says in found.first.says


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("self.w2 -= rate * d_h1 * row[1]", "self.w2 -= rate * d_h1 * row[0]", "off"),
        ("self.b2 -= rate * d_h2", "self.b2 -= rate * d_h1", "off"),
        ("self.w6 -= rate * d_out * h2", "self.w6 += rate * d_out * h2", "update-off"),
    ],
)
def test_a_wrong_line_among_numbers_with_names_is_found(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = programs_of_later_kinds.NAMED_NUMBERS.replace(f"{old}\n", f"{new}\n")
    found = checked(tmp_path, text)
    assert found.first is not None
    assert (found.first.id, found.first.code) == (key, new), found.to_text()


def test_what_a_loss_computes_is_not_accused_where_no_gradient_is(tmp_path: Path) -> None:
    text = programs_of_later_kinds.COST_PRIME.partition("    def cost_prime")[0]
    found = checked(tmp_path, text)
    assert found.ok is not False, found.to_text()


def test_a_network_is_checked_before_the_layers_that_it_is_made_of(tmp_path: Path) -> None:
    found = checked(tmp_path, programs_of_later_kinds.GIVEN_GRADIENT)
    assert len(found.layers) == 4, found.to_text()  # three, and how the samples lie


def test_a_loss_that_lacks_a_term_is_found_where_targets_are_supplied(tmp_path: Path) -> None:
    loss = "loss = -np.sum(yb * np.log(p)) / len(xb)"
    text = KINDS["data_by_place"].replace("p = softmax(a1 @ W2 + b2)", "p = 1 / (1 + np.exp(-(a1 @ W2 + b2)))")
    found = checked(tmp_path, text.replace("        d2 =", f"        {loss}\n        d2 ="))
    assert found.first is not None
    assert (found.first.id, found.first.code) == ("loss-half", loss), found.to_text()


def test_an_attribute_that_is_set_from_outside_is_no_mistake(tmp_path: Path) -> None:
    found = checked(tmp_path, SET_FROM_OUTSIDE)
    assert found.ok is not False, found.to_text()


@pytest.mark.usefixtures("patient_repair")
@pytest.mark.parametrize(
    ("kind", "old", "new", "write"),
    [
        ("data_by_place", "(z1 > 0)", "(z1 < 0)", "d1 = d2 @ W2.T * (z1 > 0)"),
        (
            "french",
            ".poids[i].T) * a * (1 - a)",
            ".poids[i].T) * (1 - a)",
            "suivant = np.dot(delta, self.poids[i].T) * (a * (1 - a))",
        ),
        ("outputs", "(d_last @ last", "(error @ last", "d_first = d_last @ last_weights.T * squash_slope(hidden)"),
        (
            "two_starts",
            "dZ.sum(axis=1, keepdims=True)",
            "dZ.sum()",
            "grads['db' + str(l)] = dZ.sum(axis=1, keepdims=True) / m",
        ),
        ("sizes_as_inputs", "self.w_in += data", "self.w_in -= data", "self.w_in += data.T @ d_hidden"),
        ("bipolar", "(a1)", "(row @ W1 + b1)", "delta1 = W2.flatten() * delta2 * sigmoid_derivative(a1)"),
        ("asks_for_four", "1 + np.exp(-(", "1 - np.exp(-(", "A2 = 1 / (1 + np.exp(-(self.W2 @ A1 + self.b2)))"),
        (
            "given_activation",
            "delta @ a_s[l].T, delta",
            "-delta @ a_s[l].T, delta",
            "dW, db = (delta @ a_s[l].T, delta)",
        ),
    ],
)
def test_the_line_to_write_repairs_the_program(tmp_path: Path, kind: str, old: str, new: str, write: str) -> None:
    assert KINDS[kind].count(old) == 1
    text = KINDS[kind].replace(old, new)
    first = checked(tmp_path, text).first
    assert first is not None
    assert first.write == write
    lines = text.split("\n")
    indent = lines[first.line - 1].removesuffix(lines[first.line - 1].lstrip())
    lines[first.line - 1] = indent + first.write
    found = checked(tmp_path, "\n".join(lines))
    assert (found.ok, found.matched) == (True, True), found.to_text()


def test_labels_in_a_column_of_a_table_have_one_axis(tmp_path: Path) -> None:
    first = checked(tmp_path, programs_of_later_kinds.LABELS_OF_A_TABLE).first
    assert first is not None
    assert (first.id, first.code) == ("raises", "error = y - answer")


def test_lists_of_numbers_are_no_reason_to_stop(tmp_path: Path) -> None:
    found = checked(tmp_path, programs_of_later_kinds.LISTS_OF_NUMBERS)
    assert found.findings == ()


def test_what_ends_after_the_training_step_was_seen_is_no_mistake(tmp_path: Path) -> None:
    text = OWN_GENERATOR + "\nnet = Network((2, 3, 1))\nX = np.array([[0.5, 1], [2, 3]])\ny = np.array([[1], [0]])\n"
    text += "net.treinar(X, y, 10000)\nx2 = np.array([[1, 2], [3, 4]])\nprint(x2)\n"
    found = checked(tmp_path, text)
    assert (found.ok, found.matched) == (True, True), found.to_text()


def test_an_argument_that_numpy_does_not_know_is_named(tmp_path: Path) -> None:
    text = OWN_GENERATOR.replace("X, y = X[order], y[order]", "X = np.array(X, ndim=2)")
    found = checked(tmp_path, text)
    assert found.first is not None, found.to_text()
    assert (found.first.id, found.first.code) == ("raises", "X = np.array(X, ndim=2)")


@pytest.mark.usefixtures("patient_repair")
def test_targets_that_a_script_fills_one_class_too_early_are_found(tmp_path: Path) -> None:
    text = programs_of_later_kinds.FILLED_TARGETS
    assert checked(tmp_path, text).ok, checked(tmp_path, text).to_text()
    first = checked(tmp_path, text.replace("y] = 1", "y - 1] = 1")).first
    assert first is not None
    assert (first.id, first.write) == ("targets-shifted", "T[np.arange(4), y] = 1")


def test_samples_that_only_its_own_data_have_are_no_mistake(tmp_path: Path) -> None:
    found = checked(tmp_path, programs_of_later_kinds.A_THOUSAND_SAMPLES)
    assert found.ok is not False, found.to_text()
