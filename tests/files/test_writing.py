"""The one door for files: who may be replaced by whom, through every writer of the library."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import deltarule as dr
from deltarule.atomic import MARKS, check_target, kind_of, write_atomically
from deltarule.errors import FileError
from deltarule.files.page import Page
from deltarule.files.run_folder import RunFiles, environment, is_run
from deltarule.inspection.plots.picture import Picture, new_figure

NETWORK = dr.Network((2, 3, 2))
SUFFIXES = (".png", ".svg", ".pdf")
Writer = Callable[..., object]


def logged(path: Path, *, force: bool = False) -> None:
    dr.fit(dr.Network((2, 2)), np.eye(2), np.array([0, 1]), epochs=1).save(path, force=force)


def checkpointed(path: Path, *, force: bool = False) -> None:
    checkpoints = dr.Checkpoints(path.with_name("kept"), every_steps=1)
    dr.fit(dr.Network((2, 2)), np.eye(2), np.array([0, 1]), epochs=1, callbacks=[checkpoints])
    assert checkpoints.last is not None
    write_atomically(path, checkpoints.last.read_bytes(), "checkpoint", force=force)


def recorded(path: Path, *, force: bool = False) -> None:
    path.with_name("run").mkdir()
    RunFiles(path.with_name("run"), recipe="", environment={}).write_recording({"epochs": np.zeros(1)})
    write_atomically(
        path, path.with_name("run").joinpath("recording.safetensors").read_bytes(), "recording", force=force
    )


def drawn(suffix: str) -> Writer:
    def draw(path: Path, *, force: bool = False) -> None:
        pytest.importorskip("matplotlib", reason="the extra plot is not installed")
        with new_figure(height=1.0) as figure:
            figure.subplots().plot([1, 2])
        write_atomically(path, Picture(figure, "A line: " + "up " * 3000).to_bytes(suffix), "picture", force=force)

    return draw


def exported(path: Path, *, force: bool = False) -> None:
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    dr.save_onnx(NETWORK, path, force=force)


def shown(path: Path, *, force: bool = False) -> None:
    dr.show(NETWORK).save(path, force=force)


def archive_of_others() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, meaning=np.array("of life"))
    return stream.getvalue()


WRITERS: dict[str, tuple[str, Writer]] = {
    "save": ("model", lambda path, **how: dr.save(NETWORK, path, **how)),
    "save_npz": ("npz file", lambda path, **how: dr.save_npz(NETWORK, path, **how)),
    "save_onnx": ("ONNX file", exported),
    "Page.save": ("page", shown),
    "History.save": ("history", logged),
    "Checkpoints": ("checkpoint", checkpointed),
    "write_recording": ("recording", recorded),
    **{f"to_bytes({suffix})": ("picture", drawn(suffix)) for suffix in SUFFIXES},
}
MADE_BY_OTHERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("the only copy"),
    "table": lambda path: path.write_text("epoch,loss\n1,2\n"),
    "json": lambda path: path.write_text('{"__metadata__": {"deltarule": "{}"}}'),
    "npz": lambda path: path.write_bytes(archive_of_others()),
    "safetensors": lambda path: save_file({"layers.0.weight": np.eye(2)}, path, {"format": "pt"}),
    "image": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR deltarule IDAT deltarule"),
    "page": lambda path: path.write_text("<!doctype html><p>deltarule"),
    "drawing": lambda path: path.write_text("<svg><title>deltarule</title></svg>"),
    "zeros": lambda path: path.write_bytes(bytes(100)),
    "nested": lambda path: path.write_bytes((60).to_bytes(8, "little") + b"[" * 100_000),
    "paper": lambda path: path.write_bytes(b"%PDF-1.4\n<< /Creator (LaTeX) >>\n%%EOF"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_leaves_a_mark_and_replaces_its_own(tmp_path: Path, name: str) -> None:
    kind, write = WRITERS[name]
    place = tmp_path / "file"
    write(place)
    assert kind_of(place) == kind
    assert [each for each in MARKS if each == kind_of(place)] == [kind]
    check_target(place, kind)
    if name not in ("Checkpoints", "write_recording"):  # which have a folder of their own
        write(place)


@pytest.mark.parametrize("other", MADE_BY_OTHERS)
def test_what_others_made_is_replaced_by_force_alone(tmp_path: Path, other: str) -> None:
    place = tmp_path / "file"
    MADE_BY_OTHERS[other](place)
    content = place.read_bytes()
    assert kind_of(place) is None
    for name, (_, write) in WRITERS.items():
        (tmp_path / name).mkdir()
        copy = tmp_path / name / "file"
        copy.write_bytes(content)
        with pytest.raises(FileError, match="file exists, and deltarule did not write it: pass force=True to replace"):
            write(copy)
        assert copy.read_bytes() == content
    forced = tmp_path / "save" / "file"
    dr.save(NETWORK, forced, force=True)
    assert kind_of(forced) == "model"


def test_one_kind_does_not_replace_another(tmp_path: Path) -> None:
    place = tmp_path / "file"
    dr.save(NETWORK, place)
    before = place.read_bytes()
    for kind, write in (WRITERS["save_npz"], WRITERS["Page.save"], WRITERS["History.save"], WRITERS["to_bytes(.svg)"]):
        with pytest.raises(FileError, match=r"is another kind of file \(model\)"):
            write(place)
        assert place.read_bytes() == before
        write(place, force=True)
        assert kind_of(place) == kind
        place.write_bytes(before)


def test_a_damaged_model_is_still_a_model_and_a_blank_file_is_nothing(tmp_path: Path) -> None:
    place = tmp_path / "file"
    dr.save(NETWORK, place)
    place.write_bytes(place.read_bytes()[:-5])
    dr.save(NETWORK, place)
    for blank in (b"", b"\n\n"):
        place.write_bytes(blank)
        dr.save(NETWORK, place)
        assert kind_of(place) == "model"


def test_what_comes_there_during_the_work_is_kept(tmp_path: Path) -> None:
    place = tmp_path / "file"

    class Thief(Page):
        @property
        def html(self) -> str:  # type: ignore[override]
            place.write_text("the only copy")
            return "<p>"

    check_target(place, "page")
    with pytest.raises(FileError, match="deltarule did not write it"):
        Thief.save(Thief.__new__(Thief), place)
    assert place.read_text() == "the only copy"
    assert list(tmp_path.iterdir()) == [place]


def test_model_checkpoint_refuses_before_the_first_step(tmp_path: Path) -> None:
    place, seen = tmp_path / "houses.csv", []

    class Steps(dr.Callback):
        def step_end(self, state: dr.TrainingState) -> None:
            seen.append(state.step)

    def run(**how: bool) -> None:
        callbacks = [dr.ModelCheckpoint(place, "train_loss", **how), Steps()]
        dr.fit(dr.Network((2, 2)), np.eye(2), np.array([0, 1]), epochs=1, callbacks=callbacks)

    place.write_text("price\n1\n")
    with pytest.raises(FileError, match="deltarule did not write it"):
        run()
    assert (seen, place.read_text()) == ([], "price\n1\n")
    run(force=True)
    assert kind_of(place) == "model"


@pytest.mark.skipif(sys.platform == "win32", reason="links as POSIX has them")
def test_links_are_followed_and_lead_to_the_same_question(tmp_path: Path) -> None:
    notes, link, fresh = tmp_path / "notes", tmp_path / "link", tmp_path / "fresh"
    notes.write_text("the only copy")
    link.symlink_to(notes)
    fresh.symlink_to(tmp_path / "new")
    with pytest.raises(FileError, match="link exists, and deltarule did not write it"):
        dr.save(NETWORK, link)
    dr.save(NETWORK, fresh)
    assert (tmp_path / "new").is_file()
    assert fresh.is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions as POSIX has them")
def test_a_write_protected_model_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "best"
    dr.save(NETWORK, place)
    place.chmod(0o444)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place and real(path, mode))  # as for no root
    with pytest.raises(FileError, match="best is write-protected: pass force=True"):
        dr.save(NETWORK, place)
    dr.save(NETWORK, place, force=True)


def test_a_lock_that_is_somebodys_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("the only copy")
    with pytest.raises(FileError, match=r"got .*\.lock, which holds something else"):
        dr.Checkpoints(tmp_path).newest()
    assert (tmp_path / ".lock").read_text() == "the only copy"


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{}", '{"data_hash": 1}', '{"data_hash": 1, "versions": []}', "[" * 9999]
)
def test_only_the_folder_of_a_run_is_one(tmp_path: Path, content: str) -> None:
    assert not is_run(tmp_path)
    (tmp_path / "environment.json").write_text(content)
    assert not is_run(tmp_path)
    RunFiles(tmp_path, recipe="", environment=environment(seed=0, data_hash=""))
    assert is_run(tmp_path)
    assert json.loads((tmp_path / "environment.json").read_bytes())["seed"] == 0
