"""Which engine runs: the library in C where it is there and whole; else NumPy's, with a line that says why."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deltarule.errors import FileError, SettingError
from deltarule.native import build
from deltarule.native.loader import library
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD, AdamW
from deltarule.training.engine import REFERENCE, engine
from deltarule.training.plan import Plan


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    library.cache_clear()
    yield
    library.cache_clear()


def test_auto_is_native_and_says_nothing() -> None:
    assert (engine("auto").name, engine("auto").says) == ("native", "")


def test_without_a_library_numpy_runs_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "HERE", copy_of_sources(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setitem(sys.modules, "ziglang", None)
    chosen = engine("auto")
    assert chosen.name == "numpy"
    assert "no C compiler was found: install gcc, clang, or the package ziglang" in chosen.says
    (tmp_path / "native" / "native.c").unlink()  # as DELTARULE_PURE leaves it
    with pytest.raises(FileError, match=r"DELTARULE_PURE .* pip install --force-reinstall --no-cache-dir deltarule-nn"):
        engine("native")


def test_a_checkout_compiles_nothing_where_deltarule_pure_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "HERE", copy_of_sources(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DELTARULE_PURE", "1")
    chosen = engine("auto")
    assert chosen.name == "numpy"
    assert "it is not compiled while DELTARULE_PURE is set; to get it, unset that" in chosen.says


def copy_of_sources(folder: Path) -> Path:
    """The room's sources, without what was compiled of them."""
    return Path(shutil.copytree(build.HERE, folder / "native", ignore=shutil.ignore_patterns("*.so", "__pycache__")))


def test_a_build_replaces_its_own_library_and_leaves_others_in_a_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "HERE", copy_of_sources(tmp_path))
    touch = [sys.executable, "-c", "import sys; open(sys.argv[-1], 'w').close()"]  # instead of a compiler
    for folder, left in ((build.HERE, 1), (tmp_path / "cache", 2)):
        folder.mkdir(exist_ok=True)
        (folder / f"native-0123456789abcdef{build.SUFFIX}").touch()
        made = build.build(folder, touch)
        assert made.parent == folder
        assert len(list(folder.glob("native-*"))) == left


def put(content: bytes, here: Path, *, name: str = "") -> None:
    """A file instead of the library, as if it had been compiled from the sources beside it."""
    (here / "made").write_bytes(content)
    name = name or build.content_hash(here / "made")
    (here / "made").rename(here / f"native-{build.sources_hash()}-{name}{build.SUFFIX}")


@pytest.mark.parametrize("length", [0, 4096, None])
def test_a_damaged_library_is_not_loaded(length: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Loaded after the first page, or with a page of zeros, it would end the process."""
    library()
    sound, here = next(build.HERE.glob(f"native-{build.sources_hash()}-*")), copy_of_sources(tmp_path)
    content = sound.read_bytes()
    middle = len(content) // 2
    damaged = content[:length] if length is not None else content[:middle] + b"?!" + content[middle + 2 :]
    monkeypatch.setattr(build, "HERE", here)
    put(damaged, here, name=sound.stem.rpartition("-")[2])
    library.cache_clear()
    assert (engine("auto").name, "is damaged: delete it" in engine("auto").says) == ("numpy", True)
    with pytest.raises(FileError, match="is damaged: delete it"):
        engine("native")


def test_a_library_of_another_architecture_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library()
    content = bytearray(next(build.HERE.glob(f"native-{build.sources_hash()}-*")).read_bytes())
    content[18] ^= 0xFF  # the processor in the header of an ELF file
    here = copy_of_sources(tmp_path)
    monkeypatch.setattr(build, "HERE", here)
    put(bytes(content), here)
    library.cache_clear()
    assert engine("auto").name == "numpy"
    assert "the native engine is not available (" in engine("auto").says


def test_a_library_of_other_sources_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library()
    here = copy_of_sources(tmp_path)
    newest = next(build.HERE.glob(f"native-{build.sources_hash()}*")).read_bytes()
    with (here / "step.c").open("a", encoding="utf-8") as source:
        source.write("/* changed */")
    monkeypatch.setattr(build, "HERE", here)
    put(newest, here)
    library.cache_clear()
    assert "made from other sources" in engine("auto").says


def test_a_processor_without_its_instructions_gets_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "instruction_sets", list)
    assert 'neither AVX2 nor NEON: use engine="numpy"' in engine("auto").says


@pytest.mark.parametrize(("name", "value"), [("DELTARULE_THREADS", "none"), ("DELTARULE_INSTRUCTIONS", "v9")])
def test_a_variable_that_means_nothing_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    network = Network((1, 1), output="identity", loss="quadratic")
    plan = Plan(np.zeros((1, 1)), np.zeros((1, 1)), np.arange(1), 1, np.array([0.1]))
    with pytest.raises(SettingError, match=f"{name} is '{value}'"):
        engine("native").run_steps(network, SGD(), plan)


def test_a_new_process_loads_what_another_compiled() -> None:
    library()
    program = "from deltarule.training.engine import engine; print(engine('auto').name)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("native\n", "")


def test_the_reference_lets_an_optimizer_take_its_own_step() -> None:
    """AdamW's decay moves a weight and no bias, where the gradient is 0: 2 - 0.1 * 0.5 * 2."""
    network = Network((1, 1), output="identity", loss="quadratic", dtype=np.float64)
    network.parameters.vector[:] = 2.0, 3.0
    plan = Plan(np.zeros((1, 1)), np.array([[3.0]]), np.arange(1), 1, np.array([0.1]))
    REFERENCE.run_steps(network, AdamW(weight_decay=0.5), plan)
    np.testing.assert_allclose(network.parameters.vector, [1.9, 3.0])
