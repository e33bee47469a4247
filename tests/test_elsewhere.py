"""Names of other libraries: each row is for a name that does not exist, and its line is made of names that do."""

import copy
import pickle
import re
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule import errors
from deltarule.elsewhere import line_for, words
from deltarule.errors import MissingNameError, SettingError, UnknownNameError
from deltarule.files.page import Page
from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.inspection.plots.picture import Picture
from deltarule.public import ACTS

NAMES = words()["names"]
DATA = dr.Dataset(np.eye(3), np.arange(3))
THINGS: dict[str, Any] = {
    "deltarule": dr,
    "Network": dr.Network((3, 3)),
    "Model": dr.Model(dr.Network((3, 3))),
    "Parameters": dr.Parameters((3, 3)),
    "History": dr.History(),
    "Dataset": DATA,
    "Picture": object.__new__(Picture),
    "Page": Page(""),
    "Trainer": dr.Trainer(network=dr.Network((3, 3))),
    "TrainingState": object.__new__(dr.TrainingState),
    "Optimizer": dr.Adam(),
    "Loss": dr.Quadratic(),
    "Activation": dr.Tanh(),
    "Splits": dr.Splits(DATA),
}
if find_spec("sklearn"):
    THINGS["Perceptron"] = dr.MLPClassifier()
ASKED = {(whose, name) for whose, name in NAMES if whose in THINGS and name not in ACTS}
ASKED |= {(other, name) for whose, name in ASKED for other in ("Model", "deltarule") if whose == "Network"}
ASKED -= {(whose, name) for whose, name in ASKED if whose == "deltarule" and find_spec(f"deltarule.{name}")}  # a room
ABSENT = sorted((whose, name) for whose, name in ASKED if not hasattr(THINGS[whose], name))


@pytest.mark.parametrize("whose", sorted({whose for whose, _ in ABSENT}))
def test_a_name_of_another_library_is_answered_with_its_line(whose: str) -> None:
    for name in (name for each, name in ABSENT if each == whose):
        with pytest.raises(UnknownNameError) as caught:
            getattr(THINGS[whose], name)
        assert str(caught.value).endswith(f"has no attribute {name!r}: use {line_for(whose, name)}")


def test_hasattr_searches_for_no_near_names(monkeypatch: pytest.MonkeyPatch) -> None:
    network = dr.Network((3, 3))
    with pytest.raises(UnknownNameError) as caught:
        network.wieghts  # noqa: B018
    assert "did you mean 'weights'?" in str(pickle.loads(pickle.dumps(caught.value)))
    monkeypatch.setattr(errors, "difflib", None)
    assert not hasattr(network, "wieghts")
    assert not hasattr(dr.History, "wieghts")


def test_every_name_of_the_table_is_absent_somewhere() -> None:
    assert {name for _, name in ASKED} == {name for _, name in ABSENT}


OTHERS: dict[str, Any] = {
    "Penalty": dr.L2(0.1),
    "Views": dr.Network((3, 3)).weights,
    "Activations": dr.Network((3, 3)).activations,
    "Evaluation": dr.evaluate(dr.Network((3, 3)), DATA),
    "GradientCheck": dr.gradcheck(dr.Network((3, 3)), DATA),
    "Diagnosis": Diagnosis(()),
    "Standardization": dr.Standardization.of(np.eye(3)),
    "Deformation": dr.Deformation(rotation=10),
    "Walkthrough": dr.explain(dr.Network((3, 3)), np.ones(3), 0),
    "LossAndGradient": dr.loss_and_gradient(dr.Network((3, 3)), np.eye(3), np.arange(3)),
    "LossValue": dr.loss_and_gradient(dr.Network((3, 3)), np.eye(3), np.arange(3))[0],
}
ARGUMENTS = {"[]": ("a",), "[]=": (0, "a"), "+": ([],), "*": (0.1,), "<": (0.5,)}


@pytest.mark.parametrize(
    ("whose", "act"),
    [*((whose, act) for whose, act in NAMES if act in ACTS), *(("Model", act) for act in ("()", "[]", "in", "len"))],
)
def test_every_act_of_the_table_is_answered(whose: str, act: str) -> None:
    thing = (THINGS | OTHERS)[whose]
    takes_nothing = ("__float__", "__round__")
    for method in ACTS[act][0].split():
        given = () if method in takes_nothing else (".3f",) if method == "__format__" else ARGUMENTS.get(act, ())
        with pytest.raises(SettingError) as caught:
            getattr(type(thing), method)(thing, *given)
        assert str(caught.value).endswith(f"use {line_for(type(thing), act)}")


@pytest.mark.parametrize("module", ["deltarule", "deltarule.nn"])
def test_a_name_that_is_imported_is_answered_as_an_import_error(module: str) -> None:
    with pytest.raises(ImportError, match=r"has no attribute 'Linear': use dr\.Network"):
        exec(f"from {module} import Linear")
    with pytest.raises(AttributeError, match=r"has no attribute 'Linear': use dr\.Network"):
        exec(f"import {module}; {module}.Linear")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("from deltarule.layers import Dense", "module 'deltarule' has no attribute 'layers': use dr.Network((784,"),
        (
            "from deltarule.nn.layers import Dense",
            "module 'deltarule.nn' has no attribute 'layers': use dr.Network((784,",
        ),
        ("import deltarule.datasets", "module 'deltarule' has no attribute 'datasets': use dr.load_data("),
        ("from deltarule import Netwrok", "module 'deltarule' has no attribute 'Netwrok': did you mean 'Network'?"),
        (
            "from deltarule.optimizers import Adam",
            "no module is called 'deltarule.optimizers': use from deltarule import",
        ),
        (
            "import deltarule.nn.functional as F",
            "no module is called 'deltarule.nn.functional': use from deltarule impo",
        ),
        (
            "from deltarule.neural_network import MLPClassifier",
            "no module is called 'deltarule.neural_network': use fro",
        ),
    ],
)
def test_a_module_of_another_library_is_answered(line: str, answer: str) -> None:
    with pytest.raises(MissingNameError) as caught:
        exec(line)
    assert str(caught.value).startswith(answer)
    name = line.split()[1]
    assert find_spec(name) is None or name == "deltarule"  # who merely asks is told so


def test_every_module_of_the_table_holds_public_names() -> None:
    homes = {place for home in vars(dr)["_ON_DEMAND"].values() for place in home.split(".")}
    assert set(words()["modules"].values()) <= homes


@pytest.mark.parametrize(
    "line",
    [
        "loss, dW, db = dr.loss_and_gradient(network, X, y)",
        "(loss,) = dr.loss_and_gradient(network, X, y)",
        "loss, accuracy, f1 = dr.evaluate(network, X, y)",
    ],
)
def test_a_pair_that_is_unpacked_to_other_names_is_answered(line: str) -> None:
    names = {"dr": dr, "network": dr.Network((3, 3)), "X": np.eye(3), "y": np.arange(3)}
    with pytest.raises(SettingError, match=r"names to unpack it to; use loss, (grads|accuracy) = dr\."):
        exec(line, names)
    exec(line.replace(", dW, db", ", grads").replace("(loss,)", "loss, grads").replace(", f1", ""), names)
    assert isinstance(names["loss"], float)


def test_the_lines_are_made_of_public_names() -> None:
    lines = [line_for(whose, name) or "" for whose, name in NAMES]
    named = {name for line in lines for name in re.findall(r"dr\.(\w+)", line)}
    assert "fit" in named <= set(dr.__all__)


@pytest.mark.parametrize("whose", [name for name in THINGS if name != "deltarule"])
def test_what_answers_names_can_be_asked_copied_and_pickled(whose: str) -> None:
    thing = THINGS[whose]
    assert not hasattr(thing, "nothing")
    assert not hasattr(thing, "__array__")
    pickled = [] if whose == "Trainer" else [pickle.loads(pickle.dumps(thing))]  # its engine has functions
    for other in (copy.copy(thing), copy.deepcopy(thing), *pickled):
        assert type(other) is type(thing)


def test_arrays_of_a_network_change_in_place() -> None:
    network = dr.Network((2, 3))
    before = network.parameters.vector.copy()
    network.weights[0] += 1.0  # type: ignore[index]
    network.parameters.vector += 1.0
    np.testing.assert_array_equal(network.weights[0].ravel(), before[:6] + 2.0)
    with pytest.raises(SettingError, match=r"use network.weights\[0\]\[:\] = W"):
        network.weights[0] = np.zeros((2, 3))  # type: ignore[index]
    np.testing.assert_array_equal(network.parameters.vector[:6], before[:6] + 2.0)


def test_an_assigned_setting_is_what_the_constructor_makes_of_it() -> None:
    network = dr.Network((2, 4, 3))
    network.dropout, network.loss = 0.5, "quadratic"  # type: ignore[assignment]
    assert network.dropout == (0.5,)
    assert network.loss == dr.Quadratic()


@pytest.mark.parametrize("ask", [lambda thing: thing.predict(np.eye(3)), lambda thing: dr.save(thing, "kept")])
def test_the_pickle_of_an_older_deltarule_says_how_to_go_on(ask: Any) -> None:
    """Its networks did not know their task, nor what their inputs were: a guess would answer wrongly."""
    network = dr.Network((3, 3))
    for name in ("task", "pixels", "image_shape", "class_names", "input_range"):
        vars(network).pop(name, None)
    for thing in (network, pickle.loads(pickle.dumps(network))):
        with pytest.raises(
            UnknownNameError, match=r"use dr\.load\(path\) after dr\.save\(network, path\) in the older"
        ):
            ask(thing)
