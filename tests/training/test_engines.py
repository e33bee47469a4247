"""Which engine runs: Numba's where it is there, whole, and worth it; else NumPy's, with a line that says why."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deltarule.errors import MissingExtraError
from deltarule.nn.network import Network
from deltarule.training import engine as engine_module
from deltarule.training.engine import REFERENCE, engine
from deltarule.training.trainer import Trainer, engine_for

NEW_PROCESS = """
import numpy as np
from deltarule.training.engine import engine
chosen = engine("auto")
print(chosen.name, "|", chosen.says)
"""


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    engine_module.compiled_engine.cache_clear()


def chosen_in_a_new_process(*, path: Path | None = None, before: str = "") -> tuple[str, str]:
    """The name of the engine that "auto" is, and what it says."""
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", before + NEW_PROCESS]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    name, _, says = done.stdout.strip().partition(" | ")
    return name, says.strip()


def test_without_numba_numpy_runs_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    chosen = engine("auto")
    assert (chosen.name, chosen.forward) == ("numpy", REFERENCE.forward)
    assert 'pip install "deltarule[fast]"' in chosen.says
    with pytest.raises(MissingExtraError, match=r'numba, which is not installed: run  pip install "deltarule\[fast\]"'):
        engine("numba")


@pytest.mark.parametrize("breakage", ["raise OSError('libLLVM.so: cannot open')", "jit = njit = None"])
def test_with_a_broken_numba_numpy_runs(breakage: str, tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text(breakage, encoding="utf-8")
    name, says = chosen_in_a_new_process(path=tmp_path)
    assert name == "numpy"
    assert "does not work" in says
    assert 'pip install --force-reinstall "deltarule[fast]"' in says


def test_with_nowhere_to_keep_kernels_numpy_runs() -> None:
    """As where the package and the home folder are read-only, which for root they never are."""
    pytest.importorskip("numba", reason="the extra fast is not installed")
    nowhere = "from numba.core import caching\ncaching.CacheImpl._locator_classes = []\n"
    name, says = chosen_in_a_new_process(before=nowhere)
    assert name == "numpy"
    assert "set NUMBA_CACHE_DIR to a folder" in says


def test_short_runs_stay_with_numpy_and_long_ones_do_not() -> None:
    pytest.importorskip("numba", reason="the extra fast is not installed")
    trainer = Trainer(network=Network((784, 30, 10)), epochs=30, batch_size=10)
    assert engine_for(trainer, 100, "auto").name == "numpy"
    assert engine_for(trainer, 60_000, "auto").name == "numba"
    assert engine_for(trainer, 60_000, "numpy").name == "numpy"
    assert engine_for(trainer, 1, "numba").name == "numba"


def test_the_first_compilation_is_announced_and_the_second_process_loads(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="the extra fast is not installed")
    said = []
    for _ in range(2):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", NEW_PROCESS]
        said.append(subprocess.run(command, check=True, capture_output=True, text=True, env=environment))
    assert [done.stdout.partition(" ")[0] for done in said] == ["numba", "numba"]
    assert "compiling kernels for this machine" in said[0].stderr
    assert said[0].stderr.count("\n") == 1
    assert said[1].stderr == ""


def test_the_reference_lets_an_optimizer_take_its_own_step() -> None:
    """AdamW's decay moves a weight and no bias, where the gradient is 0: 2 - 0.1 * 0.5 * 2."""
    from deltarule.nn.optimizers import AdamW
    from deltarule.training.plan import Plan

    network = Network((1, 1), output="identity", loss="quadratic", dtype=np.float64)
    network.parameters.vector[:] = 2.0, 3.0
    plan = Plan(np.zeros((1, 1)), np.array([[3.0]]), np.arange(1), 1, np.array([0.1]))
    REFERENCE.run_steps(network, AdamW(weight_decay=0.5), plan)
    np.testing.assert_allclose(network.parameters.vector, [1.9, 3.0])
