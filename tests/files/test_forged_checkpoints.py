"""Checkpoints that lie: sound to the last byte by their digest, and no state of any run."""

import json
from pathlib import Path
from typing import Any

import jobs
import numpy as np
import pytest

from deltarule.errors import ModelFileError, SettingError
from deltarule.files.checkpoint import checkpoint_bytes, read_checkpoint
from deltarule.training.snapshot import Snapshot


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """A sound one."""
    photographer = jobs.Photographer()
    jobs.trainer(photographer).fit(*jobs.images())
    return photographer.snapshots[4]


def forged(snapshot: Snapshot, tmp_path: Path, **changes: Any) -> Path:
    """The same checkpoint with other arrays or fields, and a digest that is right."""
    arrays = dict(snapshot.arrays) | changes.pop("arrays", {})
    twin = object.__new__(Snapshot)
    twin.__dict__.update(snapshot.__dict__ | changes | {"arrays": {k: v for k, v in arrays.items() if v is not None}})
    (tmp_path / "forged").write_bytes(checkpoint_bytes(twin))
    return tmp_path / "forged"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arrays": {"parameters": None}}, "needs 'parameters', an array of 1 dimensions"),
        ({"arrays": {"step": np.ones((2, 2))}}, "needs 'step', an array of 0 dimensions"),
        ({"arrays": {"step": np.array(np.nan)}}, "must be whole numbers, 0 or more"),
        ({"arrays": {"step": np.array(-1.0)}}, "must be whole numbers, 0 or more"),
        ({"arrays": {"optimizer.steps": np.array(1e300)}}, "must be whole numbers, 0 or more"),
        ({"arrays": {"average.steps": np.array(np.nan)}}, "must be whole numbers, 0 or more"),
        ({"arrays": {"average.steps": np.ones(3)}}, "needs 'average.steps', an array of 0 dimensions"),
        ({"arrays": {"best_epoch": np.array(7.0)}}, "best epoch must be one of its 1, .*: got 7"),
        ({"arrays": {"tally.weight": np.array(-46.0)}}, "the weight of its samples 0 or more: got .*-46"),
        ({"arrays": {"tally.weight": np.array(np.inf)}}, "the weight of its samples 0 or more: got .*inf"),
        ({"arrays": {"history": np.zeros((0, 6))}}, "needs a history"),
        ({"arrays": {"history": np.ones((2, 5))}}, "needs a history"),
        ({"columns": ("a", "b", "c", "d", "e", "f")}, "needs a history"),
        ({"columns": 5}, "Expected `array`, got `int`"),
        ({"identity": {"network": 5}}, "Expected `str`, got `int`"),
        ({"record": []}, "Expected `object`, got `array`"),
    ],
)
def test_a_forged_one_is_refused(snapshot: Snapshot, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelFileError, match=words):
        read_checkpoint(forged(snapshot, tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"columns": ("epoch", "step", "seconds", "a", "b", "c", "d", "validation_loss")},
            "resumes with the task and the kind of data .* that differs in learning_rate, train_accuracy, train_loss",
        ),
        ({"arrays": {"tally.sums": np.zeros((3, 7))}}, r"cannot take 'tally.sums': got float64 of shape \(3, 7\)"),
        ({"arrays": {"tally.origin": np.zeros(7)}}, r"cannot take 'tally.origin': got float64 of shape \(7,\)"),
    ],
)
def test_what_fits_no_such_run_is_refused(
    snapshot: Snapshot, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    found = read_checkpoint(forged(snapshot, tmp_path, **changes))
    with pytest.raises(SettingError, match=words):
        jobs.trainer().fit(*jobs.images(), resume=found)


def test_an_epoch_whose_samples_weigh_nothing_has_no_loss(snapshot: Snapshot, tmp_path: Path) -> None:
    weightless = {"tally.weight": np.array(0.0), "tally.samples": np.array(46.0)}
    found = read_checkpoint(forged(snapshot, tmp_path, arrays=weightless))
    history = jobs.trainer().fit(*jobs.images(), resume=found)
    assert np.isnan(history["train_loss"][1])


def test_its_json_is_canonical(snapshot: Snapshot, tmp_path: Path) -> None:
    """A file with the same content in other words is not one of ours."""
    content = checkpoint_bytes(snapshot)
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"]["deltarule"] = json.dumps(json.loads(header["__metadata__"]["deltarule"]))
    text = json.dumps(header).encode()
    (tmp_path / "spaced").write_bytes(len(text).to_bytes(8, "little") + text + content[end:])
    with pytest.raises(ModelFileError, match="expected canonical JSON"):
        read_checkpoint(tmp_path / "spaced")


def test_the_sound_one_is_read(snapshot: Snapshot, tmp_path: Path) -> None:
    """Or else every test above would pass for the wrong reason."""
    assert read_checkpoint(forged(snapshot, tmp_path)).step == 5
