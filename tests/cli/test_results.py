"""What `--force` replaces, and what is replaced without it: the refusals are in tests/faults/writing.py."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltarule.atomic import kind_of
from deltarule.cli import train
from deltarule.data.built_in import load_digits
from deltarule.files.model_file import load

Command = Callable[..., Any]
TRAIN = "train linear --data digits --epochs 1"


@pytest.mark.parametrize(
    ("command", "place", "kind"),
    [
        (f"{TRAIN} --out", "notes.txt", "model"),
        (f"{TRAIN} --plot", "notes.png", "picture"),
        ("export m.safetensors --npz", "notes.txt", "npz file"),
        ("export m.safetensors --onnx", "notes.txt", "ONNX file"),
        ("export m.safetensors --html", "notes.html", "page"),
        ("evaluate m.safetensors --plot", "notes.svg", "picture"),
        ("plot weights m.safetensors --out", "notes.pdf", "picture"),
        ("predict --kaggle pixels.csv --model m.safetensors --out", "notes.csv", None),
    ],
)
def test_force_replaces_and_later_results_need_none(
    deltarule: Command, digits_model: Path, command: str, place: str, kind: str | None
) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    shutil.copy(digits_model, "m.safetensors")
    row = ",".join(map(str, load_digits().train.inputs[0]))
    Path("pixels.csv").write_text(f"{','.join(f'pixel{k}' for k in range(784))}\n{row}\n")
    Path(place).write_text("the only copy")
    arguments = [*shlex.split(command), place]
    refused = deltarule(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert f"{place} exists, and deltarule did not write it: pass --force to replace it" in refused.err
    cure = shlex.split(refused.err.rpartition("choose another name: ")[2])
    assert deltarule(*shlex.split(command)[:-1], *cure).code == 0  # the line in the message works
    assert Path(place).read_text() == "the only copy"
    assert deltarule(*arguments, "--force").code == 0
    assert kind_of(Path(place)) == kind
    assert deltarule(*arguments).code == (0 if kind else 2)  # a CSV has no mark


def test_force_makes_a_folder_that_of_a_run(deltarule: Command) -> None:
    Path("mine").mkdir()
    Path("mine", "history.csv").write_text("the only copy")
    run = [*shlex.split(TRAIN), "--run", "mine"]
    refused = deltarule(*run)
    assert refused.code == 2
    assert "mine/history.csv exists, and deltarule did not write it: pass --force" in refused.err
    assert "choose another folder: --run mine-2" in refused.err
    assert [path.name for path in Path("mine").iterdir()] == ["history.csv"]
    assert deltarule(*run, "--force").code == 0
    assert deltarule(*run).code == 0
    assert load("mine/model.safetensors")


def test_a_folder_with_other_files_may_become_that_of_a_run(deltarule: Command) -> None:
    Path("mine").mkdir()
    Path("mine", "notes.txt").write_text("the only copy")
    assert deltarule(*shlex.split(TRAIN), "--run", "mine").code == 0
    assert Path("mine", "notes.txt").read_text() == "the only copy"


def test_a_file_that_came_during_training_is_kept_and_the_network_too(
    deltarule: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = train.evaluate_model

    def evaluate(*arguments: Any) -> Any:
        Path("a.safetensors").write_text("the only copy")
        return real(*arguments)

    monkeypatch.setattr(train, "evaluate_model", evaluate)
    code, _, err = deltarule(*shlex.split(TRAIN), "--out", "a.safetensors")
    assert code == 1
    assert Path("a.safetensors").read_text() == "the only copy"
    assert load(err.rpartition("To save it, the network was written to ")[2].strip())


def test_a_picture_goes_among_pictures_of_data_twice(deltarule: Command) -> None:
    """What deltarule drew itself is not data, though it lies in a folder of them."""
    pillow = pytest.importorskip("PIL.Image")
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    for k in range(20):
        Path("pics", "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        pillow.new("L", (8, 8), 10 * k).save(Path("pics", "ab"[k % 2], f"{k}.png"))
    command = ["train", "linear", "--data", "pics", "--epochs", "1", "--plot", "pics/curves.png"]
    assert deltarule(*command).code == 0
    assert deltarule(*command).code == 0
