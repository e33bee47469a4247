"""Pictures of how well a model does: what it takes for what, class by class, how sure, and sheets of examples."""

import math
from collections.abc import Sequence

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.measures.metrics import ClassScore, Mistakes, Reliability
from deltarule.inspection.plots.picture import (
    BLUE,
    DASHED,
    GRAY,
    LEGEND,
    NOTE,
    ORANGE,
    WIDTH,
    Picture,
    are_long,
    new_figure,
    percent,
    short_label,
)
from deltarule.nn.arrays import Array

PER_ROW = 5
MOST_PER_ROW = 10  # where all that is written below an image is a digit or two
BARE = {"frame_on": False, "xticks": [], "yticks": []}


def draw_confusion(matrix: Array, class_names: Sequence[str]) -> Picture:
    """What is taken for what: mistakes, counted and in color; on the diagonal, the share of a class that is recognized.

    matrix: (n_classes, n_classes), a row for each true class, as `confusion_matrix` returns it.
    """
    wrong = np.ma.masked_array(matrix, mask=np.eye(len(matrix), dtype=bool))
    names = [short_label(name) for name in class_names]
    size = WIDTH * min(max(1.0, len(names) / 10.0), 10.0)  # up to 100 classes keep legible numbers
    with new_figure(height=size, width=size) as figure:
        axes = figure.subplots()
        axes.imshow(wrong, cmap="cividis", vmin=0)
        for i, k in np.argwhere(matrix):
            text = f"{100.0 * matrix[i, i] / matrix[i].sum():.1f}" if i == k else f"{matrix[i, k]}"
            color = "white" if i != k and matrix[i, k] < wrong.max() / 2 else "black"
            axes.text(k, i, text, color=color, fontsize=6, ha="center", va="center")
        axes.set_xticks(range(len(names)), names, rotation=90 if are_long(names) else 0)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        axes.set(frame_on=False, xlabel="answer (on the diagonal: recognized, in %)", ylabel="truth")
        axes.grid(visible=False)
        axes.set_title(f"{matrix.trace():,} of {matrix.sum():,} right")
    words = f"Confusion matrix of {len(names)} classes: {matrix.trace():,} of {matrix.sum():,} right"
    if wrong.sum():
        true, answer = divmod(int(wrong.argmax()), len(names))
        count = f"{matrix[true, answer]:,} times"
        words = f"{words}; most often {class_names[true]} is taken for {class_names[answer]}, {count}"
    return Picture(figure, words)


def draw_scores(per_class: Sequence[ClassScore]) -> Picture:
    """Each class's recall with its 95 % interval, and its precision; a class that does not occur has none."""
    rows = np.arange(len(per_class))
    shares = np.array([(each.recall, each.precision) for each in per_class], np.float64)  # None becomes NaN
    known = [(score.recall, score.name) for score in per_class if score.recall is not None]
    with new_figure(height=0.8 + 0.2 * len(per_class)) as figure:
        axes = figure.subplots()
        axes.hlines(
            rows, *zip(*((each.recall_low, each.recall_high) for each in per_class), strict=True), color=BLUE, alpha=0.4
        )
        axes.plot(shares[:, 0], rows, "o", color=BLUE, markersize=4, label="recall")
        axes.plot(shares[:, 1], rows, "|", color=ORANGE, markersize=8, label="precision")
        axes.set_yticks(rows, [f"{short_label(each.name)} ({each.support:,})" for each in per_class])
        axes.invert_yaxis()
        axes.set_ylabel("class (examples)")
        axes.xaxis.set_major_formatter(percent)
        axes.grid(visible=False, axis="y")
        axes.legend(**LEGEND)
    extremes = dict.fromkeys([min(known), max(known)] if known else [])  # one where there is but one
    words = ", ".join(f"{percent(recall)} for {name}" for recall, name in extremes)
    return Picture(figure, f"Recall and precision by class: the lowest and the highest recall are {words or 'unknown'}")


def draw_reliability(found: Reliability) -> Picture:
    """Accuracy against confidence, bin by bin, with 95 % intervals; below it, how many answers a bin holds."""
    used = found.examples > 0
    words = f"expected calibration error {percent(found.expected_calibration_error)}"
    with new_figure(height=3.6) as figure:
        axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        axes.plot([0, 1], [0, 1], **DASHED)
        axes.vlines(found.confidence[used], found.accuracy_low[used], found.accuracy_high[used], color=BLUE, alpha=0.4)
        axes.plot(found.confidence[used], found.accuracy[used], "o", color=BLUE, markersize=4)
        axes.set_title("accuracy")
        axes.set_title(words, **NOTE)
        axes.yaxis.set_major_formatter(percent)
        axes.annotate("too modest", (0.04, 0.93), color=GRAY)
        axes.annotate("too sure", (0.96, 0.04), color=GRAY, ha="right")
        counts.bar(found.low, found.examples, width=found.high - found.low, align="edge", color=BLUE, edgecolor="white")
        counts.set_yscale("symlog", linthresh=1.0)
        counts.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        counts.set_title("answers")
        counts.set_xlabel("confidence: the probability of the answer")
        counts.xaxis.set_major_formatter(percent)
    return Picture(figure, f"Accuracy against confidence: {words}, {found.examples.sum():,} answers")


def draw_mistakes(dataset: Dataset, found: Mistakes) -> Picture:
    """A sheet of the most confident mistakes: each image with the truth, the answer, and the output of the answer.

    dataset: what `found` was found in. Raises SettingError unless its examples are images.
    """
    images, captions = images_of(dataset, found.example), captions_of(dataset, found.true, found.predicted)
    n_rows = max(1, math.ceil(len(images) / PER_ROW))
    with new_figure(height=0.3 + 1.05 * n_rows) as figure:
        panels = figure.subplots(n_rows, PER_ROW, subplot_kw=BARE)
        for axes, image, caption, a in zip(panels.flat, images, captions, found.activation, strict=False):
            axes.imshow(image, cmap="gray_r")
            axes.set_title(caption, loc="center", fontsize=6, fontweight="normal")
            axes.set_xlabel(f"{a:.3f}", color=GRAY, fontsize=6)
        title = "the most confident mistakes: truth→answer, output" if len(images) else "no mistakes"
        figure.suptitle(title, x=0.02, ha="left")
    words = f"Sheet of the {len(images)} most confident mistakes: {', '.join(captions)}"
    return Picture(figure, words.replace("\n", ""))


def draw_digits(dataset: Dataset, answers: Array | None = None) -> Picture:
    """A sheet of all examples of a dataset of images and classes, each above its class.

    answers: (n_samples,), what a network takes them for; a wrong one stands behind the class, in orange.
    Raises SettingError unless the examples are images of classes.
    """
    images = images_of(dataset, np.arange(dataset.n_samples))
    if dataset.task != "classes":
        raise SettingError(f"a sheet shows images of classes: got {dataset.name}, which holds {dataset.task}")
    captions = captions_of(dataset, dataset.targets, dataset.targets if answers is None else answers)
    n_right = np.count_nonzero(dataset.targets == answers)
    title = f"{len(images)} examples of {dataset.name}{'' if answers is None else f', {n_right} answered right'}"
    per_row, height = (PER_ROW, 1.0) if are_long(dataset.class_names) else (MOST_PER_ROW, 0.5)
    n_rows = math.ceil(len(images) / per_row)
    with new_figure(height=0.3 + n_rows * height) as figure:
        panels = figure.subplots(n_rows, per_row, subplot_kw=BARE)
        for axes, image, caption in zip(np.ravel(panels), images, captions, strict=False):
            axes.imshow(image, cmap="gray_r")
            axes.set_xlabel(caption, fontsize=6, labelpad=1, color=ORANGE if "→" in caption else "black")
        figure.suptitle(title, x=0.02, ha="left")
    return Picture(figure, f"Sheet of {title}: {', '.join(captions)}".replace("\n", ""))


def captions_of(dataset: Dataset, true: Array, answers: Array) -> list[str]:
    """The class of each example and, where the answer is another, what it was taken for."""
    names = [short_label(name) for name in dataset.class_names]
    arrow = "\n→ " if are_long(names) else "→"
    return [names[i] if i == k else f"{names[i]}{arrow}{names[k]}" for i, k in zip(true, answers, strict=True)]


def images_of(dataset: Dataset, examples: Array) -> Array:
    """Some of its examples, (n, height, width). SettingError where they are no images."""
    if dataset.image_shape is None:
        raise SettingError(f"only images can be drawn: got {dataset.name}, which says no image_shape")
    return dataset.inputs[examples].reshape(-1, *dataset.image_shape)
