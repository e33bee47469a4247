"""Answers judged: what is taken for what, class by class, how sure, and under which changes of the images."""

from collections.abc import Sequence

import numpy as np

from deltarule.inspection.measures.calibration import Reliability
from deltarule.inspection.measures.metrics import ClassScore
from deltarule.inspection.measures.robustness import Response
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
    shortened,
)
from deltarule.nn.arrays import Array


def confusion(matrix: Array, class_names: Sequence[str]) -> Picture:
    """What is taken for what: mistakes, counted and in color; on the diagonal, the share of a class that is recognized.

    matrix: (n_classes, n_classes), a row for each true class, as metrics.confusion returns it.
    """
    wrong = np.ma.masked_array(matrix, mask=np.eye(len(matrix), dtype=bool))
    names = [shortened(name) for name in class_names]
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
    return Picture(figure, _confusion_in_words(matrix, wrong, class_names))


def _confusion_in_words(matrix: Array, wrong: Array, class_names: Sequence[str]) -> str:
    words = f"Confusion matrix of {len(class_names)} classes: {matrix.trace():,} of {matrix.sum():,} right"
    true, answer = divmod(int(wrong.argmax()), len(class_names))
    if not wrong.sum():
        return words
    return f"{words}; most often {class_names[true]} is taken for {class_names[answer]}, {matrix[true, answer]:,} times"


def scores(per_class: Sequence[ClassScore]) -> Picture:
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
        axes.set_yticks(rows, [f"{shortened(each.name)} ({each.support:,})" for each in per_class])
        axes.invert_yaxis()
        axes.set_ylabel("class (examples)")
        axes.xaxis.set_major_formatter(percent)
        axes.grid(visible=False, axis="y")
        axes.legend(**LEGEND)
    extremes = dict.fromkeys([min(known), max(known)] if known else [])  # one where there is but one
    words = ", ".join(f"{percent(recall)} for {name}" for recall, name in extremes)
    return Picture(figure, f"Recall and precision by class: the lowest and the highest recall are {words or 'unknown'}")


def reliability(found: Reliability) -> Picture:
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


def robustness(responses: Sequence[Response]) -> Picture:
    """Accuracy against the amount of each change of the images, a panel each, with 95 % intervals."""
    words = "; ".join(
        f"{each.change} of {each.amounts[each.accuracy.argmin()]:g} {each.unit} {percent(each.accuracy.min())}"
        for each in responses
    )
    with new_figure(height=0.3 + 1.15 * -(-len(responses) // 2)) as figure:
        panels = figure.subplots(-(-len(responses) // 2), 2, sharey=True).reshape(-1)
        for axes in panels[len(responses) :]:
            axes.set_axis_off()
        for axes, each in zip(panels, responses, strict=False):
            axes.axvline(each.neutral, **DASHED)
            axes.fill_between(each.amounts, each.low, each.high, color=BLUE, alpha=0.2, linewidth=0)
            axes.plot(each.amounts, each.accuracy, "o-", color=BLUE, markersize=2.5)
            axes.set_title(each.change)
            axes.set_xlabel(each.unit)
            axes.set_ylim(0.0, 1.04)
            axes.yaxis.set_major_formatter(percent)
    return Picture(figure, f"Accuracy under changes of {responses[0].examples:,} images: at its lowest, {words}")
