"""Every cell of the table of parts is filled with what exists and does what the part does, or says why it is empty."""

import dataclasses
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from one_step import passed

from deltarule import parts
from deltarule.files.exchange.onnx import onnx_bytes
from deltarule.nn.activations import LeakyReLU
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.parts import BASES, PARTS, ROWS, No, Part, kernel_values, make, object_at, part_of
from deltarule.settings import setting, setting_names
from deltarule.training.engine import REFERENCE, engine
from deltarule.training.plan import Plan

X = np.random.default_rng(3).normal(size=(17, 5))
IDS = [f"{row.kind} {row.name}" for row in ROWS]
KERNELS = [row for row in ROWS if not isinstance(row.kernel, No)]


def made(row: Part, dtype: Any = None) -> Any:
    """The part with settings that are not its defaults, so that one which is lost shows."""
    if row.kind == "initializer":
        return row.maker
    names = {field.name: field for field in dataclasses.fields(row.maker) if field.type in (int, float)}
    names.pop("steps", None)
    given = {name: 3 if field.type is int else 0.4 for name, field in names.items() if field.init}
    given |= {name: 4.0 for name in given if name.endswith("_divisor")}  # which are 1 or more
    return make(row.kind, {"name": row.name} | given)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_cell_is_filled_or_says_why_not(row: Part) -> None:
    for cell in dataclasses.fields(row):
        value = getattr(row, cell.name)
        if isinstance(value, No):
            assert len(value.split()) >= 4, cell.name
        elif cell.name != "synonyms":
            assert value, cell.name
    assert row.name == row.name.lower()
    assert not set(row.synonyms) & set(PARTS[row.kind])
    thing = made(row)
    assert isinstance(thing, object_at(BASES[row.kind]))
    assert row.kind == "initializer" or part_of(thing) is row


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_every_setting_of_a_part_is_declared(row: Part) -> None:
    names = [] if row.kind == "initializer" else setting_names(row.maker)
    for name in names:
        declared = setting(name, row.maker)
        assert declared is not None, name
        (default,) = (each.default for each in dataclasses.fields(row.maker) if each.name == name)
        assert (None if default is dataclasses.MISSING else default) == declared.default, name
        assert declared.says.endswith(".")


@pytest.mark.parametrize("row", KERNELS, ids=[f"{row.kind} {row.name}" for row in KERNELS])
def test_a_kernel_exists_and_is_given_the_settings_by_their_names(row: Part) -> None:
    code, *settings = row.kernel.split()
    known = kernel_values(made(row))
    assert known is not None
    assert known[0] == object_at(code)
    assert list(known[1:]) == [0.0 if name == "-" else getattr(made(row), name) for name in settings]
    assert {name for name in settings if name != "-"} == set(setting_names(row.maker))


def test_a_setting_by_a_wrong_name_is_no_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    row = dataclasses.replace(PARTS["activation"]["leaky_relu"], kernel="deltarule.native.codes:LEAKY_RELU slop")
    monkeypatch.setitem(parts._BY_HOME, row.home, row)
    with pytest.raises(AttributeError, match="slop"):
        kernel_values(LeakyReLU())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PARTS["activation"])
def test_an_activations_kernel_equals_it(name: str, dtype: Any) -> None:
    y, net = np.arange(len(X)) % 3, Network((5, 6, 3), hidden=made(PARTS["activation"][name]), dtype=dtype, rng=1)
    found = []
    for each in (REFERENCE, engine("native")):
        _, ws, grads = passed(each, net, X.astype(dtype), y)
        found.append(np.concatenate([ws.a[1].ravel(), ws.a[0].ravel(), grads.vector]))
    np.testing.assert_allclose(found[1], found[0], rtol=0.0, atol=3e-6 if dtype is np.float32 else 1e-13)


@pytest.mark.parametrize("name", PARTS["optimizer"])
def test_an_optimizers_kernel_equals_it(name: str) -> None:
    ends: list[Array] = []
    for each in (REFERENCE, engine("native")):
        net = Network((5, 3), output="identity", loss="quadratic", dtype=np.float64, rng=1)
        plan = Plan(X, np.sin(np.arange(51.0)).reshape(17, 3), np.arange(17), 4, np.full(5, 0.1))
        each.run_steps(net, made(PARTS["optimizer"][name]), plan)
        ends.append(net.parameters.vector)
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "name", [row.name for row in ROWS if row.kind == "activation" and not isinstance(row.onnx, No)]
)
def test_onnx_operators_compute_the_activation(name: str, dtype: Any) -> None:
    pytest.importorskip("onnx", reason='needs ONNX: pip install "deltarule-nn[onnx]"')
    runtime = pytest.importorskip("onnxruntime", reason="needs ONNX Runtime")
    net = Network((5, 6, 3), hidden=made(PARTS["activation"][name]), dtype=dtype, rng=1)
    session = runtime.InferenceSession(onnx_bytes(net, pixels=False), providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {"X": (3.0 * X).astype(dtype)})
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(given, net.outputs((3.0 * X).astype(dtype)), rtol=0.0, atol=tolerance)


@pytest.mark.parametrize("row", [row for row in ROWS if not isinstance(row.sklearn, No)], ids=lambda row: row.name)
def test_scikit_learn_knows_the_name(row: Part) -> None:
    networks = pytest.importorskip("sklearn.neural_network", reason='needs pip install "deltarule-nn[sklearn]"')
    inside = import_module("sklearn.neural_network._base")
    z = np.linspace(-2.0, 2.0, 5)[np.newaxis]
    if row.name in ("exponential", "poisson") and not hasattr(inside, "poisson_loss"):
        pytest.skip("scikit-learn has the Poisson loss from 1.7 on")
    if row.kind == "activation":
        theirs = z.copy()
        inside.ACTIVATIONS[row.sklearn](theirs)
        np.testing.assert_allclose(theirs, row.maker().value(z), rtol=1e-12)
    elif row.kind == "loss":
        assert row.sklearn in inside.LOSS_FUNCTIONS
    elif row.kind == "penalty":
        assert row.sklearn in networks.MLPClassifier().get_params()
    else:
        argument = {"optimizer": "solver", "schedule": "learning_rate"}[row.kind]
        networks.MLPClassifier(**{argument: row.sklearn})._validate_params()
