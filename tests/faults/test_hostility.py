"""The corpus of hostile files, and a few dozen mutations of every kind of file; and that harm would be found."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("PIL", reason="the extra page is not installed")
pytest.importorskip("pandas", reason="the extra sklearn is not installed")
if not Path("/proc/self/statm").exists():
    pytest.skip("limits on memory as Linux has them", allow_module_level=True)

import hostile_files
import hostility
import mutations

HERE = Path(__file__).parent


@pytest.mark.no_cover
def test_every_hostile_file_is_refused_by_every_reader() -> None:
    count = hostility.corpus()
    assert count.tried > 150
    assert count.harm == []


@pytest.mark.no_cover
def test_odd_files_are_read_to_the_letter_or_refused() -> None:
    answers = hostility.answers("policy")
    assert all(answer in ("read", "refused") for made in answers.values() for answer in made.values())
    pictures = [made for name, made in answers.items() if "npz" not in name]
    assert len(pictures) > 15
    assert all(made["picture"] == "read" for made in pictures)
    assert all(answers[f"JPEG of orientation {k}"]["digit"] == "read" for k in range(10))


@pytest.mark.no_cover
def test_the_corpus_is_the_same_each_time() -> None:
    corpus = dict(hostile_files.corpus())
    assert corpus == dict(hostile_files.corpus())
    assert corpus.keys() >= hostile_files.SOUND_FOR.keys()


CARELESS = """
import pickle, sys
import hostile_readers as readers
from deltarule.errors import DeltaruleError

def careless(path):
    content = path.read_bytes()
    if content != readers.sound.model():
        try:
            pickle.loads(content)
        except MemoryError:
            raise
        except Exception as error:
            raise DeltaruleError from error

readers.READERS = {"careless": (careless, "file", readers.sound.model)}
readers.MOST_WAITING = 4.0
readers.hostile_files.FAMILIES = (readers.hostile_files.pickles,)
readers.hostile_files.warm_ups = lambda: []
sys.argv[1:] = ["hostile"]
readers.main()
"""


def test_a_careless_reader_is_found() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    done = subprocess.run([sys.executable, "-c", CARELESS], capture_output=True, text=True, env=environment, check=True)
    said = json.loads(done.stdout)
    answers = {name: made["careless"] for name, made in said["outcomes"].items()}
    assert answers["pickle of protocol 5"].startswith("foreign: ")
    assert "os.system" in answers["pickle of protocol 5"]
    assert said["exploded"] != []
    assert answers["a pipe"] == "hung"
    assert answers["a link to /dev/zero"].startswith("MemoryError")
    assert answers["HDF5"] == "refused"


@pytest.mark.parametrize("target", mutations.TARGETS)
def test_a_mutation_is_read_or_refused(target: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    logging.getLogger("deltarule").addHandler(logging.NullHandler())

    @settings(max_examples=100, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def no_harm(rng: Random) -> None:
        content = mutations.TARGETS[target].mutated(rng)
        assert mutations.harm_of(target, content, folder) == ""

    no_harm()


def test_sound_content_is_read(tmp_path: Path) -> None:
    """Or else every mutation would be refused for the wrong reason."""
    for target, make in mutations.SOUND.items():
        mutations.TARGETS[target].read(make(), tmp_path)


def test_the_fuzzer_counts() -> None:
    program = [sys.executable, str(HERE / "fuzz.py"), "--seconds", "0.2", "--only", "model file,IDX", "--seed", "1"]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()
    for line, target in zip(said, ("model file", "IDX"), strict=True):
        words = line.split()
        assert words[0] == words[2] != "0"
        assert line.endswith(f"{target}, seed 1")
