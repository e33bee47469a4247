"""The gradient in deltarule check: on recipes and on models, right and wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.nn.activations import Tanh
from deltarule.nn.arrays import Array

Command = Callable[..., Any]


def test_a_recipe_is_checked_with_its_penalty(deltarule: Command) -> None:
    code, _, err = result = deltarule("check", "nielsen-cross-entropy", "--data", "digits", "--json")
    assert code == 0
    assert "nielsen-cross-entropy, untrained, on digits" in err
    facts = result.json["gradient"]
    assert (facts["ok"], facts["parameters"], facts["method"]) == (True, 79_510, "complex step")
    assert facts["max_relative_error"] <= 1e-12
    assert [each["parameters"] for each in facts["per_layer"]] == [78_500, 1_010]
    assert facts["worst"]["gradient"] == pytest.approx(facts["worst"]["numeric"])


def test_a_model_is_checked_on_its_own_data(deltarule: Command, digits_model: Path, arithmetic_model: Path) -> None:
    for model, parameters in ((digits_model, 7_850), (arithmetic_model, 47)):
        result = deltarule("check", model)
        assert result.code == 0
        assert result.out.startswith("The gradient is right")
        assert f"by complex step, {parameters:,} parameters, " in result.out


def test_a_wrong_gradient_is_code_1_and_named(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def reversed_sign(self: Tanh, z: Array, a: Array) -> Array:
        return a * a - 1.0

    monkeypatch.setattr(Tanh, "derivative", reversed_sign)
    result = deltarule("check", "xor", "--json")
    assert result.code == 1
    assert result.json["ok"] is False
    assert (
        "Tanh.derivative is not the derivative of value: its sign is reversed" in result.json["gradient"]["mistakes"][0]
    )
    assert "The gradient is WRONG" in deltarule("check", "xor").out


def test_its_lines_fit_a_terminal(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, deltarule("check", "arithmetic").out.splitlines())) <= 80  # it meets kinks


def test_data_that_do_not_fit(deltarule: Command, digits_model: Path) -> None:
    np.savez("narrow.npz", X=np.ones((20, 3)), y=np.arange(20) % 10)
    for arguments, message in (
        ([digits_model, "--data", "narrow.npz"], "this model reads 784 numbers per row: got 3"),
        (["nothing"], "a recipe was expected: got nothing"),
        (["xor", "--data", "nowhere"], "nowhere"),
    ):
        code, out, err = deltarule("check", *arguments)
        assert (code, out) == (2, "")
        assert message in err
