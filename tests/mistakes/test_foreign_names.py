"""The names of other libraries, whole families of them: each is answered with what does the same here."""

import copy
import re
import tomllib
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.cli import main
from deltarule.errors import DataError, DeltaruleError, FileError, ShapeError

TABLES = tomllib.loads((Path(__file__).parent / "foreign_names.toml").read_text(encoding="utf-8"))
ATTRIBUTES = [
    (thing, name)
    for thing, families in TABLES["attributes"].items()
    for names in families.values()
    for name in names.split()
]
DOORS = ("fit", "Trainer", "Network", "MLPClassifier", "estimator.fit")
ARGUMENTS = [
    (door, name, value) for door in DOORS for family in TABLES["arguments"].values() for name, value in family.items()
]
OPTIONS = [(command, name) for command, names in TABLES["options"].items() for name in names.split()]
SUBJECTS = {"train": ["xor"], "predict": ["one.png"], "evaluate": ["m"], "export": ["m"], "plot": ["curves", "m"]}


@pytest.fixture(scope="module")
def things() -> dict[str, Any]:
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')
    X, y = np.random.default_rng(0).random((120, 4)), np.arange(120) % 3
    data, network = dr.Dataset(X, y, image_shape=(2, 2)), dr.Network((4, 3), rng=0)
    history = dr.fit(network, data, epochs=1, validation=data, engine="numpy")
    with warnings.catch_warnings(action="ignore"):  # two epochs are few
        estimator = dr.MLPClassifier((4,), solver="sgd", max_iter=2, tol=0.0).fit(X, y)
        regressor = dr.MLPRegressor(hidden_layer_sizes=(4,), solver="sgd", max_iter=2, tol=0.0).fit(X, X.sum(axis=1))
    made = {"network": network, "model": dr.Model(network), "trainer": dr.Trainer(network=network), "data": data}
    made |= {"history": history, "estimator": estimator, "splits": dr.Splits(data, data), "regressor": regressor}
    return made | {"evaluation": dr.evaluate(network, data), "X": X, "y": y, "run": set()}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(("thing", "name"), ATTRIBUTES, ids=lambda each: each)
def test_an_attribute_of_another_library_is_answered(
    things: dict[str, Any], thing: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hasattr(type(things[thing]), name):  # it is ours as well
        return
    with pytest.raises(AttributeError) as caught:
        getattr(things[thing], name)
    said = str(caught.value)
    assert re.search(r"use |did you mean ", said), said
    assert not re.search(r"\{(it|net|name)\}|super\(\)", said), said
    monkeypatch.chdir(tmp_path)
    line = said.partition("use ")[2]
    check_line(re.split(r", (?:or|and|which|with|in|a|for|of|whose|the) | (?:in|and|is) |; ", line)[0], things, thing)


def check_line(line: str, things: dict[str, Any], thing: str) -> None:
    """That a line which is offered asks for no name that does not exist, and calls nothing as it cannot be called."""
    names = things | {"estimator": things.get(thing), "data": things["splits" if thing == "splits" else "data"]}
    names |= {"dr": dr, "np": np, "copy": copy, "a": things["data"], "b": things["data"], "W": 0.0}
    if (thing, line) in things["run"]:
        return
    things["run"].add((thing, line))
    try:
        code = compile(line, "<line>", "exec")
    except SyntaxError:  # words
        return
    with suppress(ShapeError, DataError, FileError, NameError):  # other data than these would do, or a package
        exec(code, names)


def call(door: str, things: dict[str, Any], **given: Any) -> Any:
    X, y, network = things["X"], things["y"], things["network"]
    if door == "fit":
        return dr.fit(network, X, y, **given)
    if door == "Trainer":
        return dr.Trainer(network=network, **given)
    if door == "Network":
        return dr.Network((4, 3), **given)
    return dr.MLPClassifier(**given) if door == "MLPClassifier" else dr.MLPClassifier().fit(X, y, **given)


TAKEN = {
    "fit": "batch_size epochs callbacks sample_weight optimizer learning_rate penalty augment average clip validation"
    " engine seed",
    "Trainer": "batch_size epochs callbacks optimizer penalty augment average clip engine seed monitor schedule",
    "Network": "loss hidden output task image_shape class_names dropout dtype rng",
    "MLPClassifier": "batch_size verbose shuffle class_weight learning_rate warm_start random_state hidden_layer_sizes"
    " activation solver alpha learning_rate_init max_iter tol momentum nesterovs_momentum early_stopping"
    " validation_fraction beta_1 beta_2 epsilon n_iter_no_change scoring engine dropout label_smoothing",
    "estimator.fit": "validation_data sample_weight",
}


@pytest.mark.parametrize(("door", "name", "value"), ARGUMENTS, ids=lambda each: str(each))
def test_an_argument_of_another_library_is_answered(things: dict[str, Any], door: str, name: str, value: Any) -> None:
    if name in TAKEN[door].split():
        return
    with pytest.raises(DeltaruleError, match=f"has no argument '{name}': ") as caught:
        call(door, things, **{name: value})
    said = str(caught.value)
    assert re.search("[uU]se ", said), said
    assert "leave it out" not in said, said
    placeholders = re.findall(r"\b(\w+)=(?:\w+=)?\1\b", said)  # what nobody has a variable for
    assert set(placeholders) <= {"network", "X", "y"}, said
    assert "network=network=" not in said, said


@pytest.mark.parametrize(("command", "name"), OPTIONS, ids=lambda each: each)
def test_an_option_of_another_program_is_answered(
    command: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    option = f"-{name}" if len(name) == 1 else f"--{name}"
    monkeypatch.setattr("sys.argv", ["deltarule", command, *SUBJECTS[command], option, "3"])
    with pytest.raises(SystemExit) as caught:
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert caught.value.code == 2
    assert f"{command} has no option {option}: " in said
    assert re.search("did you mean .* Use |leave it out", said), said
