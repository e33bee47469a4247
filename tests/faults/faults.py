#!/usr/bin/env python3
"""Injects every fault there is, counts the harm done, and writes the counts.

    python tests/faults/faults.py
    python tests/faults/faults.py --only kills,signals --share 0.1

It takes some minutes. The exit code is 1 where there was any harm.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "benchmarks")]

import campaigns  # noqa: E402
import commands  # noqa: E402
import damage  # noqa: E402
import ends  # noqa: E402
import jobs  # noqa: E402
import measuring  # noqa: E402
import shared_folders  # noqa: E402
import writing  # noqa: E402
from counting import Count  # noqa: E402

from deltarule.files.checkpoint import read_checkpoint  # noqa: E402
from deltarule.files.model_file import load  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "faults.json"
Part = tuple[str, Callable[[], Count]]


def exact(engine_name: str) -> Count:
    """Every step of a run that has every option."""

    def make(*callbacks: Any, epochs: int) -> Any:
        return jobs.trainer(*callbacks, engine_name=engine_name, epochs=epochs)

    return campaigns.exact_resumes(make)


def some(share: float, number: int) -> int:
    """A share of a number, but not nothing."""
    return max(2, round(share * number))


def of_processes(share: float) -> dict[str, list[Part]]:
    """What ends a run, at a moment that is given or drawn at random; and whether the same seed gives the same bytes."""
    answered: list[Count] = []

    def signals() -> Count:
        went_on, in_time = commands.signals(some(share, 30))
        answered.append(in_time)
        return went_on

    n_kills, n_processes = some(share, 500), some(share, 50)
    every = slice(None, None, max(1, round(1 / share)))
    what = "all that ends a run or its output, at three moments, what was learned is kept"
    return {
        "ends": [
            (f"{what}: {name}, {'with' if keeps else 'without'} checkpoints", partial(ends.ends, name, keeps, every))
            for name in ends.ENGINES
            for keeps in (True, False)
        ],
        "kills": [
            (
                "SIGKILL at random moments: no kept checkpoint is lost, the run goes on, NumPy",
                partial(campaigns.kills_at_random, n_kills, "numpy"),
            ),
            ("the same, compiled", partial(campaigns.kills_at_random, n_kills, "native")),
            ("SIGKILL before each file operation of a run", campaigns.kills_between_operations),
        ],
        "signals": [
            ("`deltarule train` gets SIGTERM, Ctrl-C or SIGKILL: `--resume` ends with the same weights", signals),
            ("SIGTERM and Ctrl-C: the step is kept, and the process gone, within a second", lambda: answered[0]),
        ],
        "bytes": [
            (
                "same seed, same bytes, in fresh processes: NumPy",
                partial(commands.fresh_processes, n_processes, "numpy"),
            ),
            ("the same, compiled", partial(commands.fresh_processes, n_processes, "native")),
        ],
    }


def hostile(which: str) -> Count:
    """The corpus of hostile files, or of odd ones; it needs more to be installed than the other campaigns."""
    import hostility

    return hostility.corpus(which)


def strings(share: float) -> Count:
    """Some of the strings that drive a terminal, each in every place; they need pictures, too."""
    import hostile_strings

    return hostile_strings.strings(hostile_strings.HOSTILE[:: max(1, round(1 / share))])


def fuzzed(seconds: float) -> Count:
    """Each kind of file and message, for so long."""
    import hostility

    return hostility.fuzzed_all(seconds)


def of_strangers(share: float) -> dict[str, list[Part]]:
    """What comes from somebody else: files made to do harm, odd ones, and mutations of sound ones."""
    return {
        "hostile": [
            (
                "hostile files, each offered to every reader: a typed error, no foreign audit event, "
                "at most 64 MB beyond the file's size, under 1 s",
                partial(hostile, "hostile"),
            ),
            (
                "odd files that are sound to one reader: read or refused, within the same limits",
                partial(hostile, "policy"),
            ),
        ],
        "strings": [
            (
                "strings that drive a terminal, in tables, models, recipes, folders and on the command line: "
                "no control character comes out",
                partial(strings, share),
            ),
        ],
        "fuzz": [
            (
                "mutated model files, checkpoints, IDX, CSV, recipes, pictures and messages of the page: "
                "read, or refused with a typed error",
                partial(fuzzed, 20 * share),
            ),
        ],
    }


def of_folders(share: float) -> dict[str, list[Part]]:
    """What befalls the folder of a run: a second process, a kill, a drive that lacks something, a move."""
    every = max(1, round(1 / share))
    races = (
        "two processes and one run folder (train/train, train/evaluate, train/resume): one run's files, or a sentence"
    )
    return {
        "folders": [
            (races, partial(shared_folders.races, some(share, 200))),
            ("the same on a drive without locks", partial(shared_folders.races, some(share, 200), locks=False)),
            (
                "SIGKILL of a second run in a used folder: a reader finds one run, or gets a sentence",
                partial(shared_folders.kills_in_a_used_folder, some(share, 200)),
            ),
        ],
        "drives": [
            (
                "full, read-only, slow, without flock, without fsync, with a rename that fails: the run goes on, "
                "or says why not and where its network is",
                partial(shared_folders.bad_drives, every),
            ),
        ],
        "moves": [
            (
                "a run whose folder, data or machine is another goes on: the same bits, or the difference is named",
                partial(shared_folders.moves, slice(None, None, every)),
            ),
        ],
    }


def of_files(share: float) -> dict[str, list[Part]]:
    """What is gone through one by one; of the bits of files and their lengths, a share."""
    every = max(1, round(1 / share))
    checkpoint, model = damage.small_checkpoint(), damage.small_model()
    return {
        "calls": [
            ("each open, write, fsync, rename and close fails, with ENOSPC, EIO and EACCES", campaigns.failing_calls),
            ("from each on, the disk stays full", partial(campaigns.failing_calls, stays_full=True)),
            ("the same calls, where a model replaces an older one", campaigns.failing_saves),
        ],
        "power": [
            ("a power cut: what was not synced is lost, cut, zeroed or reordered", campaigns.power_cuts),
            ("the same, where a model replaces an older one", campaigns.power_cuts_of_saves),
        ],
        "damage": [
            ("a checkpoint cut off at each length", partial(damage.truncations, checkpoint, read_checkpoint, every)),
            ("each bit of a checkpoint turned over", partial(damage.flips, checkpoint, read_checkpoint, every)),
            ("a model file cut off at each length", partial(damage.truncations, model, load, every)),
            ("each bit of a model file turned over", partial(damage.flips, model, load, every)),
            ("the newest checkpoint is damaged: the one before is used", partial(damage.fallbacks, 5 * every)),
        ],
        "limits": [
            ("a limit on the size of files", damage.size_limits),
            ("a folder that is read-only, or a file", damage.read_only_folders),
            ("two processes and one folder", damage.two_processes),
        ],
    }


WRITING: list[Part] = [
    ("`--out`, `--plot`, `--run`, `export` on users' files and inputs: refused, none replaced", writing.attempts),
]
EXACT: list[Part] = [
    ("a run of 300 steps is stopped at each, goes on, ends with the same bytes: NumPy", partial(exact, "numpy")),
    ("the same, compiled", partial(exact, "native")),
    ("the same, many steps in one call", partial(campaigns.exact_resumes, jobs.small_nets_trainer)),
]


def main() -> None:
    """Run the campaigns that were asked for, and print and write their counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only",
        metavar="A,B",
        help="exact, writing, ends, kills, signals, bytes, folders, drives, moves, calls, power, damage, limits, "
        "hostile, strings, fuzz (all)",
    )
    parser.add_argument("--share", type=float, default=1.0, metavar="X", help="of the random ones, and of the bits (1)")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="benchmarks/results/faults.json")
    given = parser.parse_args()
    chosen = (
        {"exact": EXACT, "writing": WRITING}
        | of_processes(given.share)
        | of_folders(given.share)
        | of_files(given.share)
        | of_strangers(given.share)
    )
    names, rows = given.only.split(",") if given.only else list(chosen), []
    others = json.loads(given.json.read_text(encoding="utf-8")) if given.only and given.json.exists() else []
    for name in names:
        for says, campaign in chosen[name]:
            began = time.perf_counter()
            count = campaign()
            seconds = time.perf_counter() - began
            print(f"{count!s:>16}  {says}  ({seconds:.0f} s)", flush=True)
            for harm in count.harm[:5]:
                print(f"{'':18}{harm}")
            figures = {"tried": count.tried, "harmless": count.tried - len(count.harm), "seconds": round(seconds, 1)}
            rows.append({"benchmark": "faults", "workload": name, "fault": says} | figures | {"harm": count.harm[:5]})
    surroundings = measuring.surroundings("deltarule", "native")
    kept = [row for row in others if row["workload"] not in names]
    measuring.write_rows(given.json, [*kept, *(row | surroundings for row in rows)])
    sys.exit(any(row["harm"] for row in rows))


if __name__ == "__main__":
    main()
