"""A share of the faults that `make faults` injects, and that each campaign finds the harm that it looks for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import campaigns
import damage
import ends
import jobs
import pytest
import writing
from counting import Count
from injection import Operation

from deltarule.cli import train
from deltarule.files import checkpoint, model_file
from deltarule.files.checkpoint import read_checkpoint
from deltarule.files.model_file import load
from deltarule.training import snapshot

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals, limits and forks as POSIX has them")


APART = """
import campaigns, ends, json, shared_folders, sys
for line in sys.stdin:
    count = eval(line)
    print(json.dumps([count.tried, count.harm]), flush=True)
"""


@pytest.fixture(scope="module")
def apart() -> Iterator[Callable[[str], Count]]:
    """Runs campaigns that fork in a process of their own: to fork one as large as this takes ten times as long."""
    process = [sys.executable, "-c", APART]
    with subprocess.Popen(process, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        orders, answers = running.stdin, running.stdout
        assert orders is not None
        assert answers is not None

        def counted(campaign: str) -> Count:
            print(campaign, file=orders, flush=True)
            return Count(*json.loads(answers.readline()))

        yield counted
        orders.close()


def test_calls_that_fail_do_no_harm() -> None:
    """Of all operations; with each a few of the errors."""
    count = campaigns.failing_calls(every=4)
    assert count.tried > 20
    assert count.harm == []


def test_saves_that_fail_do_no_harm() -> None:
    count = campaigns.failing_saves()
    assert count.tried > 2
    assert count.harm == []


def test_kills_between_operations_do_no_harm(apart: Callable[[str], Count]) -> None:
    count = apart("campaigns.kills_between_operations(every=4)")
    assert count.tried > 8
    assert count.harm == []


def test_no_command_replaces_a_users_file() -> None:
    count = writing.attempts()
    assert count.tried > 70
    assert count.harm == []


def test_a_disk_that_stays_full_does_no_harm() -> None:
    count = campaigns.failing_calls(stays_full=True, every=2)
    assert count.tried > 20
    assert count.harm == []


@pytest.mark.parametrize(("engine_name", "n_kills"), [("numpy", 30), ("native", 10)])
def test_kills_at_random_moments_lose_nothing(engine_name: str, n_kills: int, apart: Callable[[str], Count]) -> None:
    assert apart(f"campaigns.kills_at_random({n_kills}, {engine_name!r})") == Count(n_kills, [])


def test_damage_is_found_and_the_older_checkpoint_used() -> None:
    content = damage.small_checkpoint()
    for count in (
        damage.truncations(content, read_checkpoint, every=5),
        damage.flips(content, read_checkpoint, every=41),
        damage.truncations(damage.small_model(), load, every=5),
        damage.flips(damage.small_model(), load, every=41),
        damage.fallbacks(every=97),
    ):
        assert count.tried > 50
        assert count.harm == []


@pytest.mark.no_cover  # other tests run its lines; counting them here, and in its like, takes a tenth of the time
@pytest.mark.parametrize("engine_name", ["numpy", "native"])
def test_a_run_is_stopped_at_every_step_and_goes_on_exactly(engine_name: str) -> None:

    def make(*callbacks: Any, epochs: int) -> Any:
        return jobs.trainer(*callbacks, engine_name=engine_name, epochs=epochs)

    count = campaigns.exact_resumes(make, steps=48)
    assert (count.tried, count.harm) == (48, [])


@pytest.mark.no_cover
def test_many_steps_in_one_call_are_stopped_at_every_step_too() -> None:
    count = campaigns.exact_resumes(jobs.small_nets_trainer, steps=48)
    assert (count.tried, count.harm) == (48, [])


@pytest.mark.parametrize(
    ("engine_name", "keeps", "some"), [("numpy", True, slice(0, None, 7)), ("native", False, slice(3, None, 11))]
)
def test_whatever_ends_a_run_what_was_learned_is_kept(
    engine_name: str, keeps: bool, some: slice, apart: Callable[[str], Count]
) -> None:
    count = apart(f"ends.ends({engine_name!r}, {keeps}, {some})")
    assert count.tried >= 5
    assert count.harm == []


@pytest.mark.parametrize(
    "campaign",
    [
        "races(3)",
        "races(3, locks=False)",
        "bad_drives(every=9)",
        "moves(slice(3, 45, 18))",
    ],
)
def test_run_folders_under_stress(campaign: str, apart: Callable[[str], Count]) -> None:
    count = apart(f"shared_folders.{campaign}")
    assert count.tried >= 3
    assert count.harm == []


def test_strings_that_drive_a_terminal_do_not_come_out() -> None:
    pytest.importorskip("PIL", reason="the extra page is not installed")
    import hostile_strings

    assert len(hostile_strings.HOSTILE) >= 60
    count = hostile_strings.strings([hostile_strings.AT_ONCE])
    assert count.tried > 60
    assert count.harm == []


# what would happen without the care that is taken


def test_a_run_that_keeps_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "keep_progress", lambda *arguments: None)
    monkeypatch.setattr(snapshot.Snapshot, "of", lambda state: 1 / 0)
    for name, keeps in (("SIGTERM", False), ("a callback's OSError", True)):
        assert "is kept" in ends.harm_of(name, "numpy", ends.MOMENTS[1], keeps=True) or not keeps
        assert "no model" in ends.harm_of(name, "numpy", ends.MOMENTS[1], keeps=keeps)


def test_a_string_that_comes_out_as_it_is_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PIL", reason="the extra page is not installed")
    import hostile_strings

    monkeypatch.setattr("deltarule.cli.printing.visible", lambda text: text)
    places = {"the command line": hostile_strings.on_the_command_line}
    assert len(hostile_strings.strings([hostile_strings.AT_ONCE], places).harm) > 10


def in_place(path: Path, data: bytes, *_: Any, **__: Any) -> None:
    with path.open("wb") as stream:
        stream.write(data)


def test_a_save_in_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "write_atomically", in_place)
    assert campaigns.failing_saves().harm != []


def test_a_checkpoint_in_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "write_atomically", in_place)
    assert campaigns.power_cuts().harm != []


def is_sync(operation: Operation, *, of_folder: bool) -> bool:
    return operation.kind == "fsync" and operation.path.endswith(".tmp") != of_folder


@pytest.mark.parametrize("of_folder", [False, True])
def test_a_missing_sync_is_found(of_folder: bool) -> None:
    harm = campaigns.power_cuts(lambda operation: is_sync(operation, of_folder=of_folder), first=12).harm
    assert harm
    assert all("lost step 4" in each for each in harm)


def test_a_save_that_does_not_wait_for_the_disk_is_found() -> None:
    assert campaigns.power_cuts_of_saves(lambda operation: is_sync(operation, of_folder=False)).harm != []


def test_silence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint.LOG, "warning", lambda *words: None)
    harm = campaigns.failing_calls(stays_full=True, every=3).harm
    assert any("loud False" in each for each in harm)
    assert all("whole True" in each for each in harm)


def test_a_resume_that_forgets_something_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltarule.training.clip_and_average.MovingAverage.load_state", lambda average, state: None)
    assert len(campaigns.exact_resumes(jobs.trainer, steps=12).harm) == 12


def test_limits_and_power_cuts_do_no_harm_which_the_program_writes(tmp_path: Path) -> None:
    results = tmp_path / "faults.json"
    program = [sys.executable, str(HERE / "faults.py"), "--only", "limits,power", "--json", results]
    said = subprocess.run(program, capture_output=True, text=True).stdout
    assert "3 of 3  two processes and one folder" in said
    rows = json.loads(results.read_text(encoding="utf-8"))
    assert [row["workload"] for row in rows] == ["limits", "limits", "limits", "power", "power"]
    assert [row["harm"] for row in rows] == 5 * [[]]
    assert all(row["tried"] == row["harmless"] > 2 and row["machine"] for row in rows)
