"""Programs of kinds that the check once could not run: sound ones are followed, and the first wrong line is named."""

from pathlib import Path

import pytest

from deltarule.learn import matching
from tests.learn import programs_of_new_kinds, programs_of_new_libraries
from tests.learn.test_kinds_of_programs import assert_followed, assert_named, checked

KINDS = programs_of_new_kinds.KINDS | programs_of_new_libraries.KINDS

OUTER = [
    f"self.Z2 = self.W2.dot(self.A1){inner}\n        self.A2 = self.squash(self.Z2){outer}\n"
    for inner, outer in ((" + self.B2", ""), ("", " + self.B2"))
]

# A mistake in a program: what stands there, what a learner writes, the id of the finding, and its line if another one.
MISTAKES = [
    ("passed_on_call", "fehler * (self.summen[l] > 0)", "fehler", "no-slope", "dz = fehler if"),
    ("absent_class", "[1:] * (1 - np.tanh(sums) ** 2)", "[1:] * (1 - np.tanh(sums))", "slope-half", ""),
    ("lists_of_lists", "w2[i][j] -= alpha", "w2[i][j] += alpha", "update-adds", ""),
    ("table", "d2 @ B.T * h * (1 - h)", "d2 @ B.T * h", "slope-half", ""),
    ("dicts", '= error * neuron["output"] * (1', "= error * (1", "slope-half", ""),
    ("cells", "total * row.cells[j].slope(row.inputs)", "total", "no-slope", ""),
    ("shared_bias", "d * self.hidden.neurons[h].output * (1 - self.hidden.neurons[h].output)", "d", "no-slope", ""),
    ("matrices", "self.weights_ho.transpose() * d_o", "self.weights_ho.transpose() * error", "error-before-slope", ""),
    ("minimized", "np.multiply(sigmoid(z2), 1 - sigmoid(z2))", "np.multiply(z2, 1 - z2)", "slope-fed-z", ""),
    ("framework", "grad * self.mask", "grad", "no-slope", ""),
    ("one_layer", "dA * (1 - A ** 2)", "dA * (1 - A)", "slope-half", ""),
    ("column", "np.eye(3)[y.astype(int)] - o", "y.reshape(-1, 1) - o", "targets-not-one-hot", ""),
    ("outer_bias", OUTER[0], OUTER[1], "bias-behind", "self.A2 = self.squash(self.Z2) + self.B2"),
]


@pytest.fixture(autouse=True)
def _patience_of_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """More time to try the program's own inputs and targets: programs of single numbers have many arrays."""
    monkeypatch.setattr(matching, "MOST_SECONDS_TO_READ", 10.0)


def test_where_time_is_up_no_targets_are_accused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in (0.0, 0.2, 0.5, 1.0):
        monkeypatch.setattr(matching, "MOST_SECONDS_TO_READ", seconds)
        monkeypatch.setattr(matching, "LEAST_SECONDS_TO_READ", seconds)
        found = checked(tmp_path, KINDS["lists_of_lists"])
        assert not any(each.level == "mistake" for each in found.findings), found.to_text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_program_of_a_new_kind_is_followed(tmp_path: Path, kind: str) -> None:
    assert_followed(tmp_path, KINDS[kind])


@pytest.mark.parametrize(("kind", "old", "new", "key", "code"), MISTAKES)
def test_a_mistake_in_a_program_of_a_new_kind_is_the_first_named(
    tmp_path: Path, kind: str, old: str, new: str, key: str, code: str
) -> None:
    assert_named(tmp_path, KINDS[kind], (old, new), key, code or new)


def test_a_column_of_classes_may_be_meant_for_one_output(tmp_path: Path) -> None:
    text = KINDS["matrices"].replace("np.matrix(guess).transpose()", "np.matrix(guess).reshape(-1, 1)")
    found = checked(tmp_path, text)
    assert found.ok is not False, found.to_text()
