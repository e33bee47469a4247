"""How good a model is, in words, and the mistake that it was most sure of."""

import sys

from deltarule.cli.output import percent, score_words
from deltarule.data.dataset import Dataset
from deltarule.inspection.metrics import Report
from deltarule.inspection.text_image import text_image
from deltarule.model import Model


def noun(dataset: Dataset) -> str:
    """What its examples are called."""
    return "examples" if dataset.image_shape is None else "images"


def right_of_all(report: Report, dataset: Dataset) -> str:
    """"98.85 %: 9,885 of 10,000 are right", or R2."""
    if report.score_name != "accuracy":
        return score_words(report.score_name, report.score)
    n_answers = dataset.targets.size
    return f"{percent(report.score)}: {round(report.score * n_answers):,} of {n_answers:,} are right"


def worst_mistake(model: Model, dataset: Dataset, report: Report) -> str:
    """The most confident mistake, drawn where it is an image; nothing where there is none."""
    if not report.mistakes:
        return ""
    found, names = report.mistakes, dataset.class_names
    measure = "probability" if model.has_probabilities else "activation"
    sentence = (
        f"The most confident mistake, number {found.example[0] + 1:,}: it is {names[found.true[0]]}, and was taken for "
        f"{names[found.predicted[0]]} with {measure} {found.activation[0]:.4f}."
    )
    return sentence + drawing(dataset, found.example[0].item())


def drawing(dataset: Dataset, example: int) -> str:
    """An image in text, on lines of its own; nothing for what is no image."""
    if dataset.image_shape is None:
        return ""
    return "\n" + text_image(dataset.inputs[example].reshape(dataset.image_shape), sys.stdout.encoding)
