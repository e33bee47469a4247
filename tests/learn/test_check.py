"""The check of whole programs: right ones are not accused, and each mistake is named at its line."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import deltarule as dr
from deltarule.inspection.gradcheck.catalog import ROWS
from deltarule.learn.check import check_here, right_words
from deltarule.learn.report import ProgramCheck, ProgramFinding
from deltarule.learn.wording import for_columns
from tests.learn.written_programs import ALL, COLUMNS


def checked(folder: Path, text: str) -> ProgramCheck:
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return ProgramCheck.from_json_dict(check_here(str(path), train=False))


def with_edit(folder: Path, program: str, old: str, new: str) -> tuple[ProgramCheck, int]:
    """The check of a program with one edit, and the line of the edit."""
    assert ALL[program].count(old) >= 1
    line = ALL[program][: ALL[program].index(old)].count("\n") + 1
    return checked(folder, ALL[program].replace(old, new, 1)), line


@pytest.mark.parametrize("name", list(ALL))
def test_a_right_program_is_recognized_and_not_accused(name: str, tmp_path: Path) -> None:
    found = checked(tmp_path, ALL[name])
    assert found.matched, found.to_text()
    assert found.ok, found.to_text()
    assert "update of all layers" in found.right[0]


def test_the_layers_that_are_right_are_all_named() -> None:
    steps = [SimpleNamespace(quantity="z", layer=layer, mistake="") for layer in (0, 1)]
    assert right_words(SimpleNamespace(steps=steps, layers=[0, 1, 2])) == ["z of layers 0 and 1"]
    assert right_words(SimpleNamespace(steps=steps, layers=[0, 1])) == ["z of all layers"]


MISTAKES = [
    ("columns", "db2 = np.sum(dZ2, axis=1, keepdims=True) / m", "db2 = np.sum(dZ2) / m", "bias-all-axes"),
    ("columns", "db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "db1 = dZ1.sum(axis=1, keepdims=True)", "undivided"),
    ("columns", "W2.T.dot(dZ2) * relu_deriv(Z1)", "W2.T.dot(dZ2)", "no-slope"),
    ("columns", "A2 - one_hot(Y)", "(A2 - one_hot(Y)) * A2 * (1 - A2)", "shortcut-slope"),
    ("columns", "A2 - one_hot(Y)", "one_hot(Y) - A2", "sign"),
    ("columns", "Z2 = W2.dot(A1) + b2", "Z2 = W2.dot(Z1) + b2", "forward-skips-activation"),
    ("columns", "Z1 = W1.dot(X) + b1", "Z1 = W1.dot(X)", "no-bias"),
    ("columns", "powers / powers.sum(axis=0)", "powers / powers.sum()", "softmax-of-all"),
    ("columns", "labels] = 1", "labels - 1] = 1", "one-hot-shifted"),
    ("columns", "dZ2.dot(A1.T)", "dZ2.dot(Z1.T)", "z-for-a"),
    ("columns", "dW1 = dZ1.dot(X.T) / m", "dW1 = dZ1.dot(X) / m", "raises"),
    ("columns", "b2 = b2 - alpha * db2", "b2 = b2 - db2", "update-forgets-rate"),
    ("columns", "W1 = W1 - alpha * dW1", "W1 = W1 + alpha * dW1", "update-adds"),
    ("rows", "(d3 @ self.W3.T) * self.sigmoid_prime(self.z2)", "d3 @ self.W3.T", "no-slope"),
    ("rows", "self.sigmoid_prime(self.z2)", "self.sigmoid_prime(self.a2)", "slope-of-a"),
    ("rows", "(d2 @ self.W2.T)", "(d2 @ self.W2)", "not-transposed"),
    ("rows", "(self.a3 - y) * self.sigmoid_prime(self.z3)", "(self.a3 - y) * self.a3", "slope-half"),
    ("rows", "(self.a3 - y) * self.sigmoid_prime(self.z3)", "(self.a3 - y)", "delta-a-minus-t"),
    ("rows", "self.a1 = self.sigmoid(self.z1)", "self.a1 = self.z1", "no-activation"),
    ("rows", "(self.a3 - y) * self", "(self.a3 - y) ** 2 * self", "error-squared"),
    ("rows", "1 / (1 + np.exp(-z))", "1 / (1 + np.exp(z))", "sigmoid-minus"),
    ("one_by_one", "range(2, len(self.weights) + 1)", "range(2, len(self.weights))", "never-filled"),
    ("one_by_one", "* (1 - outputs[-l] ** 2)", "* (1 - outputs[-l])", "slope-half"),
    ("one_by_one", "b - eta / len(mini_batch) * g", "b + eta / len(mini_batch) * g", "update-adds"),
    ("script", "d_output.dot(w_output.T) * hidden * (1 - hidden)", "error.dot(w_output.T) * hidden * (1 - hidden)",
     "error-before-slope"),
    ("dicts", "(cache[\"Z\" + str(l - 1)] > 0)", "(cache[\"Z\" + str(l - 1)] < 0)", "mask-inverted"),
    ("dicts", "return -np.sum(Y", "return np.sum(Y", "loss-sign"),
    ("layers", "output_gradient * (1 - self.out ** 2)", "output_gradient * (1 - self.out)", "slope-half"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "old", "new", "mistake"), MISTAKES)
def test_a_mistake_is_named_at_its_line(program: str, old: str, new: str, mistake: str, tmp_path: Path) -> None:
    found, line = with_edit(tmp_path, program, old, new)
    first = found.first
    assert first is not None, found.to_text()
    assert (first.id, first.line) == (mistake, line), found.to_text()
    assert [each.id for each in found.findings if each.level == "mistake"] == [mistake], found.to_text()


@pytest.mark.parametrize(
    ("program", "right", "wrong", "needed"),
    [
        ("columns", "np.sum(dZ2, axis=1, keepdims=True)", "np.sum(dZ2)", "delta[1].sum(axis=1, keepdims=True)"),
        ("columns", "np.sum(dZ2, axis=1, keepdims=True)", "np.sum(dZ2, axis=0)", "delta[1].sum(axis=1, keepdims=True)"),
        ("columns", "Z2 = W2.dot(A1) + b2", "Z2 = W2.dot(A1)", "z[1] = weights[1] @ a[0] + biases[1]"),
        ("columns", "dZ2.dot(A1.T)", "dZ2.dot(Z1.T)", "delta[1] @ a[0].T"),
        ("rows", "gb3 = d3.sum(axis=0)", "gb3 = d3.sum()", "delta[2].sum(axis=0)"),
    ],
)
def test_a_fix_suits_samples_in_columns_and_in_rows(
    program: str, right: str, wrong: str, needed: str, tmp_path: Path
) -> None:
    found, _ = with_edit(tmp_path, program, right, wrong)
    assert found.first is not None
    assert needed in found.first.fix


def test_no_finding_about_columns_speaks_of_rows() -> None:
    for key, row in ROWS.items():
        says, fix = (re.sub(r"\{[^}]*\}", "1", row[name]) for name in ("says", "fix"))
        shown = for_columns(ProgramFinding("mistake", key, "", "", 1, "", "", "", says, fix))
        for before, after in ((says, shown.says), (fix, shown.fix)):
            if "axis=" in before:
                assert re.findall(r"axis=(\d)", after) == [str(1 - int(n)) for n in re.findall(r"axis=(\d)", before)]
            if " @ " in before:
                assert after != before, key


@pytest.mark.parametrize(("step", "mistake"), [("-", "update-forgets-rate"), ("+ self.rate *", "update-adds")])
def test_a_velocity_is_blamed_where_it_is_stored(step: str, mistake: str, tmp_path: Path) -> None:
    text = re.sub(r"self.(\w\d) -= self.rate \* (\w+)", r"v\2 = 0.9 * 0 - self.rate * \2; self.\1 += v\2", ALL["rows"])
    assert checked(tmp_path, text).ok
    assert text.count("- self.rate * gb2") == 1
    found = checked(tmp_path, text.replace("- self.rate * gb2", f"{step} gb2"))
    assert found.first is not None
    assert (found.first.id, "gb2" in found.first.code) == (mistake, True), found.to_text()


def test_a_loss_after_the_epoch_tells_which_gradient_is_meant(tmp_path: Path) -> None:
    text = ALL["one_by_one"].replace("np.tanh(z)", "1 / (1 + np.exp(-z))")
    text = re.sub(r"\(1 - (outputs\[-.\]) \*\* 2\)", r"\1 * (1 - \1)", text)
    text += """            print(self.total_cost(training_data))

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = squash(np.dot(w, a) + b)
        return a

    def total_cost(self, data):
        cost = 0.0
        for x, y in data:
            a = self.feedforward(x)
            cost += 0.5 * np.linalg.norm(a - y) ** 2 / len(data)
        return cost
"""
    assert checked(tmp_path, text).ok
    found = checked(tmp_path, text.replace(" * outputs[-1] * (1 - outputs[-1])", ""))
    assert found.first is not None
    assert found.first.id == "delta-a-minus-t", found.to_text()


def test_one_sample_at_a_time_may_divide_softmax_by_the_sum_of_all(tmp_path: Path) -> None:
    text = ALL["one_by_one"].replace(
        "outputs.append(a)\n        delta", "outputs.append(a)\n        outputs[-1] = soft(z)\n        delta"
    )
    text = text.replace("(outputs[-1] - y) * (1 - outputs[-1] ** 2)", "outputs[-1] - y")
    text = text.replace(
        "class Network",
        "def soft(z):\n    powers = np.exp(z - z.max())\n    return powers / powers.sum()\n\nclass Network",
    )
    assert checked(tmp_path, text).ok


def test_weights_that_are_updated_first_are_named(tmp_path: Path) -> None:
    old = "        d2 = (d3 @ self.W3.T)"
    found, _ = with_edit(tmp_path, "rows", old, f"        self.W3 -= self.rate * (self.a2.T @ d3)\n{old}")
    assert found.first is not None
    assert found.first.id == "updated-weights"


def test_the_loss_of_a_softmax_with_squared_error_is_two_losses(tmp_path: Path) -> None:
    more = "\ndef mse_loss(A2, Y):\n    return np.mean((A2 - one_hot(Y)) ** 2)\n\ndef gradient_descent"
    text = COLUMNS.replace("\ndef gradient_descent", more).replace(
        "Y)\n        W1 =", "Y)\n        mse_loss(A2, Y)\n        W1 ="
    )
    found = checked(tmp_path, text)
    assert found.first is not None
    assert (found.first.id, found.first.function) == ("two-losses", "mse_loss")


def test_a_sum_in_place_of_a_mean_is_not_a_mistake(tmp_path: Path) -> None:
    assert checked(tmp_path, COLUMNS.replace(" / m\n", "\n")).ok


def test_small_functions_are_checked_without_a_network(tmp_path: Path) -> None:
    found = checked(tmp_path, "# exp has no import\n\ndef sigmoid(z):\n    return 1 / (1 + exp(z))\n")
    assert [(each.id, each.line) for each in found.findings] == [("sigmoid-minus", 4)]
    assert found.adapter == ""


def test_values_that_do_not_unpack_are_the_first_mistake(tmp_path: Path) -> None:
    text = COLUMNS.replace("    return W1, b1, W2, b2\n\ndef relu(", "    return W1, b1, W2, b2, None\n\ndef relu(")
    found = checked(tmp_path, text)
    assert found.first is not None
    assert found.first.id == "raises"
    assert "unpack" in found.first.says
    assert "init_params()" in found.first.code


def test_a_backward_pass_is_checked_where_forward_fails(tmp_path: Path) -> None:
    text = COLUMNS.replace("A1 = relu(Z1)", "A1 = relu(Z1, 1)").replace(
        "np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1)"
    )
    found = checked(tmp_path, text)
    assert "delta.sum(axis=1, keepdims=True)" in {each.id: each.says for each in found.findings}["bias-all-axes"]


def test_names_and_results_that_are_lost_are_named(tmp_path: Path) -> None:
    text = "import numpy as np\ntargets = np.zeros((rows, 3))\nrows = 5\n"
    text += "def train_net(W1, b1, W2, b2):\n    return W1, b2, W2, b2\n"
    found = checked(tmp_path, text)
    assert [each.id for each in found.findings] == ["used-before-value", "returned-twice"]
    assert found.findings[1].fix == "return W1, b1, W2, b2"


def test_weights_that_start_equal_or_saturated_are_named(tmp_path: Path) -> None:
    found = checked(
        tmp_path, ALL["rows"].replace("np.random.randn(n_input, n_hidden) * 0.1", "np.zeros((n_input, n_hidden))")
    )
    assert found.first is not None
    assert found.first.id == "init-equal"


def test_what_cannot_be_matched_gets_lines_to_fill_in(tmp_path: Path) -> None:
    found = checked(tmp_path, "def forward(q, r, s):\n    return q\n\ndef backward(q, r):\n    return r\n")
    assert not found.matched
    assert "dr.gradcheck(network" in found.adapter


@pytest.mark.usefixtures("patient_repair")
def test_the_report_fits_80_columns_and_json_comes_back(tmp_path: Path) -> None:
    found, _ = with_edit(tmp_path, "rows", "gb3 = d3.sum(axis=0)", "gb3 = d3.sum()")
    text = found.to_text()
    assert max(map(len, text.partition("Fill in")[0].splitlines())) <= 80
    assert "BP3" in text
    assert "gb3 = d3.sum(axis=0)" in text
    content: dict[str, Any] = found.to_json_dict()
    assert content["first"]["id"] == "bias-all-axes"
    assert ProgramCheck.from_json_dict(content) == found


def test_check_runs_apart_and_trains_on_digits(tmp_path: Path) -> None:
    path = tmp_path / "network.py"
    path.write_text(COLUMNS, encoding="utf-8")
    found = dr.check(path)
    assert found.ok
    assert found.accuracy is not None
    assert found.accuracy > 0.6


def test_functions_that_are_given_their_parameters_are_checked(tmp_path: Path) -> None:
    text = "import numpy as np\n\ndef forward(X, W1, b1, W2, b2):\n    Z1 = X @ W1 + b1\n    A1 = np.tanh(Z1)\n"
    text += "    Z2 = A1 @ W2 + b2\n    return Z1, A1, Z2, Z2\n\ndef backward(X, Y, A1, A2, W2):\n"
    text += "    d2 = (A2 - Y) / len(X)\n    d1 = d2 @ W2.T * (1 - A1)\n"
    text += "    return X.T @ d1, d1.sum(axis=0), A1.T @ d2, d2.sum(axis=0)\n"
    found = checked(tmp_path, text)
    assert [(each.id, each.line) for each in found.findings] == [("slope-half", 11)]


MEAN = "return -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m"
LOSSES = [
    (MEAN, MEAN.removesuffix(" / m"), "loss-undivided", "warning"),
    ("m, grads = Y.shape[1], {}", "m, grads = 1, {}", "undivided", "warning"),
    ("dZ = AL - Y", "dZ = (AL - Y) / m", "divided-twice", "mistake"),
    (MEAN, "return -np.sum(Y * np.log(AL)) / m", "loss-half", "mistake"),
    (MEAN, MEAN.replace("np.log(", "np.log10("), "loss-log", "mistake"),
    (MEAN, "return np.mean(np.abs(AL - Y))", "loss-absolute", "mistake"),
    (MEAN, "return np.sqrt(np.mean((AL - Y) ** 2))", "loss-root", "mistake"),
]


@pytest.mark.parametrize(("old", "new", "name", "level"), LOSSES)
def test_a_loss_that_its_gradient_does_not_fit_is_named(
    old: str, new: str, name: str, level: str, tmp_path: Path
) -> None:
    found, line = with_edit(tmp_path, "dicts", old, new)
    places = {"undivided": "/ m", "divided-twice": "/ m"}  # dC/dW, which is divided by a wrong count, or once more
    assert [(each.id, each.level) for each in found.findings] == [(name, level)], found.to_text()
    assert found.findings[0].line == line or places[name] in found.findings[0].code
    assert found.ok is (level == "warning")


BATCHES = """
import numpy as np

def train(X, y, batch_size):
    order = np.random.permutation(len(X))
    for start in range(0, len(X), batch_size):
        part = order[start:start + batch_size]
        inputs, targets = X[part], y[part]
"""


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("y[part]", "y[part]", ""),
        ("y[part]", "y[start:start + batch_size]", "targets-of-other-samples"),
        ("y[part]", "y[:batch_size]", "targets-of-other-samples"),
        ("order[start:start + batch_size]", "order[start:batch_size]", "samples-left-out"),
        ("order[start:start + batch_size]", "order[start:start + batch_size - 1]", "samples-left-out"),
        ("range(0, len(X), batch_size)", "range(0, len(X) - batch_size, batch_size)", "last-batch-left-out"),
    ],
)
def test_batches_of_other_or_too_few_samples_are_named(old: str, new: str, name: str, tmp_path: Path) -> None:
    found = checked(tmp_path, BATCHES.replace(old, new))
    assert [each.id for each in found.findings] == [name] * bool(name)
    assert all(new in each.code for each in found.findings)
