"""The pictures of a model: what it answers to examples, and what it is made of."""

from collections.abc import Callable
from functools import partial

import numpy as np

from deltarule.cli.examples import load_data, trained_on, unseen
from deltarule.cli.found import found_model
from deltarule.cli.plot import PlotOptions
from deltarule.cli.record import training_record
from deltarule.cli.run_pictures import curves, gradients, histograms, rates, surface
from deltarule.cli.shown import Shown
from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, closest
from deltarule.inspection.landscape import check_layer
from deltarule.inspection.metrics import ClassScore, Report, evaluate_model
from deltarule.inspection.picture import Picture
from deltarule.inspection.plots import answers, landscapes, networks, sheets
from deltarule.inspection.robustness import robustness as robustness_of
from deltarule.inspection.sensitivity import flip
from deltarule.inspection.weight_slice import weight_slice
from deltarule.model import Model
from deltarule.names import ACTIVATIONS
from deltarule.nn.network import loss_and_gradient

SHEET = 50  # examples on a sheet
FEW = 5  # examples whose flips are shown
OF_A_LAYER = ("histograms", "staircase")
STAIRS = 100  # examples whose accuracy makes a staircase: with more, its steps are too low to be seen


def found(asked: PlotOptions) -> Shown:
    """The picture that was asked for, not drawn yet. Raises SettingError where there is none of that kind."""
    if asked.kind not in KINDS:
        raise SettingError(f"no picture is called {asked.kind!r}: {closest(asked.kind, KINDS)}")
    if asked.layer is not None and asked.kind not in OF_A_LAYER:
        raise SettingError(f"--layer is for {' and '.join(OF_A_LAYER)}: got {asked.kind}; leave it out")
    if asked.changes and asked.kind != "rates":
        raise SettingError(f"--set changes a recipe, of which only rates is drawn: got {asked.kind}; leave it out")
    return KINDS[asked.kind](asked)


def model_for(asked: PlotOptions) -> Model:
    """The model that was named. SettingError where none was."""
    if asked.name is None:
        raise SettingError(f"{asked.kind} is drawn of a model: got none; give its file, or the folder of a run")
    return found_model(asked.name)[1]


def judged(asked: PlotOptions) -> tuple[Model, Dataset]:
    """The model that was named, and the examples to judge it by."""
    model = model_for(asked)
    return model, unseen(model, asked.data, asked.target, asked.offline)


def confusion_picture(report: Report, dataset: Dataset) -> Picture:
    """What is taken for what. SettingError where there are no classes."""
    if report.confusion is None:
        raise SettingError(f"only classes can be taken for each other: got {dataset.name}, which holds {dataset.task}")
    return answers.confusion(report.confusion, dataset.class_names)


def confusion(asked: PlotOptions) -> Shown:
    """What a model takes for what."""
    model, dataset = judged(asked)
    report = evaluate_model(model, dataset)
    facts = {"class_names": dataset.class_names, "confusion": report.to_json_dict().get("confusion")}
    return Shown(facts, partial(confusion_picture, report, dataset))


def mistakes(asked: PlotOptions) -> Shown:
    """The most confident mistakes."""
    model, dataset = judged(asked)
    report = evaluate_model(model, dataset)
    if report.mistakes is None:
        raise SettingError(f"mistakes are drawn of classes: got {dataset.name}, which holds {dataset.task}")
    facts = {"class_names": dataset.class_names, "mistakes": report.to_json_dict()["mistakes"]}
    return Shown(facts, partial(sheets.mistakes, dataset, report.mistakes))


def scores(asked: PlotOptions) -> Shown:
    """Recall and precision, class by class."""
    model, dataset = judged(asked)
    report = evaluate_model(model, dataset)
    per_class = [each for each in report.per_output if isinstance(each, ClassScore)]
    if not per_class:
        raise SettingError(f"scores are drawn of classes or labels: got {dataset.name}, which holds {dataset.task}")
    return Shown({"per_class": report.to_json_dict()["per_class"]}, partial(answers.scores, per_class))


def reliability(asked: PlotOptions) -> Shown:
    """Accuracy against confidence."""
    model, dataset = judged(asked)
    report = evaluate_model(model, dataset)
    if report.reliability is None:
        output = type(model.network.activations[-1]).__name__
        got = f"{model.network.layer_sizes[-1]} outputs from {output}"
        raise SettingError(f"reliability is that of probabilities, from a softmax or one sigmoid: got {got}")
    return Shown(report.reliability.to_json_dict(), partial(answers.reliability, report.reliability))


def robustness(asked: PlotOptions) -> Shown:
    """Accuracy on changed images."""
    responses = robustness_of(*judged(asked))
    return Shown({"changes": [each.to_json_dict() for each in responses]}, partial(answers.robustness, responses))


def flips(asked: PlotOptions) -> Shown:
    """What would change the model's mind about a few examples."""
    model, dataset = judged(asked)
    few = [flip(model, raw) for raw in dataset.spread(FEW).inputs]
    return Shown({"flips": [each.to_json_dict() for each in few]}, partial(sheets.flips, few, dataset.image_shape))


def staircase(asked: PlotOptions) -> Shown:
    """Loss and accuracy along the weight of a layer, the last unless another is named, that the loss hangs on most."""
    model, dataset = judged(asked)
    network, few = model.network, model.scaled(dataset).spread(STAIRS)
    layer = len(network.weights) - 1 if asked.layer is None else asked.layer
    check_layer(network, layer)
    steepest = np.abs(loss_and_gradient(network, few.inputs, few.targets)[1].weights[layer])
    source, neuron = divmod(int(steepest.argmax()), steepest.shape[1])
    reach = 4.0 * np.abs(network.weights[layer]).max().item()
    offsets = np.linspace(-reach, reach, 401)
    result = weight_slice(network, few, layer=layer, neuron=neuron, source=source, offsets=offsets)
    return Shown(result.to_json_dict(), partial(landscapes.weight_slice, result))


def digits(asked: PlotOptions) -> Shown:
    """A sheet of examples; where a model is named, with its answers."""
    if asked.name is None and asked.data is None:
        raise SettingError("a sheet of digits needs a model or data: got neither; give a MODEL, or --data DATA")
    if asked.name is None:
        splits = load_data(asked.data or "", asked.target, None, asked.offline)
        some, predicted = (splits.test or splits.train).spread(SHEET), None
    else:
        model, dataset = judged(asked)
        some = dataset.spread(SHEET)
        predicted = model.predict(some.inputs)
    facts = {"class_names": some.class_names, "pixels": some.inputs.tolist(), "classes": some.targets.tolist()}
    answered = {} if predicted is None else {"answers": predicted.tolist()}
    return Shown(facts | answered, partial(sheets.digits, some, predicted))


def weights(asked: PlotOptions) -> Shown:
    """The weights of the first layer; those of pixels that never saw ink are masked, where the data are known."""
    model, inked = model_for(asked), None
    if model.image_shape is not None and (training_record(model) or asked.data):
        dataset = trained_on(model, asked.data, asked.target, asked.offline)
        inked = dataset.inputs.max(axis=0) > 0
        model.inputs(dataset.inputs[:1])  # a ShapeError where the data are of another width
    facts = {
        "weights": model.network.weights[0].tolist(),
        "biases": model.network.biases[0].tolist(),
        "inked": None if inked is None else inked.tolist(),
    }
    return Shown(facts, partial(networks.first_layer, model, inked))


def architecture(asked: PlotOptions) -> Shown:
    """The network as a diagram."""
    model = model_for(asked)
    network = model.network
    facts = {
        "layer_sizes": network.layer_sizes,
        "activations": [type(each).__name__ for each in network.activations],
        "loss": type(network.loss).__name__,
        "parameters": network.parameters.size,
    }
    return Shown(facts, partial(networks.architecture, model))


def activations(asked: PlotOptions) -> Shown:
    """The activation functions of a model, or all that there are."""
    chosen = [kind() for kind in ACTIVATIONS.values()] if asked.name is None else model_for(asked).network.activations
    by_name = {type(each).__name__: each for each in chosen}
    curves_of = {name: networks.curve_of(each) for name, each in by_name.items()}
    facts = {name: {"value": a.tolist(), "derivative": slope.tolist()} for name, (a, slope) in curves_of.items()}
    return Shown({"z": networks.SHOWN_Z.tolist(), "activations": facts}, partial(networks.activations, by_name))


KINDS: dict[str, Callable[[PlotOptions], Shown]] = {
    function.__name__: function
    for function in (
        *(curves, histograms, gradients, surface),
        *(confusion, scores, mistakes, reliability, robustness, flips, staircase, digits),
        *(weights, architecture, activations, rates),
    )
}
