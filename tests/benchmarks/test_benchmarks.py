"""That the benchmarks run, that their arithmetic is right, and that README and docs show what they found."""

import json
import math
import runpy
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from deltarule import recipes

Run = Callable[..., tuple[str, str]]
ROOT = Path(__file__).parents[2]
MEASURING = runpy.run_path(str(ROOT / "benchmarks" / "measuring.py"))
README_TABLE = runpy.run_path(str(ROOT / "scripts" / "readme_table.py"))
COMPARED = {"benchmark", "workload", "peer", "ours_seconds", "peer_seconds"}
COMPARED |= {"ratio", "ratio_low", "ratio_high", "ratio_median"}
CIRCUMSTANCES = {"machine", "threads", "versions"}


def rows_in(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_comparison_is_the_geometric_mean_with_students_interval() -> None:
    """By hand: the logarithms of 2, 4 and 8 are 1, 2 and 3 times ln 2, so mean 2 and deviation 1 in units of ln 2."""
    row = MEASURING["comparison"]("a", "b", "c", [1.0, 2.0, 0.5], [2.0, 8.0, 4.0])
    margin = 4.30265 / math.sqrt(3)  # Student's t for two degrees of freedom, 97.5 %: any table has it
    assert row["ours_seconds"] == 1.0
    assert row["peer_seconds"] == 4.0
    assert [row["ratio"], row["ratio_low"], row["ratio_high"]] == pytest.approx(
        [4.0, 2 ** (2 - margin), 2 ** (2 + margin)], rel=1e-5
    )


def test_measures_take_turns_and_change_places() -> None:
    calls: list[str] = []

    def measure(name: str) -> Callable[[], float]:
        def call() -> float:
            calls.append(name)
            return len(calls)

        return call

    taken = MEASURING["interleaved"]({"a": measure("a"), "b": measure("b")}, 3)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert taken == {"a": [1, 4, 5], "b": [2, 3, 6]}
    calls.clear()
    taken = MEASURING["interleaved"]({"a": measure("a"), "b": measure("b")}, 3, {"b": 2})
    assert calls == ["a", "b", "b", "a", "a"]


@pytest.fixture
def short_xor(tmp_path: Path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text(recipes.read("xor").with_changes(["epochs=2"]).to_toml(), encoding="utf-8")
    return path


def test_recipes_are_measured_once_and_resumed(run: Run, tmp_path: Path, short_xor: Path) -> None:
    results = tmp_path / "new" / "recipes.json"
    options = ("--recipes", f"{short_xor},nonsense", "--json", results)
    assert run("recipes.py", *options, "--seeds", "1", exits=1)[0].startswith("xor  seed 0  accuracy ")
    (row,) = rows_in(results)
    assert row["network"] == "2-8-1"
    (first,) = row["runs"]
    assert (first["epochs"], first["parameters"], first["unseen_examples"]) == (2, 33, 0)
    assert row["accuracy"] == {"mean": first["accuracy"], "sd": None}

    said, _ = run("recipes.py", *options, "--seeds", "2", exits=1)
    assert said.startswith("xor  seed 1")
    assert said.count("\n") == 1
    (row,) = rows_in(results)
    assert row["runs"][0] == first
    assert [each["seed"] for each in row["runs"]] == [0, 1]


def test_a_changed_recipe_starts_afresh_and_new_words_do_not(run: Run, tmp_path: Path, short_xor: Path) -> None:
    results = tmp_path / "recipes.json"
    options = ("--recipes", short_xor, "--seeds", "1", "--json", results)
    assert "seed 0" in run("recipes.py", *options)[0]
    (before,) = rows_in(results)

    short_xor.write_text(
        recipes.read(str(short_xor)).with_changes(["about.expected=words"]).to_toml(), encoding="utf-8"
    )
    assert run("recipes.py", *options)[0] == ""
    assert rows_in(results) == [before | {"expected": "words"}]

    short_xor.write_text(recipes.read(str(short_xor)).with_changes(["epochs=3"]).to_toml(), encoding="utf-8")
    assert "seed 0" in run("recipes.py", *options)[0]
    (after,) = rows_in(results)
    assert [each["epochs"] for each in after["runs"]] == [3]


def test_the_ladder_runs_the_seeds_it_lacks_and_keeps_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    measure = runpy.run_path(str(ROOT / "benchmarks" / "ladder.py"))["measure"]
    known, kept = [{"seed": 1, "accuracy": 0.5, "warm_seconds": 1.0}], list[list[int]]()
    measure(
        known,
        lambda seed: {"seed": seed, "accuracy": 0.75, "warm_seconds": 2.0},
        3,
        lambda runs: kept.append([run["seed"] for run in runs]),
    )
    assert kept == [[0, 1], [0, 1, 2]]
    assert capsys.readouterr().out == "  seed 0  0.7500  2.00 s\n  seed 2  0.7500  2.00 s\n"


def test_tables_are_read_beside_pandas(run: Run, tmp_path: Path) -> None:
    results = tmp_path / "tables.json"
    said, _ = run("tables.py", "--rows", "200", "--repetitions", "2", "--json", results)
    assert said.startswith("pixels: ")
    pixels, table = rows_in(results)
    assert pixels.keys() >= COMPARED | CIRCUMSTANCES
    assert (pixels["rows"], pixels["columns"], pixels["asked_seconds"]) == (200, 785, 2.0)
    assert table["workload"] == "table"


def test_settings_are_chosen_on_training_examples(run: Run, tmp_path: Path) -> None:
    """A sixth of arithmetic's 2,000 training examples are 333; its test set has 500."""
    results = tmp_path / "choices.json"
    changed = ("--recipes", "arithmetic", "--seeds", "1", "--set", "epochs=1", "--json", results)
    run("recipes.py", *changed, "--choose")
    (row,) = rows_in(results)
    assert row["workload"] == "arithmetic epochs=1"
    assert row["held_out"]
    assert row["runs"][0]["unseen_examples"] == 333
    run("recipes.py", *changed, exits=2)


@pytest.mark.usefixtures("_workers_here")
def test_epoch_compares_and_weighs(run: Run, tmp_path: Path) -> None:
    said, _ = run("epoch.py", "--examples", "256", "--repetitions", "2", "--json", tmp_path / "epoch.json")
    (row,) = rows_in(tmp_path / "epoch.json")
    assert row.keys() >= COMPARED | CIRCUMSTANCES | {"repetitions", "peak_megabytes"}
    assert (row["images"], row["engine"]) == ("synthetic", "numpy")  # no test gives it DELTARULE_DATA
    assert row["ratio_low"] < row["ratio"] < row["ratio_high"]
    assert "times ours" in said


@pytest.mark.usefixtures("_workers_here")
def test_kinds_of_training_stand_beside_classes(run: Run, tmp_path: Path) -> None:
    said, _ = run("kinds.py", "--examples", "256", "--repetitions", "2", "--json", tmp_path / "kinds.json")
    rows = rows_in(tmp_path / "kinds.json")
    assert [row["peer"] for row in rows] == ["labels", "values", "dropout", "clip"]
    assert all(row["ratio_low"] < row["ratio"] < row["ratio_high"] for row in rows)
    assert said.startswith("labels ")


def test_startup_compares_fresh_processes(run: Run, tmp_path: Path) -> None:
    run("startup.py", "--repetitions", "2", "--json", tmp_path / "startup.json")
    rows = rows_in(tmp_path / "startup.json")
    assert [row["workload"] for row in rows] == ["import deltarule", "deltarule --help"]
    for row in rows:
        assert row.keys() == COMPARED | CIRCUMSTANCES | {"repetitions", "extra_seconds"}


def test_checkpoints_are_weighed(run: Run, tmp_path: Path) -> None:
    few = ("--examples", "128", "--checkpoints", "5", "--repetitions", "2", "--engine", "numpy")
    said, _ = run("checkpoint.py", *few, "--json", tmp_path / "checkpoint.json")
    (row,) = rows_in(tmp_path / "checkpoint.json")
    assert row.keys() >= COMPARED | CIRCUMSTANCES
    assert row["checkpoints"] == 5
    assert 0.0 < row["p50_ms"] <= row["p99_ms"]
    assert "of the training thread, p99" in said


def test_a_run_is_compared_with_one_that_a_page_watches(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the page needs its extra: pip install 'deltarule-nn[page]'")
    options = ("--runs", "quick:1", "--repetitions", "2", "--frames-only", "--json")
    said, _ = run("playground.py", *options, tmp_path / "playground.json")
    (row,) = rows_in(tmp_path / "playground.json")
    assert row.keys() == COMPARED | CIRCUMSTANCES | {"repetitions", "engine"}
    assert (row["workload"], row["peer"]) == ("quick:1 on digits", "watched: frames")
    assert row["engine"] in ("native", "numpy")
    assert said.startswith("quick:1")


def test_a_pointer_event_is_measured_in_the_browser(run: Run, tmp_path: Path) -> None:
    if which("chromium") is None or find_spec("playwright") is None:
        pytest.skip("Chromium or Playwright is not here")
    said, _ = run("pointer.py", "--repetitions", "20", "--json", tmp_path / "pointer.json")
    (row,) = rows_in(tmp_path / "pointer.json")
    assert row["events"] == 20
    assert 0 <= row["handler_p95_seconds"] < row["event_p95_seconds"]
    assert row["most_frames"] <= 2
    assert said.startswith("a pointer event: p95")


def recipe_row(workload: str, unseen: int, seconds: float, runs: int, **scores: Any) -> Any:
    lowest = {name: score["mean"] - 0.01 for name, score in scores.items()}
    circumstances = {"engine": "numpy", "machine": "A, 2 cores", "versions": {"python": "3.11.7", "numpy": "2.4"}}
    return {
        "workload": workload,
        "network": "2-1",
        "expected": "much",
        "source": "us",
        "train_seconds": seconds,
        "runs": [{"unseen_examples": unseen} | lowest | circumstances] * runs,
        **scores,
    }


def test_the_table_says_what_was_measured() -> None:
    exact, rough = {"mean": 0.98854, "sd": 0.00036}, {"mean": 0.5, "sd": None}
    rows = [
        recipe_row("default", 10, 123.4, 5, accuracy=exact),
        recipe_row("digits", 10, 9.96, 5, accuracy=exact, mnist_accuracy=exact),
        recipe_row("arithmetic", 10, 1.55, 2, r2=exact),
        recipe_row("xor", 0, 0.051, 1, accuracy=rough),
    ]
    assert README_TABLE["recipes_table"](rows).splitlines() == [
        "| recipe | network | result | seconds | expected | source |",
        "|---|---|---|---:|---|---|",
        "| `default` | 2-1 | 98.85 ± 0.04 % (5 seeds, the lowest 97.85) | 123 | much | us |",
        "| `digits` | 2-1 | 98.85 ± 0.04 %; 98.85 ± 0.04 % of MNIST's test set (5 seeds, the lowest 97.85) | 10 | much "
        "| us |",
        "| `arithmetic` | 2-1 | R² 0.9885 ± 0.0004 (2 seeds, the lowest 0.9785) | 1.6 | much | us |",
        "| `xor` | 2-1 | 50.00 % of its training examples (1 seed) | 0.051 | much | us |",
        "",
        "Mean ± standard deviation on examples not used for training; seconds is the median time of training. "
        "Measured by `benchmarks/recipes.py`: engine numpy; A, 2 cores; python 3.11.7, numpy 2.4.",
    ]


def peer_row(workload: str, peer: str, ratio: float | None, **more: Any) -> Any:
    interval = {"ratio": ratio, "ratio_low": ratio and ratio - 0.1, "ratio_high": ratio and ratio + 0.1}
    circumstances = {"engine": "native", "machine": "A, 2 cores", "versions": {"python": "3.11.7", "torch": "2.13"}}
    return {"workload": workload, "peer": peer, "ours_seconds": 0.4567} | interval | circumstances | more


def test_the_peers_stand_beside_each_other() -> None:
    start = {"learned_alike": True, "ours_cold_seconds": 1.234, "ours_first_seconds": 9.0, "ours_peak_megabytes": 99.5}
    torch = {"peer_cold_seconds": 3.0, "peer_first_seconds": 3.5, "peer_peak_megabytes": 512.3}
    rows = [
        peer_row("small", "PyTorch", 2.0, **start, **torch),
        peer_row("small", "JAX", None, absent="pip install jax"),
        peer_row("small", "sgemm", 0.5),
        peer_row("deep", "PyTorch", 1.0),
    ]
    lines = README_TABLE["peers_table"](rows).splitlines()
    assert lines[:7] == [
        "| | deltarule | PyTorch | JAX | sgemm |",
        "|---|---:|---:|---:|---:|",
        "| small | 0.457 s | 2.00 (1.90 to 2.10) | absent | 0.50 (0.40 to 0.60) |",
        "| deep | 0.457 s | 1.00 (0.90 to 1.10) |  |  |",
        "| cold | 1.23 s | 3 s |  |  |",
        "| cold, the first time | 9 s | 3.5 s |  |  |",
        "| peak memory | 99.5 MB | 512 MB |  |  |",
    ]
    assert "rows are for small. " in lines[-1]
    assert lines[-1].endswith("`benchmarks/peers.py`: engine native; A, 2 cores; python 3.11.7, torch 2.13.")


def test_the_faults_are_counted() -> None:
    row = {"fault": "SIGKILL", "tried": 1000, "harmless": 999, "machine": "A, 2 cores", "versions": {"python": "3.11"}}
    assert README_TABLE["reliability_table"]([row, row | {"harmless": 1000}]).splitlines() == [
        "| fault | injected | without harm |",
        "|---|---:|---:|",
        "| SIGKILL | 1,000 | 999 |",
        "| SIGKILL | 1,000 | 1,000 |",
        "",
        "Counted by `make faults`: A, 2 cores; python 3.11.",
    ]


@pytest.mark.usefixtures("mnist")
def test_drawings_are_read_in_every_way(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image", reason="pictures need Pillow: install deltarule-nn[page]")
    results = tmp_path / "ink.json"
    said, _ = run("ink.py", "--examples", "48", "--json", results)
    rows = rows_in(results)
    assert len(said.splitlines()) == len(rows) - 1
    assert {row["workload"] for row in rows} >= {"as they are", "0.3 to 1 of a pad, through files"}
    for row in rows:
        assert row["benchmark"] == "ink"
        assert row["examples"] == 48
        assert row.keys() >= CIRCUMSTANCES
    assert {row["identical"] for row in rows[:2]} == {1.0}
    assert min(row["accuracy"] for row in rows if "identical" in row) >= 0.95


def test_filling_the_readme_twice_changes_nothing() -> None:
    begin, end = "<!-- peers: begin -->", "<!-- peers: end -->"
    once = README_TABLE["filled"](f"above\n{begin}old{end}\nbelow\n", "peers", "a table")
    assert once == f"above\n{begin}\n\na table\n\n{end}\nbelow\n"
    assert README_TABLE["filled"](once, "peers", "a table") == once
    with pytest.raises(SystemExit, match="in this order"):
        README_TABLE["filled"](f"{end}{begin}", "peers", "a table")


@pytest.fixture
def measured() -> Any:
    results = README_TABLE["RESULTS"] / "recipes.json"
    if not results.exists():
        pytest.skip("the recipes have not been measured yet: run benchmarks/recipes.py")
    return rows_in(results)


def record(workload: str, accuracy: float, copies: int = 0, **more: Any) -> dict[str, Any]:
    against = {"only_this": 3, "only_other": 9, "p": 0.146}
    row = {
        "workload": workload,
        "accuracy": accuracy,
        "copies": copies,
        "members": [workload],
        "against_first": against,
    }
    return row | {"seconds": 600.0, "multiply_adds": 3.8e13, "machine": "a machine", "versions": {"numpy": "2"}} | more


def test_the_table_of_records_takes_seeds_together() -> None:
    rows = [record(f"short, seed {n}", 0.9945 + 0.0002 * n, copies) for n in (0, 1) for copies in (0, 16)]
    rows += [record("all", 0.996, copies, members=["short, seed 0", "short, seed 1"]) for copies in (0, 16)]
    assert README_TABLE["records_table"](rows).splitlines()[2:4] == [
        "| short | 1 | 99.46 ± 0.01 (2 seeds) | 99.46 ± 0.01 (2 seeds) | 10 | 3.8e+13 |",
        "| all | 2 | 99.60 | 99.60 | 10 | 3.8e+13 |",
    ]


def test_the_table_of_ideas_sets_each_beside_the_run_with_all() -> None:
    rows = [record("an hour", 0.996), record("short", 0.994), record("short, no average", 0.992)]
    assert README_TABLE["ideas_table"](rows).splitlines()[2:4] == [
        "| all of them | 99.40 |  | |",
        "| no average | 99.20 | 3, 9 | 0.15 |",
    ]


@pytest.mark.parametrize("page", README_TABLE["PAGES"], ids=lambda page: page.stem)
def test_the_pages_show_the_measured_tables(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert ": begin -->" in text
    assert README_TABLE["written"](text) == text, "run scripts/readme_table.py"


def test_the_three_figures_are_those_of_the_tables() -> None:
    score = {"mean": 0.98854, "sd": 0.00036}
    recipes = [recipe_row("xor", 0, 0.05, 1, accuracy=score), recipe_row("default", 10, 9.12, 5, accuracy=score)]
    peers = [peer_row("small", "scikit-learn", 4.0), peer_row("small", "PyTorch", 2.0)]
    faults = [{"tried": 1000, "harmless": 999}, {"tried": 500, "harmless": 500}]
    assert README_TABLE["figures_table"](recipes, peers, faults).splitlines()[2:] == [
        "| `deltarule train` reads MNIST's test images after 9.1 s of training | 98.85 ± 0.04 % (5 seeds, the lowest "
        "97.85) | [table](docs/recipes.md) |",
        "| an epoch of small takes 0.457 s; PyTorch takes | 2.00 (1.90 to 2.10) times as long | "
        "[table](docs/speed.md) |",
        "| of 1,500 injected faults, those that did no harm | 1,499 | [table](docs/reliability.md) |",
    ]


def test_every_recipe_was_measured_as_it_is_now(measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script = runpy.run_path(str(ROOT / "benchmarks" / "recipes.py"))
    short = [name for name in recipes.names() if name not in script["LONG"]]
    now = {name: script["digest"](recipes.read(name), held_out=False) for name in short}
    assert {row["workload"]: row["digest"] for row in measured} == now, "run benchmarks/recipes.py"


@pytest.mark.usefixtures("_workers_here")
def test_sparse_rows_beside_scikit_learn(run: Run, tmp_path: Path) -> None:
    sizes = ("--samples", "40", "--features", "500", "--repetitions", "2", "--solvers", "sgd", "--engine", "numpy")
    assert "times as long" in run("sparse.py", *sizes, "--json", tmp_path / "rows.json")[0]
    (row,) = rows_in(tmp_path / "rows.json")
    assert row["workload"] == "40 x 500, sgd"
    assert row.keys() >= COMPARED | CIRCUMSTANCES
    assert row["ours_loss"] == pytest.approx(row["peer_loss"], rel=1e-9)
