"""The kinds of pictures: for each a function that computes its numbers, and returns them with a function to draw it."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter, signature
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.elsewhere import words
from deltarule.errors import SettingError, sentence
from deltarule.inspection.measures.layer_history import LayerHistory, Recorder
from deltarule.inspection.measures.learning_rate_range import range_test
from deltarule.inspection.measures.loss_landscape import loss_surface, weight_slice
from deltarule.inspection.measures.metrics import Report, evaluate_model, rows_of
from deltarule.inspection.plots import network_plots, result_plots
from deltarule.inspection.plots.picture import Picture
from deltarule.inspection.presentation import plain
from deltarule.model import Model
from deltarule.nn.network import Network
from deltarule.public import public
from deltarule.settings import brief, check_choice
from deltarule.training.history import History
from deltarule.training.trainer import Trainer

SHEET = 50  # examples on a sheet
STAIRS = 100  # examples for a staircase of accuracy: with more, its steps are too low to see
SURFACE_WORK = 10**8  # parameters times examples to compute for each point of a surface
FEWEST, MOST = 100, 2000  # examples for a surface
SIDE = 120  # points of a boundary's grid, across and up


class Drawing(NamedTuple):
    """The numbers in a picture, `facts`, for JSON, and `draw`, a function that draws it."""

    facts: dict[str, Any]
    draw: Callable[[], Picture]


@public('plot("curves", history).save("curves.png"), or plot("confusion", network, dr.Dataset(X, y))')
def plot(kind: str, what: Any = None, data: Dataset | None = None, *, recording: Any = None) -> Picture:
    """Draw a picture, and return it: a notebook shows it, and its `save(path)` writes it as .png, .svg or .pdf.

    kind, what, data:
        "curves", history: loss and accuracy by epoch; `history.plot()` is the same.
        "confusion", "mistakes", "staircase", network, data: how good it is on new examples.
        "boundary", network, data: the answers of a network of two inputs over their plane, and the examples on it.
        "digits", network or None, data: a sheet of examples, with the network's answers.
        "weights", network, data or None: the weights of the first layer; with the training set, pixels that never saw
            ink are gray.
        "architecture", network: its layers.
        "gradients", recorder: gradients and updates by layer, recorded by a Recorder, a callback.
        "surface", network, data, recording=recorder: the loss around the path of a run, on its training set.
        "rates", trainer, data: a learning-rate range test, a short run of its own.
    what: for "network", a Network, a Model or a fitted estimator.

    Raises SettingError for an unknown kind, or one that needs other data; MissingExtraError without matplotlib.

    >>> plot("curves", History([{"epoch": 0, "train_loss": 0.7, "train_accuracy": 0.5}])).title
    'Loss and accuracy against the epoch'
    """
    if not isinstance(kind, str):
        drawn = words()["drawn_as"].get(role_of(kind), "curves")
        line = usage(what if isinstance(what, str) and what in KINDS else drawn).partition(" by ")[2]
        raise SettingError(f"plot takes the name of a picture first: got {brief(kind)}; use {line}")
    check_kind(kind)
    role, what = role_of(what), getattr(what, "model_", what)
    what = Model(what) if isinstance(what, Network) else what
    if what is not None and not role:
        cure = f'; use dr.load("{what}")' if isinstance(what, str | PathLike) and kind != "curves" else ""
        cure = cure or f"; use {words()['drawn_of'][required_inputs(kind)[0]]}"
        raise SettingError(f"{usage(kind)}: got {brief(what)}{cure}")
    if data is not None and not isinstance(data, Dataset):
        save = f'; use dr.plot("{kind}", {role or "what"}).save({data!r})' if isinstance(data, str | PathLike) else ""
        save = f'; use dr.plot("{kind}", network, data)' if role == "data" and role_of(data) == "model" else save
        raise SettingError(f"data must be a Dataset, such as digits.test or dr.Dataset(X, y): got {brief(data)}{save}")
    given: dict[str, Any] = {"data": data, "recording": recording} | ({role: what} if role else {})
    given["recording"] = getattr(given["recording"], "recording", given["recording"])  # of a Recorder
    return drawing(kind, given).draw()


def role_of(thing: Any) -> str:
    """The role in which `plot` takes an object, a key of ROLES such as "model" or "data"; "" if it takes it in none."""
    return next((role for role, types in ROLES.items() if isinstance(getattr(thing, "model_", thing), types)), "")


def drawing(kind: str, given: Mapping[str, Any]) -> Drawing:
    """The Drawing of a kind of picture, made from those of the `given` objects, by role, that the kind takes.

    kind: one that passes `check_kind`. Raises SettingError if something is missing.
    """
    if missing := [name for name in required_inputs(kind) if given.get(name) is None]:
        raise SettingError(f"{usage(kind)}: got no {' and no '.join(missing)}; use {words()['drawn_of'][missing[-1]]}")
    return KINDS[kind](**{name: given.get(name) for name in inputs(kind)})


def check_kind(kind: str) -> None:
    """Raise SettingError for an unknown kind."""
    if instead := words()["removed_pictures"].get(kind):
        raise SettingError(f"{kind} is no longer drawn: {instead}")
    if meant := words()["pictures"].get(kind.casefold()):
        more = {"usage": usage(meant), "subject": words()["subjects"][required_inputs(meant)[0]]}
        raise SettingError(sentence("measures.other_picture", kind=kind, meant=meant, **more))
    check_choice("picture", kind, tuple(KINDS))


def inputs(kind: str) -> Mapping[str, Parameter]:
    """The parameters of KINDS[kind], the function for a kind of picture, by name."""
    return signature(KINDS[kind]).parameters


def required_inputs(kind: str) -> list[str]:
    """The names of those parameters of KINDS[kind] that are required."""
    return [name for name, each in inputs(kind).items() if each.default is Parameter.empty]


def usage(kind: str) -> str:
    """A sentence on how to draw a kind of picture, with a line of code that works."""
    names = required_inputs(kind)
    arguments = [name if i == 0 or name == "data" else f"{name}={name}" for i, name in enumerate(names)]
    return f'{kind} is drawn by dr.plot("{kind}", {", ".join(arguments)})'


def curves(history: History) -> Drawing:
    """A Drawing of loss and accuracy by epoch, with the best epoch marked if there was a validation set."""
    losses = [row.get("validation_loss") for row in history]
    best = history.best_epoch if any(loss is not None and math.isfinite(loss) for loss in losses) else None
    return Drawing({"best_epoch": best, "history": history.rows}, partial(result_plots.draw_curves, history.rows, best))


def gradients(recording: LayerHistory) -> Drawing:
    """A Drawing of the gradient's norm and the update ratio of each layer, by epoch."""
    facts = {name: getattr(recording, name).tolist() for name in ("epochs", "gradient_norm", "update_ratio")}
    return Drawing(facts, partial(network_plots.draw_gradients, recording))


def surface(model: Model, data: Dataset, recording: LayerHistory) -> Drawing:
    """A Drawing of the loss around the path of a run's parameters, on training examples."""
    most = min(max(SURFACE_WORK // model.network.parameters.size, FEWEST), MOST)
    found = loss_surface(model.inner, model.scaled(data.spread(most)), recording.parameters)
    return Drawing(plain(found), partial(result_plots.draw_surface, found))


def confusion(model: Model, data: Dataset) -> Drawing:
    """A Drawing of the confusion matrix of a model."""
    report = evaluate_model(model, data)
    facts = {"class_names": data.class_names, "confusion": report.to_json_dict().get("confusion")}
    return Drawing(facts, partial(confusion_picture, report, data))


def confusion_picture(report: Report, data: Dataset) -> Picture:
    """Draw the confusion matrix of a report. SettingError if there are no classes."""
    if report.confusion is None:
        raise SettingError(sentence("measures.no_classes", drawn="confusion is", of="classes", data=data))
    return result_plots.draw_confusion(report.confusion, data.class_names)


def mistakes(model: Model, data: Dataset) -> Drawing:
    """A Drawing of the most confident mistakes of a model."""
    found = evaluate_model(model, data).mistakes
    if found is None:
        raise SettingError(sentence("measures.no_classes", drawn="mistakes are", of="classes", data=data))
    facts = {"class_names": data.class_names, "mistakes": rows_of(found)}
    return Drawing(facts, partial(result_plots.draw_mistakes, data, found))


def staircase(model: Model, data: Dataset) -> Drawing:
    """A Drawing of loss and accuracy while one last-layer weight varies: the one that the loss depends on most."""
    found = weight_slice(model.inner, model.scaled(data).spread(STAIRS), len(model.network.weights) - 1)
    return Drawing(plain(found), partial(result_plots.draw_weight_slice, found))


def boundary(model: Model, data: Dataset) -> Drawing:
    """A Drawing of the answers of a model with two inputs, over a grid that surrounds the examples, and of these."""
    points = model.unscaled(data.inputs)
    if points.shape[1] != 2:
        raise SettingError(sentence("measures.no_plane", n_inputs=points.shape[1]))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.where(high > low, 0.1 * (high - low), 1.0)
    across, up = np.linspace(low - margin, high + margin, SIDE).T
    grid, asked = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype(points.dtype), model.of_numbers()
    outputs = (asked.predict if model.task == "values" else asked.outputs)(grid).reshape(SIDE, SIDE, -1)
    facts: dict[str, Any] = {"inputs": model.input_names or ("input 0", "input 1")}
    facts |= {"across": across.tolist(), "up": up.tolist(), "outputs": outputs.tolist()}
    return Drawing(facts, partial(result_plots.draw_boundary, facts, points, data))


def digits(data: Dataset, model: Model | None = None) -> Drawing:
    """A Drawing of a sheet of examples; if there is a model, with its answers."""
    some = data.spread(SHEET)
    answers = None if model is None else model.predict(some.inputs)
    facts = {"class_names": some.class_names, "pixels": some.inputs.tolist(), "classes": some.targets.tolist()}
    facts |= {} if answers is None else {"answers": answers.tolist()}
    return Drawing(facts, partial(result_plots.draw_digits, some, answers))


def weights(model: Model, data: Dataset | None = None) -> Drawing:
    """A Drawing of the first layer's weights; with `data`, those of pixels that are 0 in all examples are masked."""
    if data is not None:
        model.inputs(data.inputs[:1])  # a ShapeError if the data have another width
    inked = None if data is None else data.inputs.max(axis=0) > 0
    facts = {"weights": model.network.weights[0].tolist(), "biases": model.network.biases[0].tolist()}
    facts["inked"] = None if inked is None else inked.tolist()
    return Drawing(facts, partial(network_plots.draw_first_layer, model, inked))


def architecture(model: Model) -> Drawing:
    """A Drawing of the network as a diagram of its layers."""
    network = model.network
    names = [type(each).__name__ for each in (*network.activations, network.loss)]
    facts: dict[str, Any] = {"layer_sizes": network.layer_sizes, "activations": names[:-1], "loss": names[-1]}
    facts["parameters"] = network.parameters.size
    return Drawing(facts, partial(network_plots.draw_architecture, model))


def rates(trainer: Trainer, data: Dataset) -> Drawing:
    """A Drawing of a learning-rate range test that starts from the parameters of the trainer's network."""
    found = range_test(trainer, data)
    return Drawing(plain(found), partial(result_plots.draw_range_test, found))


DRAWN = (curves, gradients, surface, confusion, mistakes, staircase, boundary, digits, weights, architecture, rates)
KINDS: dict[str, Callable[..., Drawing]] = {each.__name__: each for each in DRAWN}
ROLES: dict[str, tuple[type, ...]] = {
    "history": (History,),
    "recording": (Recorder, LayerHistory),
    "model": (Model, Network),
    "data": (Dataset,),
    "trainer": (Trainer,),
}
