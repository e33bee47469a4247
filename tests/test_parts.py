"""What recipes, model files and arguments call things."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from deltarule.errors import SettingError
from deltarule.nn import activations, losses, optimizers, penalties
from deltarule.nn.activations import ELU, Activation, LeakyReLU, Sigmoid
from deltarule.nn.initializers import he_normal
from deltarule.nn.losses import CrossEntropy
from deltarule.nn.optimizers import Adam, AdamW, Nesterov
from deltarule.nn.penalties import L2
from deltarule.parts import PARTS, Kind, make, spec_of, with_settings
from deltarule.settings import setting_names
from deltarule.training.schedules import Cosine

ENTRIES: list[tuple[Kind, str]] = [
    (kind, name) for kind in ("activation", "loss", "optimizer", "penalty") for name in PARTS[kind]
]


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_part_is_described_and_made_again(kind: Kind, name: str) -> None:
    needed = {"strength": 0.5} if kind == "penalty" else {}
    default = make(kind, {"name": name} | needed)
    assert type(default) is PARTS[kind][name].maker
    settings = {key: 0.25 + getattr(default, key) / 2 for key in setting_names(type(default))}
    settings |= {"strength": 0.3} if needed else {}
    changed = make(kind, {"name": name} | settings)
    assert {key: getattr(changed, key) for key in settings} == settings
    for thing in (default, changed):
        spec = spec_of(kind, thing)
        assert spec["name"] == name
        assert make(kind, spec) == thing
    assert not settings or changed != default


@pytest.mark.parametrize(
    ("kind", "module", "base"),
    [
        ("activation", activations, activations.Activation),
        ("loss", losses, losses.Loss),
        ("optimizer", optimizers, optimizers.Optimizer),
        ("penalty", penalties, penalties.Penalty),
    ],
)
def test_the_table_is_complete(kind: Kind, module: ModuleType, base: type[Any]) -> None:
    classes = {each for each in vars(module).values() if isinstance(each, type) and issubclass(each, base)}
    assert {row.maker for row in PARTS[kind].values()} == classes - {base}


def test_initializers_draw() -> None:
    assert make("initializer", "he_normal") is he_normal
    for name, row in PARTS["initializer"].items():
        W = row.maker(np.random.default_rng(0), 3, 4)
        assert W.shape == (3, 4)
        assert W.any() == (name != "zeros")


def test_settings_reach_their_places() -> None:
    assert make("activation", {"name": "leaky_relu", "slope": 0.2}) == LeakyReLU(slope=0.2)
    assert make("activation", {"name": "elu", "alpha": 2}) == ELU(alpha=2)
    assert make("loss", {"name": "cross_entropy", "label_smoothing": 0.1}) == CrossEntropy(0.1)
    assert make("optimizer", {"name": "nesterov", "momentum": 0.5}) == Nesterov(momentum=0.5)
    assert make("penalty", {"name": "l2", "strength": 0.1}) == L2(0.1)
    assert setting_names(AdamW) == ("beta_1", "beta_2", "epsilon", "weight_decay")
    assert with_settings("schedule", Cosine, {"rate": 0.1}, total_steps=7) == Cosine(0.1, 7)
    assert make("activation", "sigmoid", initializer=he_normal) == Sigmoid(initializer=he_normal)


def test_a_spec_is_not_changed() -> None:
    spec = {"name": "adam", "beta_1": 0.5}
    make("optimizer", spec)
    assert spec == {"name": "adam", "beta_1": 0.5}


@pytest.mark.parametrize(("what", "name"), ENTRIES)
def test_an_unknown_name_is_answered_with_the_closest(what: Kind, name: str) -> None:
    wrong = name[:-1] + "_" + name[-1]
    with pytest.raises(SettingError) as caught:
        make(what, wrong)
    assert str(caught.value).startswith(f"no {what} is called '{wrong}': ")
    assert f"did you mean {name!r}? " in str(caught.value) or len(name) == 2
    assert str(caught.value).endswith(f"Known: {', '.join(sorted(PARTS[what]))}")


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
        ({"name": "sgd", "momentum": 0.9}, 'optimizer sgd has no setting \'momentum\': use {"name": "momentum"'),
        ({"name": "adam", "beta_1": "0.9"}, "beta_1 of Adam must be a number, at least 0 and less than 1: got '0.9'"),
        ({"name": "adam", "beta_1": True}, "beta_1 of Adam must be a number, at least 0 and less than 1: got True"),
        ({"name": "adam", "beta_1": [0.9]}, "beta_1 of Adam must be a number, at least 0 and less than 1: got [0.9]"),
        ({"name": "adam", "beta_1": 1.0}, "beta_1 of Adam must be at least 0 and less than 1: got 1.0"),
    ],
)
def test_specs_that_are_refused(spec: Any, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        make("optimizer", spec)
    assert str(caught.value).startswith(message)


def test_what_a_file_may_not_say() -> None:
    """An initializer is a function: no name or value in a spec becomes one."""
    with pytest.raises(SettingError, match="activation relu has no setting 'initializer': it has none"):
        make("activation", {"name": "relu", "initializer": "he_normal"})
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
        spec_of("activation", Sine())

    @dataclass(kw_only=True)
    class MyAdam(Adam):
        pass

    with pytest.raises(SettingError, match="only these optimizers have a name: got MyAdam"):
        spec_of("optimizer", MyAdam())
    with pytest.raises(SettingError, match="got Activation"):
        spec_of("activation", Activation())


HOSTILE = {
    "signs": "-" * 60_000,
    "signs in brackets": f"relu({'-' * 60_000}1)",
    "attributes": f"ReLU({'x.' * 30_000}x)",
    "null": "\0relu(",
    "as long as is parsed": "-" * 200,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_that_a_parser_chokes_on_is_only_an_unknown_name(text: str) -> None:
    with pytest.raises(SettingError, match=r"^no activation is called"):
        make("activation", text)
