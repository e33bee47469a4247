"""The one table of what networks and trainings are made of: a row for each part, with all that there is of it.

A part is written as its name, "relu", or as a dict of its name and settings, {"name": "leaky_relu", "slope": 0.1}: in
recipes, in model files, and wherever Network, `fit` and Trainer take one. A class is given as text, "module:name", and
imported when it is asked for, so this module knows none of them. A name that is not in the table is refused; nothing
that a file says is ever imported or run.

A new part is a class, a row here, and a kernel in `compiled/` (or the reason why there is none).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from deltarule.errors import SettingError, closest
from deltarule.public import line_for, names_for
from deltarule.settings import RATE_OF_FIT, brief, one_per_layer, setting, setting_error, setting_names, with_article

T = TypeVar("T")
Kind = Literal["activation", "loss", "optimizer", "penalty", "schedule", "initializer"]
Spec = str | Mapping[str, Any]


class No(str):
    """Why a cell of the table is empty."""

    __slots__ = ()


class Kernel(NamedTuple):
    """A part's twin in compiled code.

    code: the constant that stands for the part inside kernels, as "module:name".
    settings: the part's settings that the kernel is given, in the kernel's order; "" where it has no use for one.
    """

    code: str
    settings: tuple[str, ...] = ()

    def values(self, part: Any) -> tuple[float, ...]:
        """The settings of a part, as its kernel is given them; 0 where it has no use for one."""
        return tuple(float(getattr(part, name)) if name else 0.0 for name in self.settings)


class Operator(NamedTuple):
    """A node of an ONNX graph: what it is, what it makes ("a" is the activation), and what it reads.

    reads: "z", what an operator before it makes, a setting of the part by its name, or a number.
    attributes: numbers, or settings of the part by their names.
    """

    name: str
    makes: str
    reads: tuple[str | float, ...] = ("z",)
    attributes: Mapping[str, str | int] = {}


@dataclass(frozen=True)
class Part:
    """A row: one activation, loss, optimizer, penalty, schedule or initializer.

    home: its class, or function, as "module:name". javascript: its formula's name in the page's modules.
    sklearn: what scikit-learn calls it. synonyms: what else people call it. A cell that is empty says why: No(...).
    """

    kind: Kind
    name: str
    home: str
    kernel: Kernel | No
    onnx: tuple[Operator, ...] | No
    javascript: str | No
    sklearn: str | No
    synonyms: tuple[str, ...] = ()

    @property
    def maker(self) -> Any:
        """The class, or function, itself."""
        return object_at(self.home)


BASES: dict[Kind, str] = {  # what all parts of a kind derive from, as "module:name"
    "activation": "deltarule.nn.activations:Activation",
    "loss": "deltarule.nn.losses:Loss",
    "optimizer": "deltarule.nn.optimizers:Optimizer",
    "penalty": "deltarule.nn.penalties:Penalty",
    "schedule": "collections.abc:Callable",
    "initializer": "collections.abc:Callable",
}
EXAMPLES = {  # one that works, as it is written
    "activation": '"relu"',
    "output": '"softmax"',
    "loss": '"cross_entropy"',
    "optimizer": '"adam"',
    "penalty": "L2(0.0001)",
    "schedule": "Constant(0.001)",
    "initializer": '"he_normal"',
}

_TRAINED = No("an ONNX file holds what training has made, not how it is trained")
_SHOWN = No("the page looks at trained networks; training runs in Python")
_RATES = No("schedules run in Python, once a step; kernels are given the rates")
_DRAWN = No("weights are drawn in Python, once a network")
_FOUR = No("scikit-learn has identity, logistic, tanh and relu alone")
_TWO = No("scikit-learn has sgd and adam alone")
_NONE = No("scikit-learn has no such schedule")
_FIXED = No("scikit-learn draws every layer as Glorot and Bengio do")
_CROSS = ("crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "log_loss", "nll")
_MEAN = ("mse", "mean_squared_error", "squared_error", "squared")
_BINARY = ("bce", "binary_crossentropy", "bcewithlogits", "logistic")
_ADAM = ("beta_1", "beta_2", "epsilon")

# ONNX Runtime has no Elu for float64, the slope of LeakyRelu is a float32, and older ones fuse z sigmoid(z) into an
# operator that they lack for float64.
_BELOW = (Operator("Max", "above", ("z", 0.0)), Operator("Min", "below", ("z", 0.0)))
_LEAKY_RELU = (*_BELOW, Operator("Mul", "scaled", ("below", "slope")), Operator("Add", "a", ("above", "scaled")))
_ELU = (
    *(*_BELOW, Operator("Exp", "exp", ("below",)), Operator("Sub", "shrunk", ("exp", 1.0))),
    *(Operator("Mul", "scaled", ("shrunk", "alpha")), Operator("Add", "a", ("above", "scaled"))),
)
_SILU = (  # h + h tanh(h) with h = z / 2
    *(Operator("Mul", "half", ("z", 0.5)), Operator("Tanh", "tanh", ("half",))),
    *(Operator("Mul", "bent", ("half", "tanh")), Operator("Add", "a", ("half", "bent"))),
)
_SOFTMAX = (Operator("Softmax", "a", attributes={"axis": 1}),)


def _activation(
    name: str, of: str, onnx: str | tuple[Operator, ...], sklearn: str | No, *synonyms: str, setting: str = ""
) -> Part:
    operators = (Operator(onnx, "a"),) if isinstance(onnx, str) else onnx
    kernel = Kernel(f"deltarule.compiled.activations:{name.upper()}", (setting,))
    return Part("activation", name, f"deltarule.nn.activations:{of}", kernel, operators, name, sklearn, synonyms)


def _loss(name: str, of: str, setting: str, sklearn: str, *synonyms: str) -> Part:
    kernel = Kernel(f"deltarule.compiled.losses:{name.upper()}", (setting,))
    return Part("loss", name, f"deltarule.nn.losses:{of}", kernel, _TRAINED, name, sklearn, synonyms)


def _optimizer(of: str, settings: tuple[str, ...], sklearn: str | No, *synonyms: str, code: str = "") -> Part:
    kernel = Kernel(f"deltarule.compiled.optimizers:{code or of.upper()}", settings)  # b1, b2, e, decay of weights
    return Part("optimizer", of.lower(), f"deltarule.nn.optimizers:{of}", kernel, _TRAINED, _SHOWN, sklearn, synonyms)


def _other(kind: Kind, name: str, home: str, kernel: Kernel | No, sklearn: str | No, *synonyms: str) -> Part:
    return Part(kind, name, f"deltarule.{home}", kernel, _TRAINED, _SHOWN, sklearn, synonyms)


_PENALIZE = Kernel("deltarule.compiled.optimizers:penalize", ("strength",))
ROWS: list[Part] = [
    _activation("identity", "Identity", "Identity", "identity", "linear", "none"),
    _activation("sigmoid", "Sigmoid", "Sigmoid", "logistic", "logistic", "expit"),
    _activation("tanh", "Tanh", "Tanh", "tanh"),
    _activation("relu", "ReLU", "Relu", "relu", "rectifier"),
    _activation("leaky_relu", "LeakyReLU", _LEAKY_RELU, _FOUR, "lrelu", setting="slope"),
    _activation("elu", "ELU", _ELU, _FOUR, setting="alpha"),
    _activation("silu", "SiLU", _SILU, _FOUR, "swish"),
    _activation("softmax", "Softmax", _SOFTMAX, "softmax"),
    _loss("quadratic", "Quadratic", "", "squared_error", *_MEAN),
    _loss("cross_entropy", "CrossEntropy", "label_smoothing", "log_loss", *_CROSS),
    _loss("binary_cross_entropy", "BinaryCrossEntropy", "label_smoothing", "binary_log_loss", *_BINARY),
    _optimizer("SGD", ("", "", "", ""), "sgd", "gd", "gradient_descent"),
    _optimizer("Momentum", ("momentum", "", "", ""), No("scikit-learn's sgd has a momentum"), "heavy_ball"),
    _optimizer("Nesterov", ("momentum", "", "", ""), No("scikit-learn's sgd has nesterovs_momentum"), "nag"),
    _optimizer("AdaGrad", ("", "", "epsilon", ""), _TWO),
    _optimizer("RMSProp", ("decay", "", "epsilon", ""), _TWO, "rms"),
    _optimizer("Adam", (*_ADAM, ""), "adam"),
    _optimizer("AdamW", (*_ADAM, "weight_decay"), _TWO, code="ADAM"),
    _other("penalty", "l1", "nn.penalties:L1", _PENALIZE, No("scikit-learn has an L2 penalty alone"), "lasso"),
    _other("penalty", "l2", "nn.penalties:L2", _PENALIZE, "alpha", "ridge", "weight_decay"),
    _other("schedule", "constant", "training.schedules:Constant", _RATES, "constant", "fixed"),
    _other("schedule", "step_decay", "training.schedules:StepDecay", _RATES, _NONE, "step", "steplr", "staircase"),
    _other("schedule", "exponential", "training.schedules:Exponential", _RATES, _NONE, "exponential_decay"),
    _other("schedule", "cosine", "training.schedules:Cosine", _RATES, _NONE, "cosine_decay"),
    _other("schedule", "one_cycle", "training.schedules:OneCycle", _RATES, _NONE, "onecycle"),
    _other("initializer", "he_normal", "nn.initializers:he_normal", _DRAWN, _FIXED, "he", "kaiming"),
    _other("initializer", "glorot_uniform", "nn.initializers:glorot_uniform", _DRAWN, _FIXED, "glorot", "xavier"),
    _other("initializer", "lecun_normal", "nn.initializers:lecun_normal", _DRAWN, _FIXED, "lecun"),
    _other("initializer", "standard_normal", "nn.initializers:standard_normal", _DRAWN, _FIXED, "normal", "randn"),
    _other("initializer", "uniform", "nn.initializers:uniform", _DRAWN, _FIXED, "random", "rand"),
    _other("initializer", "zeros", "nn.initializers:zeros", _DRAWN, _FIXED, "zero"),
]

PARTS: dict[Kind, dict[str, Part]] = {kind: {row.name: row for row in ROWS if row.kind == kind} for kind in BASES}
_BY_HOME = {row.home: row for row in ROWS}


@cache
def object_at(home: str) -> Any:
    """What "module:name" stands for."""
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)


def part_of(thing: Any) -> Part | None:
    """The row of an object; None for one that is not deltarule's own, subclasses included."""
    kind = type(thing)
    return _BY_HOME.get(f"{kind.__module__}:{kind.__qualname__}")


def make(kind: Kind, spec: Spec, **more: Any) -> Any:
    """The part that `spec` names, with its settings and `more`.

    Raises SettingError for an unknown name or setting (with the closest one), or a value that is not legal.
    """
    settings = {"name": spec} if isinstance(spec, str) else dict(spec)
    name, table = settings.pop("name", None), PARTS[kind]
    if name is None and len(settings) == 1 and (meant := next(iter(settings))) in table:
        works = spec_text(f"{kind} {meant}", table[meant].maker, setting_names(table[meant].maker))
        raise SettingError(f"{kind} needs a name: got {spec}; use {works}")
    if not isinstance(name, str) or name not in table:
        called = (
            (word, row.name) for row in table.values() for word in (*row.synonyms, row.home.split(":")[1].lower())
        )
        raise SettingError(f"no {kind} is called {name!r}: {closest(str(name), table, dict(called))}")
    if kind == "initializer":  # a function, without settings
        return table[name].maker
    return with_settings(f"{kind} {name}", table[name].maker, settings, **more)


def with_settings(what: str, kind: type[T], settings: Mapping[str, Any], **more: Any) -> T:
    """kind(**settings, **more), after a check that the settings exist."""
    legal = [key for key in setting_names(kind) if key not in more]
    if unknown := [key for key in settings if key not in legal]:
        names = names_for(unknown[0])
        synonyms = {unknown[0].casefold(): key for key in names if key in legal}
        offer = closest(unknown[0], legal, synonyms) if legal else "it has none"
        offer += RATE_OF_FIT if what.startswith("optimizer") and "learning_rate" in names else ""
        raise SettingError(f"{what} has no setting {unknown[0]!r}: {offer}")
    if missing := [key for key in required_settings(kind) if key in legal and key not in settings]:
        got, works = dict(settings) or "no settings", spec_text(what, kind, missing)
        raise SettingError(f"{what} needs {' and '.join(missing)}, a number: got {got}; use {works}")
    return kind(**settings, **more)


def required_settings(kind: type[Any]) -> list[str]:
    """The settings of a class that have no default."""
    given = {each.name for each in fields(kind) if each.default is not MISSING}
    return [name for name in setting_names(kind) if name not in given]


def spec_text(what: str, kind: type[Any], keys: Iterable[str]) -> str:
    """A spec with legal values for some settings, as a program or a recipe writes it."""
    written = {"name": what.split()[1]} if " " in what else {}
    return json.dumps(written | {key: _example(key, kind) for key in keys})


def _example(key: str, kind: type[Any]) -> Any:
    asked = setting(key, kind)
    return 1.0 if asked is None else asked.like(None)


def spec_of(kind: Kind, thing: Any) -> dict[str, Any]:
    """The spec that `make` turns into an equal thing: {"name": ..., settings}. SettingError for a user's own class."""
    row = part_of(thing)
    if row is None or row.kind != kind:
        raise SettingError(f"only these {kind}s have a name: got {type(thing).__name__}. {closest('', PARTS[kind])}")
    return {"name": row.name} | {key: getattr(thing, key) for key in setting_names(type(thing))}


def resolve(kind: Kind, given: Any, name: str) -> Any:
    """The part that was given for the argument `name`: as an object, or by its name or its spec.

    Raises SettingError for anything else, a class in the place of an object for instance.
    """
    if isinstance(given, str | Mapping):
        return make(kind, given)
    base, is_class, row = object_at(BASES[kind]), isinstance(given, type), part_of(given)
    other = "" if row is None or row.kind == kind else row.kind  # an activation can be called, and is not a schedule
    if isinstance(given, base) and not is_class and not other:
        return given
    works = EXAMPLES["output" if name == "output" else kind]
    if is_class and kind not in ("schedule", "initializer") and issubclass(given, base):
        works = f"{given.__name__}({', '.join(str(_example(each, given)) for each in required_settings(given))})"
    elif kind == "penalty" and isinstance(given, int | float) and not isinstance(given, bool):
        works = f"L2({given})"
    elif kind == "initializer" and hasattr(given, "shape"):
        works = f'"he_normal", or, for what becomes of an array, {name.split()[-1]}().value(z)'
    elif kind == "initializer" and isinstance(given, int | float):
        works += f", or for a slope LeakyReLU(slope={given})"
    elif callable(given) and not row and kind in ("activation", "loss", "optimizer") and not is_class:
        works += f", or an object of class Mine(dr.{base.__name__})"
    elif other:
        works += f", and {'learning_rate' if other == 'schedule' else other}={type(given).__name__}(...)"
    needed = f"{with_article(kind)}{'' if kind == 'schedule' else ' or its name'}"
    raise setting_error(name, needed, given, f"{name.split()[0]}={works}")


def check_assignment(network: Any, name: str, value: Any) -> Any:
    """What an attribute of a network becomes where `value` is assigned to it. SettingError where it cannot be."""
    is_made = name in vars(network) or name != "layer_sizes"
    if is_made and (line := line_for("assigned", name)):
        raise SettingError(f"{name} of a network cannot be assigned: use {line}")
    if name == "parameters" and not hasattr(value, "vector"):
        raise setting_error(name, "Parameters", value, f"network.{name}.vector[:] = vector")
    if name == "dropout":
        return one_per_layer(name, value, len(network.layer_sizes) - 2)
    return resolve("loss", value, "loss") if name == "loss" else value


def draw(initializer: Callable[..., Any], rng: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[Any]:
    """What an initializer returns. SettingError where that is not an array of this shape."""
    needed = f"shape {(fan_in, fan_out)}"
    try:
        W: NDArray[Any] = initializer(rng, fan_in, fan_out)
        got = f"shape {np.shape(W)}"
    except TypeError as error:
        got = str(error)
    if got != needed:
        takes = f"an initializer takes (rng, fan_in, fan_out) and returns an array of {needed}"
        raise SettingError(f'{takes}: got {got} from {brief(initializer)}; use initializer="he_normal"')
    return W


def kernel_values(thing: Any) -> tuple[int, tuple[float, ...]] | None:
    """The code of an object's kernel, and the settings that it is given; None where there is no kernel."""
    row = part_of(thing)
    if row is None or isinstance(row.kernel, No):
        return None
    return object_at(row.kernel.code), row.kernel.values(thing)


def missing_kernels(*things: Any) -> list[str]:
    """Which of these objects have no kernel, each with the reason."""
    rows = [(type(thing).__name__, part_of(thing)) for thing in things]
    reasons = [
        f"{name} is not deltarule's own" if row is None else f"{name} has no kernel ({row.kernel})"
        for name, row in rows
        if row is None or isinstance(row.kernel, No)
    ]
    return list(dict.fromkeys(reasons))
