"""A folder of checkpoints in which somebody else, perhaps a stranger, has put things: they are left alone."""

from pathlib import Path

import jobs
import pytest

from deltarule.errors import FileError
from deltarule.files.checkpoint import Checkpoints, newest_checkpoint


def a_run(folder: Path) -> list[Path]:
    """The last two checkpoints of a run, oldest first; the tests take the newest away."""
    jobs.run(folder, every_steps=1)
    found = sorted(folder.glob("step-*"))
    assert [int(path.stem[5:]) for path in found] == [11, 12]
    return found


def test_what_somebody_put_there_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, newest = a_run(tmp_path)
    copies = [newest.with_name(name) for name in ("step-000000000012 (copy).safetensors", "step-best.safetensors")]
    for path in copies:
        path.write_bytes(newest.read_bytes())
    newest.unlink()
    (tmp_path / ".deltarule-of-somebody.tmp").mkdir()
    assert jobs.run(tmp_path, every_steps=1) == jobs.expected()
    assert all(path.exists() for path in copies)
    assert ".deltarule-of-somebody.tmp is no longer needed, but could not be removed: " in caplog.text


def test_a_checkpoint_under_the_name_of_another_step_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older, newest = a_run(tmp_path)
    newest.rename(tmp_path / "step-000000000900.safetensors")
    assert newest_checkpoint(tmp_path)[0] == older
    assert "step-000000000900.safetensors is from step 12, so it is not what its name says" in caplog.text


def test_links_in_a_folder_from_a_stranger_lead_nowhere(tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "kept"
    precious.write_text("precious")
    _, newest = a_run(folder)
    newest.unlink()
    newest.symlink_to(precious)
    assert jobs.run(folder, every_steps=1) == jobs.expected()
    assert not newest.is_symlink()
    (folder / ".lock").unlink()
    (folder / ".lock").symlink_to(precious)
    with pytest.raises(FileError, match=r"the lock of a folder is a file: got .*\.lock, a link; remove it"):
        Checkpoints(folder).newest()
    assert precious.read_text() == "precious"
