"""What recipes and model files call things."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from deltarule.names import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    described,
    named,
    setting_names,
    with_settings,
)

from deltarule.errors import SettingError
from deltarule.nn import activations, losses, optimizers, penalties
from deltarule.nn.activations import ELU, Activation, LeakyReLU, Sigmoid
from deltarule.nn.initializers import he_normal
from deltarule.nn.losses import CrossEntropy
from deltarule.nn.optimizers import Adam, AdamW, Nesterov
from deltarule.nn.penalties import L2
from deltarule.training.schedules import Cosine

TABLES: dict[str, Mapping[str, type[Any]]] = {
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "penalty": PENALTIES,
}
ENTRIES = [(what, name) for what, table in TABLES.items() for name in table]


@pytest.mark.parametrize(("what", "name"), ENTRIES)
def test_every_thing_is_described_and_named_again(what: str, name: str) -> None:
    table = TABLES[what]
    default = named(what, table, name)
    assert type(default) is table[name]
    settings = {key: 0.25 + getattr(default, key) / 2 for key in setting_names(table[name])}
    changed = named(what, table, {"name": name} | settings)
    assert {key: getattr(changed, key) for key in settings} == settings
    for thing in (default, changed):
        spec = described(what, table, thing)
        assert spec["name"] == name
        assert named(what, table, spec) == thing
    assert not settings or changed != default


@pytest.mark.parametrize(
    ("table", "module", "base"),
    [
        (ACTIVATIONS, activations, activations.Activation),
        (LOSSES, losses, losses.Loss),
        (OPTIMIZERS, optimizers, optimizers.Optimizer),
        (PENALTIES, penalties, penalties.Penalty),
    ],
)
def test_the_tables_are_complete(table: Mapping[str, type[Any]], module: ModuleType, base: type[Any]) -> None:
    kinds = {kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, base)}
    assert set(table.values()) == kinds - {base}


def test_initializers_draw() -> None:
    assert INITIALIZERS["he_normal"] is he_normal
    for name, initializer in INITIALIZERS.items():
        W = initializer(np.random.default_rng(0), 3, 4)
        assert W.shape == (3, 4)
        assert W.any() == (name != "zeros")


def test_settings_reach_their_places() -> None:
    assert named("activation", ACTIVATIONS, {"name": "leaky_relu", "slope": 0.2}) == LeakyReLU(slope=0.2)
    assert named("activation", ACTIVATIONS, {"name": "elu", "alpha": 2}) == ELU(alpha=2)
    assert named("loss", LOSSES, {"name": "cross_entropy", "label_smoothing": 0.1}) == CrossEntropy(0.1)
    assert named("optimizer", OPTIMIZERS, {"name": "nesterov", "momentum": 0.5}) == Nesterov(momentum=0.5)
    assert named("penalty", PENALTIES, {"name": "l2", "strength": 0.1}) == L2(0.1)
    assert setting_names(AdamW) == ["beta_1", "beta_2", "epsilon", "weight_decay"]
    assert with_settings("schedule", Cosine, {"rate": 0.1}, total_steps=7) == Cosine(0.1, 7)
    assert named("activation", ACTIVATIONS, "sigmoid", initializer=he_normal) == Sigmoid(initializer=he_normal)


def test_a_spec_is_not_changed() -> None:
    spec = {"name": "adam", "beta_1": 0.5}
    named("optimizer", OPTIMIZERS, spec)
    assert spec == {"name": "adam", "beta_1": 0.5}


@pytest.mark.parametrize(("what", "name"), ENTRIES)
def test_an_unknown_name_is_answered_with_the_closest(what: str, name: str) -> None:
    wrong = name[:-1] + "_" + name[-1]
    with pytest.raises(SettingError) as caught:
        named(what, TABLES[what], wrong)
    assert str(caught.value).startswith(f"no {what} is called '{wrong}': ")
    assert f"did you mean {name!r}? " in str(caught.value) or len(name) == 2
    assert str(caught.value).endswith(f"Known: {', '.join(sorted(TABLES[what]))}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("Adam", "no optimizer is called 'Adam': did you mean 'adam'? Known: adagrad, adam, adamw"),
        ("os.system", "no optimizer is called 'os.system': Known: "),
        ("", "no optimizer is called '': Known: "),
        ({}, "no optimizer is called None: Known: "),
        ({"name": 3}, "no optimizer is called 3: Known: "),
        ({"name": ["adam"]}, "no optimizer is called ['adam']: "),
        ({"name": "adam", "beta1": 0.5}, "optimizer adam has no setting 'beta1': did you mean 'beta_1'? Known: beta_1"),
        ({"name": "adam", "steps": 5}, "optimizer adam has no setting 'steps': Known: beta_1, beta_2, epsilon"),
        ({"name": "adam", "_vectors": 5}, "optimizer adam has no setting '_vectors': Known: beta_1"),
        ({"name": "sgd", "momentum": 0.9}, "optimizer sgd has no setting 'momentum': it has none"),
        ({"name": "adam", "beta_1": "0.9"}, "beta_1 of optimizer adam must be a number: got '0.9'"),
        ({"name": "adam", "beta_1": True}, "beta_1 of optimizer adam must be a number: got True"),
        ({"name": "adam", "beta_1": [0.9]}, "beta_1 of optimizer adam must be a number: got [0.9]"),
        ({"name": "adam", "beta_1": 1.0}, "beta_1 of Adam must be at least 0 and less than 1: got 1.0"),
    ],
)
def test_specs_that_are_refused(spec: Any, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        named("optimizer", OPTIMIZERS, spec)
    assert str(caught.value).startswith(message)


def test_what_a_file_may_not_say() -> None:
    """An initializer is a function: no name or value in a spec becomes one."""
    with pytest.raises(SettingError, match="activation relu has no setting 'initializer': it has none"):
        named("activation", ACTIVATIONS, {"name": "relu", "initializer": "he_normal"})
    with pytest.raises(SettingError, match="schedule has no setting 'total_steps'"):
        with_settings("schedule", Cosine, {"rate": 0.1, "total_steps": 5}, total_steps=7)


def test_a_setting_without_default_must_be_given() -> None:
    with pytest.raises(SettingError, match="schedule cosine needs rate, a number: got no settings"):
        with_settings("schedule cosine", Cosine, {}, total_steps=7)
    with pytest.raises(SettingError, match="schedule cosine needs rate and total_steps, a number"):
        with_settings("schedule cosine", Cosine, {"final": 0.5})


def test_what_has_no_name() -> None:
    class Sine(Sigmoid):
        pass

    with pytest.raises(SettingError, match="only these activations have a name: got Sine"):
        described("activation", ACTIVATIONS, Sine())

    @dataclass(kw_only=True)
    class MyAdam(Adam):
        pass

    with pytest.raises(SettingError, match="only these optimizers have a name: got MyAdam"):
        described("optimizer", OPTIMIZERS, MyAdam())
    with pytest.raises(SettingError, match="got Activation"):
        described("activation", ACTIVATIONS, Activation())
