"""The campaigns with hostile files, and with mutated ones, as counts."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mutations
import numpy as np
from counting import Count, collected_warnings, fresh_folder
from hostile_files import SOUND_FOR

HARMLESS = {"hostile": ("refused",), "policy": ("refused", "read")}
SECONDS = 900  # for all files together; each has its own limit


def answers(which: str) -> dict[str, dict[str, str]]:
    """What each reader made of each file, in a process that is watched. "hostile", or "policy": odd, but sound."""
    program = [sys.executable, str(Path(__file__).with_name("hostile_readers.py")), which]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(program, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False)
    if done.returncode:
        return {"all": {"all": f"the process ended with {done.returncode}: {done.stderr[-500:]}"}}
    said: dict[str, Any] = json.loads(done.stdout)
    found: dict[str, dict[str, str]] = said["outcomes"]
    return found | {path: {"any": "its code ran"} for path in said["exploded"]}


def corpus(which: str = "hostile") -> Count:
    """Each file is offered to every reader: a typed error, no foreign event, and limits on memory and time."""
    count = Count()
    for name, made in answers(which).items():
        bad = {
            reader: answer
            for reader, answer in made.items()
            if answer not in HARMLESS[which] and not (answer == "read" and reader in SOUND_FOR.get(name, ()))
        }
        count.check(not bad, f"{name}: {bad}")
    return count


def fuzzed_all(seconds: float) -> Count:
    """Every target in turn, for so long each."""
    whole = Count()
    for target in mutations.TARGETS:
        count = fuzzed(target, seconds)
        whole.tried += count.tried
        whole.harm += [f"{target}: {each}" for each in count.harm]
    return whole


def fuzzed(target: str, seconds: float, seed: int = 0) -> Count:
    """A target is given mutations of sound content for so long; each must be read, or refused with an error of ours."""
    count, rng, end = Count(), random.Random(seed), time.monotonic() + seconds
    with fresh_folder() as folder, collected_warnings(), np.errstate(all="raise", under="ignore"):
        while time.monotonic() < end:
            content = mutations.TARGETS[target].mutated(rng)
            harm = mutations.harm_of(target, content, folder)
            count.check(not harm, f"{harm}: {content[:200]!r}")
    return count
