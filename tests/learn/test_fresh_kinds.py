"""Programs of the kinds in programs_of_fresh_kinds.py: sound ones are followed, and the first wrong line is named."""

from pathlib import Path

import pytest

from deltarule.learn.roles import argument_of, is_start, role_of
from tests.learn import programs_of_fresh_kinds as programs
from tests.learn.programs_of_fresh_kinds import KINDS
from tests.learn.test_kinds_of_programs import assert_followed, assert_named, checked

# A mistake in a program: what stands there, what a learner writes, the id of the finding, and its line if another one.
MISTAKES = [
    ("initial", "np.dot(d_output, w_second.T)", "np.dot(reference - output, w_second.T)", "error-before-slope", ""),
    ("initial", "w_first += ", "w_first -= ", "update-subtracts", ""),
    ("samples", "back * squash_slope(middle)", "back", "no-slope", ""),
    ("hidden_outputs", "(d_outputs @ W2.T) * (hidden_outputs > 0)", "d_outputs @ W2.T", "no-slope", ""),
    ("hidden_outputs", "miss * (final_outputs > 0)", "miss ** 2 * (final_outputs > 0)", "error-squared", ""),
    ("outer", "return self.out", "return self.z2", "error-of-z", ""),
    ("outer", "delta * squash_slope(self.h)", "delta", "no-slope", ""),
    ("shares", "np.exp(z - z.max(axis=1, keepdims=True))", "np.exp(np.exp(z))", "softmax-differs", "p = "),
    ("shares", "np.exp(z - z.max(axis=1, keepdims=True))", "np.exp(z ** 2)", "softmax-differs", "p = "),
    ("module_of_outputs", "d2 @ W2.T * sigmoid_derivative(a1)", "d2 @ W2.T", "no-slope", ""),
    ("module_of_sums", "d2 @ W2.T * sigmoid_derivative(z1)", "d2 @ W2.T", "no-slope", ""),
    ("module_with_flag", "W2.T * functions.sigmoid(a1, deriv=True)", "W2.T * functions.relu(a1, deriv=True)", "", ""),
    ("nowhere", "d_out @ self.W2.T * dsigmoid(hidden)", "d_out @ self.W2.T", "no-slope", ""),
    ("started_with_numbers", "* squash_slope(h)", "* h", "slope-half", ""),
    ("large_batches", "(1 - h ** 2)", "(1 - h)", "slope-half", ""),
    ("list_of_activations", "reversed(range(L))", "reversed(range(L - 1))", "raises", "for l in "),
    ("list_of_functions", "range(L - 1, -1, -1)", "range(L - 2, -1, -1)", "raises", "for l in "),
    ("list_of_acts", "dA * (1 - np.tanh(z) ** 2)", "dA * (1 - np.tanh(z))", "slope-half", ""),
    ("spanish", "d2 @ W2.T * (1 - oculta ** 2)", "d2 @ W2.T", "no-slope", ""),
    ("german", "oculta.T @ d2", "X.T @ d2", "", ""),
    ("french", "d2.sum(axis=0)", "d2.sum()", "bias-all-axes", ""),
    ("feature_counts", "self.depth = len(feature_counts)", "self.depth = len(feature_counts) / 2", "raises", ""),
    ("feature_counts", "Weights[l] -= 0.1 * step", "Weights[l] += 0.1 * step", "update-adds", ""),
    ("shown_figure", "d2 @ W.T * squash_slope(h)", "d2 @ W.T", "no-slope", ""),
    ("started_again", "d2 @ W2.T * squash_slope(h)", "d2 @ W2.T", "no-slope", ""),
    ("cut_table", "self.weights[l] -= self.rate", "self.weights[l] += self.rate", "update-adds", ""),
    ("in_and_out", "Wout.T * squash_slope(h)", "Wout.T", "no-slope", ""),
    ("validated", "d2 @ self.W2.T * squash_slope(self.h)", "d2 @ self.W2.T", "no-slope", ""),
    ("passed_on", '        W1, W2 = weights["W1"], weights["W2"]\n', "", "never-read", "h, out = forward_pass"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_program_of_a_fresh_kind_is_followed(tmp_path: Path, kind: str) -> None:
    assert_followed(tmp_path, KINDS[kind])


@pytest.mark.parametrize(("kind", "old", "new", "key", "code"), MISTAKES)
def test_a_mistake_in_a_program_of_a_fresh_kind_is_the_first_named(
    tmp_path: Path, kind: str, old: str, new: str, key: str, code: str
) -> None:
    assert_named(tmp_path, KINDS[kind], (old, new), key, code or new)


SOUND = {
    "a softmax of a multiple": ("shares", "np.exp(z - z.max(axis=1, keepdims=True))", "np.exp(3 * z)"),
    "weights that change in place": (
        "passed_on",
        "return {key: weights[key] - rate * grads[key] for key in weights}",
        "for key in weights:\n        weights[key] -= rate * grads[key]\n    return weights",
    ),
    "a sum that is divided later": (
        "spanish",
        "    perdida = np.sum((salida - y) ** 2) / len(y)\n",
        "    perdida = np.sum((salida - y) ** 2)\n    perdida = perdida / len(y)\n",
    ),
}


@pytest.mark.parametrize(("kind", "old", "new"), SOUND.values(), ids=SOUND)
def test_sound_lines_of_a_fresh_kind_are_not_accused(tmp_path: Path, kind: str, old: str, new: str) -> None:
    assert KINDS[kind].count(old) == 1
    text = KINDS[kind].replace(old, new).replace('        W1, W2 = weights["W1"], weights["W2"]\n', "")
    found = checked(tmp_path, text)
    assert found.ok is not False, found.to_text()


def test_a_figure_that_is_shown_is_not_judged_as_the_loss(tmp_path: Path) -> None:
    found = checked(tmp_path, programs.SHOWN_FIGURE)
    assert (found.findings, "the loss" in " ".join(found.right)) == ((), False), found.to_text()


@pytest.mark.usefixtures("patient_repair")
def test_no_loss_of_the_other_sign_is_written(tmp_path: Path) -> None:
    text = programs.SHOWN_FIGURE.replace("loss = np.mean(np.abs(miss))", "loss = mean_loss(o, Y)")
    own = "def mean_loss(o, Y):\n    return np.mean(np.abs(Y - o))\n\ndef learn"
    found = checked(tmp_path, text.replace("def learn", own))
    assert found.first is not None, found.to_text()
    assert (found.first.id, "-" in found.first.write) == ("loss-absolute", False), found.to_text()


PORTIONS = """
import numpy as np

def portions(X, y, size):
    order = np.random.permutation(len(X))
    for start in range(0, len(X) - size + 1, size):
        end = min(start + size, len(X))
        yield X[order[start:end]], y[order[start:end]]
"""


@pytest.mark.parametrize(
    ("new", "findings"),
    [
        ("start + size, len(X)", [("short-batch-left-out", "warning")]),
        ("start + size - 1, len(X)", [("short-batch-left-out", "warning"), ("samples-left-out", "mistake")]),
        ("size, len(X)", [("short-batch-left-out", "warning"), ("samples-left-out", "mistake")]),
    ],
)
def test_a_short_batch_that_is_left_out_is_a_warning(tmp_path: Path, new: str, findings: list[tuple[str, str]]) -> None:
    found = checked(tmp_path, PORTIONS.replace("start + size, len(X)", new))
    assert sorted({(each.id, each.level) for each in found.findings}, reverse=True) == findings, found.to_text()


def test_a_name_that_is_misspelled_is_not_supplied(tmp_path: Path) -> None:
    found = checked(tmp_path, programs.INITIAL.replace("squash(np.dot(middle", "sigmiod(np.dot(middle"))
    assert found.first is not None, found.to_text()
    assert "sigmiod" in found.first.says


@pytest.mark.parametrize(
    ("source", "creates"),
    [
        ("w += np.dot(initial.T, d)", False),
        ("w = w - rate * dw / n_samples", False),
        ("p['w' + str(l)] = p['w' + str(l)] - rate * g / n_samples", False),
        ("w = np.random.rand(3, 4) - 0.5", True),
        ("self.w = initial_weights", True),
    ],
)
def test_an_update_does_not_create_a_parameter(source: str, creates: bool) -> None:
    assert is_start(source, "") is creates


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("calcular_gradientes", "backward"),
        ("train_with_backpropagation", "train"),
        ("berechne_gradienten", "backward"),
        ("kostenfunktion", "loss"),
        ("perdida", "loss"),
    ],
)
def test_roles_follow_from_names_of_other_languages(name: str, role: str) -> None:
    assert role_of(name) == role


def test_a_gradient_of_the_outputs_is_no_target() -> None:
    assert argument_of("d_output") == argument_of("output_error") == ""
