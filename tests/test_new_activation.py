"""A new activation is a class, a row and a kernel: Softplus, added by the tests, works wherever activations do."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule import parts, recipes
from deltarule.cli import main
from deltarule.data.dataset import Dataset, Splits
from deltarule.nn import activations
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.public import part
from deltarule.recipes.build import build
from deltarule.training.engine import engine

SOURCE = Path(__file__).parents[1] / "src" / "deltarule"
HELPERS = Path(__file__).parent / "native"
WITHOUT = "nobody has written it in C"
X, Y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3


@part(frozen=True)
class Softplus(Activation):
    """sigma(z) = ln(1 + e^z)."""

    def value(self, z: Array) -> Array:
        up = z.real > 0.0
        return np.where(up, z, 0.0) + np.log1p(np.exp(np.where(up, -z, z)))

    def derivative(self, z: Array, a: Array) -> Array:
        return 0.5 * (1.0 + np.tanh(0.5 * z))


OPERATORS = (  # max(z, 0) + ln(1 + e^-|z|)
    parts.Operator("Max", "above", ("z", 0.0)),
    parts.Operator("Abs", "size"),
    parts.Operator("Neg", "below", ("size",)),
    parts.Operator("Exp", "exp", ("below",)),
    parts.Operator("Add", "sum", ("exp", 1.0)),
    parts.Operator("Log", "log", ("sum",)),
    parts.Operator("Add", "a", ("above", "log")),
)


@pytest.fixture
def _softplus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The class, and its row, which says why there is no kernel."""
    no = parts.No(WITHOUT)
    home = "deltarule.nn.activations:Softplus"
    monkeypatch.setattr(Softplus, "__module__", "deltarule.nn.activations")
    monkeypatch.setattr(activations, "Softplus", Softplus, raising=False)
    row = parts.Part("activation", "softplus", home, no, OPERATORS, no, ("soft_relu",))
    monkeypatch.setitem(parts.PARTS["activation"], row.name, row)
    monkeypatch.setitem(parts._BY_HOME, home, row)
    return


def network(**more: Any) -> dr.Network:
    return dr.Network((4, 6, 3), hidden="softplus", rng=1, **more)


@pytest.mark.usefixtures("_softplus")
def test_it_is_trained_by_name_and_its_gradient_is_right() -> None:
    net = network(dtype=np.float64)
    assert net.activations[0] == Softplus()
    history = dr.fit(net, X, Y, epochs=3, optimizer="sgd", learning_rate=0.1)
    assert history["train_loss"][-1] < history["train_loss"][0]
    assert dr.gradcheck(net, X, Y).ok
    with pytest.raises(dr.DeltaruleError, match="no activation is called 'soft_relu': did you mean 'softplus'"):
        dr.Network((4, 6, 3), hidden="soft_relu")


@pytest.mark.usefixtures("_softplus")
def test_a_recipe_names_it_and_a_file_keeps_it(tmp_path: Path) -> None:
    recipe = recipes.read("quick").with_changes(
        ["hidden=[6]", "activation=softplus", "epochs=1", "scaling=standardized"]
    )
    job = build(recipe, Splits(Dataset(X, Y, class_names=("a", "b", "c")), None))
    job.trainer.fit(job.train)
    dr.save(job.model, tmp_path / "kept.safetensors")
    again = dr.load(tmp_path / "kept.safetensors")
    assert again.network.activations[0] == Softplus()
    np.testing.assert_array_equal(again.network.parameters.vector, job.model.network.parameters.vector)
    dr.save_npz(job.model, tmp_path / "kept.npz")
    assert '"softplus"' in str(np.load(tmp_path / "kept.npz")["meaning"])


@pytest.mark.usefixtures("_softplus")
def test_onnx_computes_it(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason='needs ONNX: pip install "deltarule-nn[onnx]"')
    runtime = pytest.importorskip("onnxruntime", reason="needs ONNX Runtime")
    net = network(dtype=np.float64)
    dr.save_onnx(net, tmp_path / "kept.onnx", pixels=False)
    session = runtime.InferenceSession(tmp_path / "kept.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"X": X})[0], net.outputs(X), rtol=1e-12)


@pytest.mark.usefixtures("_softplus")
def test_without_a_kernel_numpy_computes_the_run_and_it_is_known(caplog: pytest.LogCaptureFixture) -> None:
    run = network(), dr.Adam(), dr.L2(0.1)
    chosen = engine("auto", *run)
    assert (chosen.name, chosen.says) == ("numpy", f"Softplus has no kernel ({WITHOUT})")
    assert engine("native", *run) == chosen
    own = type("Own", (dr.Tanh,), {})
    assert engine("auto", dr.Network((4, 6, 3), hidden=own())).says == "Own is not deltarule's own"
    with caplog.at_level(logging.DEBUG, "deltarule"):
        dr.fit(network(), X, Y, epochs=1, engine="native")
    assert f"the engine is numpy: Softplus has no kernel ({WITHOUT})" in caplog.text


@pytest.mark.usefixtures("_softplus")
def test_train_says_that_numpy_computes_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")
    command = ["deltarule", "train", "linear", "--data", "digits", "--epochs", "1"]
    monkeypatch.setattr(sys, "argv", [*command, "--set", "hidden=[6]", "--set", "network.activation=softplus"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    assert f"NumPy: Softplus has no kernel ({WITHOUT})" in capsys.readouterr().err


CLASS = '''

@part(frozen=True)
class Softplus(Activation):
    """sigma(z) = ln(1 + e^(beta z)) / beta."""

    alpha: float = 1.0

    def value(self, z: Array) -> Array:
        return np.logaddexp(0.0, self.alpha * z) / self.alpha

    def derivative(self, z: Array, a: Array) -> Array:
        return 0.5 * (1.0 + np.tanh(0.5 * self.alpha * z))
'''
ROW = """
[parts.activation.softplus]
home = "deltarule.nn.activations:Softplus"
kernel = "deltarule.native.codes:SOFTPLUS alpha"
onnx = [["Softplus", "a"]]
torch = "Softplus beta=alpha"

"""
VALUE = """    case SOFTPLUS:
        EACH a[j] = (larger(c * z[j], 0) + logarithm_of_1_plus(exponential(-size_of(c * z[j])))) / c;
        break;
"""
SLOPE = "    case SOFTPLUS: EACH delta[j] *= sigmoid(c * z[j]); break;\n"
PROGRAM = """
import numpy as np
import deltarule as dr
from deltarule.training.engine import REFERENCE, engine
from one_step import passed
X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
network = dr.Network((4, 6, 3), hidden={"name": "softplus", "alpha": 0.7}, dtype=np.float64, rng=1)
found = []
for each in (REFERENCE, engine("native")):
    loss, ws, grads = passed(each, network, X, y)
    found.append(np.concatenate([ws.a[0].ravel(), grads.vector, [loss]]))
np.testing.assert_allclose(found[1], found[0], rtol=0.0, atol=1e-13)
assert dr.gradcheck(network, X, y).ok
dr.save(network, "kept.safetensors")
assert dr.load("kept.safetensors").network.activations[0].alpha == 0.7
print("the same")
"""


def edited(path: Path, before: str, added: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, added + before), encoding="utf-8")


def test_a_class_a_row_and_a_kernel_are_all_that_it_takes(tmp_path: Path) -> None:
    """The three edits, made to a copy of the package: both engines then find the same gradient."""
    copy = tmp_path / "deltarule"
    ignored = shutil.ignore_patterns("__pycache__", "static", "pretrained", "cli", "*.npz", "*.so")
    shutil.copytree(SOURCE, copy, ignore=ignored)
    with (copy / "nn" / "activations.py").open("a", encoding="utf-8") as module:
        module.write(CLASS)
    edited(copy / "parts.toml", "[parts.activation.softmax]", ROW)
    kernels = copy / "native" / "layers.h"
    edited(kernels, ", SOFTMAX }", ", SOFTPLUS")
    edited(kernels, "    case SOFTMAX:\n        most", VALUE)
    edited(kernels, "    case SOFTMAX: /*", SLOPE)
    build = (copy / "native" / "build.py").read_text(encoding="utf-8")  # for float64 alone, and without haste
    build = build.replace('"float": "32", ', "").replace("-O3", "-O1").replace('["v4", "v3"]', '["v3"]')
    (copy / "native" / "build.py").write_text(build, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(HELPERS)])}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.stdout.strip() == "the same", done.stderr
