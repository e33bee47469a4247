"""Each setting is declared once: what takes it has the declared default and range."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule import recipes
from deltarule.cli.options import TrainOptions
from deltarule.errors import RecipeError, SettingError
from deltarule.playground.playground import Start
from deltarule.recipes.build import trainer_for
from deltarule.recipes.schema import OPTIONS_ONLY, Training
from deltarule.settings import Setting, TrainingNumbers, all_settings, check, setting

OWNERS: list[Callable[..., Any]] = [
    dr.fit,
    dr.Network,
    dr.EarlyStopping,
    dr.Checkpoints,
    dr.ReduceOnPlateau,
    dr.diagnose,
]


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_defaults_are_those_that_are_declared(owner: Callable[..., Any]) -> None:
    parameters = inspect.signature(owner).parameters.values()
    declared = [(each, setting(each.name, owner.__name__)) for each in parameters]
    found = {each.name: (each.default, asked.default) for each, asked in declared if asked is not None}
    assert found
    for name, (default, wanted) in found.items():
        assert (None if default is inspect.Parameter.empty else default) == wanted, name


def test_a_number_of_a_run_is_taken_by_fit_the_trainer_and_recipes() -> None:
    numbers = {each.name: each.default for each in fields(TrainingNumbers)}
    for owner in (dr.fit, dr.Trainer):
        taken = inspect.signature(owner).parameters
        assert {name: taken[name].default for name in numbers} == numbers
    assert numbers.keys() - set(OPTIONS_ONLY) < set(Training.__struct_fields__)
    assert Training(epochs=1, schedule={"name": "constant", "rate": 0.1}).batch_size == numbers["batch_size"]


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_the_estimators_have_the_declared_ranges_and_defaults(name: str) -> None:
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')
    estimator, own = getattr(dr, name)(), {"alpha", "learning_rate", "batch_size"}  # of scikit-learn's own meaning
    taken = {key: value for key, value in estimator.get_params().items() if key in all_settings() and key not in own}
    assert len(taken) >= 10
    for key, default in taken.items():
        asked = all_settings()[key]
        assert default == asked.default, key
        (interval,) = (each for each in type(estimator)._parameter_constraints[key] if hasattr(each, "closed"))
        low = -np.inf if interval.left is None else interval.left
        high = np.inf if interval.right is None else interval.right
        assert (low, high, interval.closed == "neither") == (asked.low, asked.high, asked.is_open), key


def test_the_page_and_the_command_line_say_what_is_declared() -> None:
    assert Start("quick", "digits").seed == TrainOptions.seed == all_settings()["seed"].default
    assert TrainOptions.holdout == all_settings()["holdout"].default


@pytest.mark.parametrize(
    "change", ["epochs=-1", "batch_size=0", "average=1.0", "clip=0.0", "patience=0", "penalty={name='l2', strength=-1}"]
)
def test_a_recipe_gets_the_message_that_fit_gets(change: str) -> None:
    name, _, value = change.partition("=")
    given = {"name": "l2", "strength": -1} if name == "penalty" else float(value) if "." in value else int(value)
    network = dr.Network((2, 2))
    with pytest.raises(SettingError) as theirs:
        check(name, given) if name == "patience" else dr.fit(network, np.eye(2), np.arange(2), **{name: given})
    with pytest.raises((SettingError, RecipeError)) as ours:
        trainer_for(recipes.read("quick").with_changes([change]), network, 2, 0)
    asked = "must be " + ("a whole number, " if name in ("epochs", "batch_size", "patience") else "")
    words = f"{asked}{all_settings()['strength' if name == 'penalty' else name].range_in_words}"
    assert words in str(theirs.value)
    assert words in str(ours.value)


@pytest.mark.parametrize(
    ("kind", "within", "unit", "words"),
    [
        (float, "[0, 1)", "", "at least 0 and less than 1"),
        (float, "(0, 1)", "", "above 0 and less than 1"),
        (float, "[0, inf)", "", "0 or more and finite"),
        (float, "(0, inf)", "", "above 0 and finite"),
        (float, "[0.1, inf)", "pixels", "0.1 pixels or more and finite"),
        (float, "[0, 90)", "degrees", "at least 0 and less than 90 degrees"),
        (float, "(-inf, inf)", "", "finite"),
        (int, "[1, inf)", "", "1 or more"),
        (int, "[1, 1025)", "pixels", "1 to 1024 pixels"),
    ],
)
def test_a_range_in_words(kind: Any, within: str, unit: str, words: str) -> None:
    assert Setting(kind, within, None, "", unit=unit).range_in_words == words


@pytest.mark.parametrize(
    ("name", "value", "like"),
    [
        ("dropout", 50, 0.5),
        ("dropout", "0.25", 0.25),
        ("dropout", 1.0, 0.1),
        ("dropout", None, 0.1),
        ("epochs", 10.0, 10),
        ("epochs", 2.5, 10),
        ("epochs", -3, 3),
        ("epochs", "1,000", 1000),
        ("epochs", 80_000.5, 10),
        ("holdout", 0.2, 10_000),
        ("epochs", True, 10),
        ("learning_rate", "much", 0.001),
        ("learning_rate", float("nan"), 0.001),
    ],
)
def test_what_a_message_offers_is_near_what_was_meant(name: str, value: Any, like: float) -> None:
    assert all_settings()[name].like(value) == like
    check(name, all_settings()[name].like(value))


@pytest.mark.parametrize("name", all_settings())
def test_what_a_message_offers_is_legal(name: str) -> None:
    asked = all_settings()[name]
    assert asked.holds(asked.like(None))
    assert asked.default is None or asked.holds(asked.default)
    assert not asked.holds(float("nan"))
    assert not asked.holds(asked.high)
    assert asked.says[0].isupper()
    assert asked.says.endswith(".")
