"""The findings in deltarule check: of recipes, models and runs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.catalog import load as load_data
from deltarule.files.model_file import load, save

Command = Callable[..., Any]
RAW = ("sigmoid-16-16-as-written", "--data", "small.npz")


@pytest.fixture(autouse=True)
def _small_images(_empty_folder_and_wide_terminal: None) -> None:
    """200 digits of 14x14 pixels in this folder."""
    digits = load_data("digits").train.take(slice(200))
    np.savez("small.npz", X=digits.inputs.reshape(-1, 28, 28)[:, ::2, ::2], y=digits.targets)


def ids(found: list[dict[str, Any]], level: str) -> set[str]:
    return {each["id"] for each in found if each["level"] == level}


def test_the_posts_network_as_written_is_told_its_faults(deltarule: Command) -> None:
    """In JSON, and the same in the text."""
    result, text = deltarule("check", *RAW, "--json"), deltarule("check", *RAW).out
    assert result.code == 1
    found = result.json["findings"]
    assert found[0]["id"] == "inputs-not-scaled"
    assert {"inputs-not-scaled", "saturated-units"} <= ids(found, "fault")
    assert all(set(each) == {"level", "id", "says", "evidence", "fix", "explains", "mend"} for each in found)
    scale = next(each for each in found if each["id"] == "inputs-not-scaled")
    assert scale["evidence"]["largest input"] == 255
    levels = [each["level"] for each in found]
    assert levels == sorted(levels, key=["fault", "warning", "note"].index)
    for each in found:
        assert f"{each['level']:<9}{each['says']}" in text
        assert each["fix"] in text


def test_a_sound_recipe(deltarule: Command) -> None:
    result = deltarule("check", "linear", "--data", "digits")
    assert (result.code, result.out.splitlines()[-1]) == (0, "Nothing wrong was found.")
    assert "linear, untrained, on digits" in result.err


def test_a_trained_model(deltarule: Command, digits_model: Path, arithmetic_model: Path) -> None:
    assert ids(deltarule("check", digits_model, "--json").json["findings"], "fault") == set()
    assert ids(deltarule("check", arithmetic_model, "--json").json["findings"], "fault") == set()


def test_a_model_that_has_learned_nothing(deltarule: Command, digits_model: Path) -> None:
    model = load(digits_model)
    model.network.parameters.vector[:] *= 0.0
    save(replace(model), "empty.safetensors")
    assert "stuck-at-chance" in ids(deltarule("check", "empty.safetensors", "--json").json["findings"], "fault")


def test_a_model_that_knows_its_examples_by_heart(deltarule: Command) -> None:
    """Pixels of noise, labels by lot: the one can be learned by heart, and nothing can be learned of new ones."""
    rng = np.random.default_rng(0)
    np.savez("noise.npz", X=rng.integers(256, size=(300, 100), dtype=np.uint8), y=rng.integers(10, size=300))
    assert deltarule("train", "quick", "--data", "noise.npz", "--epochs", "60", "--set", "batch_size=32").code == 0
    found = deltarule("check", "model.safetensors", "--json").json["findings"]
    assert "overfitting" in ids(found, "warning")
    assert "labels-shuffled" in ids(found, "fault")


def test_a_run_is_judged_by_its_history_and_its_model(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("linear", "--data", "digits", "--epochs", "9", "--set", "schedule={name='constant', rate=3e-6}")
    assert deltarule("train", *arguments, "--run", "slow").code == 0
    assert "learning-rate-too-low" in ids(deltarule("check", "slow", "--json").json["findings"], "fault")
    Path("slow", "model.safetensors").unlink()
    result = deltarule("check", "slow", "--json")
    assert ids(result.json["findings"], "fault") == {"learning-rate-too-low"}
    assert "model" not in result.err
    monkeypatch.setenv("COLUMNS", "80")
    lines = deltarule("check", "slow").out.splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80


def test_a_run_without_a_history(deltarule: Command, digits_model: Path) -> None:
    Path("run").mkdir()
    Path("run", "history.jsonl").write_text(json.dumps({"train_loss": 2.3}) + "\n")
    code, out, err = deltarule("check", "run")
    assert (code, out) == (1, "")
    assert "an epoch after epoch 0 is needed: got 1 rows" in err


def test_what_does_not_exist_or_fit(deltarule: Command, digits_model: Path) -> None:
    np.savez("narrow.npz", X=np.ones((20, 3)), y=np.arange(20) % 10)
    for arguments, message in (
        (["nothing"], "a recipe was expected: got nothing"),
        ([digits_model, "--data", "narrow.npz"], "this model reads 784 numbers per row: got 3"),
        ([digits_model, "--data", "xor"], "this model reads 784 numbers per row: got 2"),
    ):
        code, out, err = deltarule("check", *arguments)
        assert (code, out) == (2, "")
        assert message in err
