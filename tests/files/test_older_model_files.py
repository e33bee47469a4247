"""Model files of formats 1 and 2, as they were written then (tests/goldens): they answer as they did."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.files.model_file import load, save
from deltarule.model import Model

CASES = json.loads((Path(__file__).parents[1] / "goldens" / "model_files.json").read_text(encoding="utf-8"))


def loaded(case: dict[str, Any], folder: Path) -> Model:
    path = folder / "model"
    path.write_bytes(base64.b64decode(case["model"]))
    return load(path)


def raw_of(case: dict[str, Any]) -> np.ndarray:
    said = case["raw"]
    raw = np.zeros((len(said["rows"]), said["width"]), said["dtype"])
    raw[:, said["at"]] = said["rows"]
    return raw


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_answers_as_when_it_was_saved(case: dict[str, Any], tmp_path: Path) -> None:
    model, raw = loaded(case, tmp_path), raw_of(case)
    for _ in range(2):
        assert (model.task, list(model.class_names)) == (case["task"], case["class_names"])
        np.testing.assert_allclose(model.outputs(raw), case["outputs"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(model.predict(raw), case["predicted"], rtol=0, atol=1e-6)
        save(model, tmp_path / "again")  # in the format of today
        model = load(tmp_path / "again")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_images_were_pixels_and_nothing_else_was(case: dict[str, Any], tmp_path: Path) -> None:
    model, raw = loaded(case, tmp_path), raw_of(case)
    assert model.pixels == (raw.dtype == np.uint8) == (model.image_shape is not None)
    assert model.network.input_range is None
    if model.pixels:
        np.testing.assert_array_equal(model.outputs(raw / 255.0), model.outputs(raw))


def test_a_bare_network_of_784_inputs_read_images_of_28x28(tmp_path: Path) -> None:
    shapes = {case["name"]: loaded(case, tmp_path).image_shape for case in CASES if "784" in case["name"]}
    assert len(shapes) == 2
    assert set(shapes.values()) == {(28, 28)}
