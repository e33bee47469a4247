"""How good a model is, in words, and the mistake that it was most sure of."""

from importlib.util import find_spec
from pathlib import Path
from shlex import quote

from deltarule.cli.printing import drawn, in_a_line, percent
from deltarule.data.dataset import Dataset
from deltarule.inspection.measures.metrics import Report
from deltarule.model import Model


def noun(dataset: Dataset) -> str:
    """What its examples are called."""
    return "examples" if dataset.image_shape is None else "images"


def score_sentence(report: Report, dataset: Dataset) -> str:
    """How many answers are right, or how much of the targets' variance is explained."""
    if report.score_name == "r2":
        return f"R2 {report.score:.4f} on {report.examples:,} {noun(dataset)}"
    n_answers = dataset.targets.size
    what = noun(dataset) if n_answers == report.examples else "answers"
    return f"{round(report.score * n_answers):,} of {n_answers:,} {what} right, {percent(report.score)}"


def worst_mistake(model: Model, dataset: Dataset, report: Report) -> str:
    """The most confident mistake, drawn where it is an image; "" where there is none."""
    if not report.mistakes:
        return ""
    found, names = report.mistakes, dataset.class_names
    example, measure = found.example[0].item(), "probability" if model.has_probabilities else "activation"
    sentence = in_a_line(
        f"The most confident mistake, {noun(dataset)[:-1]} {example}, is {names[found.true[0]]}, taken for "
        f"{names[found.predicted[0]]} with {measure} {found.activation[0]:.4f}"
    )
    if dataset.image_shape is None:
        return sentence
    return f"{sentence}\n{drawn(dataset.inputs[example], dataset.image_shape)}"


def next_commands(model: Path, dataset: Dataset | None) -> list[str]:
    """Two commands to go on with; `dataset` is what the model was tested on."""
    file = quote(f"./{model}" if str(model).startswith("-") else str(model))
    drawable = dataset is not None and dataset.image_shape is not None and dataset.task == "classes"
    second = f"plot mistakes {file} --out mistakes.png" if drawable and find_spec("matplotlib") else "recipes"
    return [f"deltarule evaluate {file}", f"deltarule {second}"]
