"""Plots of a run and of a network's answers: loss and accuracy by epoch, what is taken for what, the worst mistakes."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, require
from deltarule.inspection.metrics import Mistakes
from deltarule.inspection.picture import BLUE, GRAY, ORANGE, WIDTH, Picture, new_figure
from deltarule.nn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[Mapping[str, float | None]]

PER_ROW = 5
LONGEST_NAME = 11
NOTE: dict[str, Any] = {"loc": "right", "color": GRAY, "fontweight": "normal", "fontsize": "medium"}  # beside a title
PARTS = {"train": BLUE, "validation": ORANGE}
LOG_FROM = 10.0  # a loss that falls to less than a tenth needs a logarithmic axis


def curves(rows: Rows, best_epoch: int | None = None) -> Picture:
    """Loss and accuracy (or R2) against the epoch, for training and validation, the best epoch marked.

    rows: those of a History. best_epoch: its best_epoch; None marks none. Raises SettingError where there are no rows.
    """
    if not rows:
        raise SettingError("curves need at least one epoch: got a history without any; train first")
    score = "r2" if any(name.endswith("r2") for name in rows[0]) else "accuracy"
    words = _in_words(rows, score, best_epoch)
    with new_figure(height=3.4) as figure:
        loss_axes, score_axes = figure.subplots(2, 1, sharex=True)
        _draw_curves(loss_axes, rows, "loss", best_epoch)
        _draw_curves(score_axes, rows, score, best_epoch)
        _scale_loss(loss_axes)
        _scale_score(score_axes, rows, score)
        loss_axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0)
        score_axes.set_title(words, **NOTE)
        score_axes.set_xlabel("epoch")
        score_axes.xaxis.get_major_locator().set_params(integer=True)
    return Picture(figure, f"Loss and {score} against the epoch. {words}.")


def _draw_curves(axes: "Axes", rows: Rows, name: str, best_epoch: int | None) -> None:
    epochs = _column(rows, "epoch")
    best = epochs == best_epoch
    for part, color in PARTS.items():
        figures = _column(rows, f"{part}_{name}")
        if np.isfinite(figures).any():
            axes.plot(epochs, figures, color=color, label=part)
            axes.plot(epochs[best], figures[best], "o", color=color, markersize=4.5, markeredgecolor="white")
    for epoch in epochs[best]:
        axes.axvline(epoch, color=GRAY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axes.set_title(name.replace("r2", "R²"))


def _scale_loss(axes: "Axes") -> None:
    lowest, highest = axes.dataLim.intervaly
    if 0.0 < lowest < highest / LOG_FROM:
        ticker = require("matplotlib.ticker", "plot")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if highest < 1000.0 * lowest else (1.0,)))
        axes.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(ticker.NullLocator())


def _scale_score(axes: "Axes", rows: Rows, score: str) -> None:
    """Let the epochs after the first fill the panel: guesses, at epoch 0, are so much worse than anything later."""
    figures = np.concatenate([_column(rows[1:], f"{part}_{score}") for part in PARTS])
    figures = figures[np.isfinite(figures)]
    if len(rows) > 2 and len(figures) > 0:
        margin = max(0.08 * np.ptp(figures), 1e-3)
        axes.set_ylim(figures.min() - margin, figures.max() + margin)
    axes.yaxis.set_major_formatter(lambda figure, _: _score_text(score, figure))


def _in_words(rows: Rows, score: str, best_epoch: int | None) -> str:
    """The score at first and in the best (else the last) epoch, on the validation set where there is one."""
    part = "validation" if f"validation_{score}" in rows[0] else "train"
    figures = dict(zip(_column(rows, "epoch").astype(int), _column(rows, f"{part}_{score}"), strict=True))
    first, last = min(figures), max(figures) if best_epoch is None else best_epoch
    return ", ".join(f"{_score_text(score, figures[epoch])} at epoch {epoch}" for epoch in sorted({first, last}))


def _score_text(score: str, figure: float) -> str:
    return f"{figure:.4g}" if score == "r2" else f"{round(100.0 * figure, 2):g} %"


def _column(rows: Rows, name: str) -> Array:
    """A column of a history, (n_epochs,), with NaN, which is not drawn, for what is missing."""
    return np.array([row.get(name) for row in rows], np.float64)


def confusion(matrix: Array, class_names: Sequence[str]) -> Picture:
    """What is taken for what: mistakes, counted and in color; on the diagonal, the share of a class that is recognized.

    matrix: (n_classes, n_classes), a row for each true class, as metrics.confusion returns it.
    """
    wrong = np.ma.masked_array(matrix, mask=np.eye(len(matrix), dtype=bool))
    names = [_shortened(name) for name in class_names]
    size = WIDTH * min(max(1.0, len(names) / 10.0), 10.0)  # up to 100 classes keep legible numbers
    with new_figure(height=size, width=size) as figure:
        axes = figure.subplots()
        axes.imshow(wrong, cmap="cividis", vmin=0)
        for i, k in np.argwhere(matrix):
            text = f"{100.0 * matrix[i, i] / matrix[i].sum():.1f}" if i == k else f"{matrix[i, k]}"
            color = "white" if i != k and matrix[i, k] < wrong.max() / 2 else "black"
            axes.text(k, i, text, color=color, fontsize=6, ha="center", va="center")
        axes.set_xticks(range(len(names)), names, rotation=90 if _are_long(names) else 0)
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


def mistakes(dataset: Dataset, found: Mistakes) -> Picture:
    """A sheet of the most confident mistakes: each image with the answer, the truth, and the output of the answer.

    dataset: what `found` was found in. Raises SettingError where its examples are no images.
    """
    if dataset.image_shape is None:
        raise SettingError(f"only images can be drawn: got {dataset.name}, which says no image_shape")
    images = dataset.inputs[found.example].reshape(-1, *dataset.image_shape)
    names = [_shortened(name) for name in dataset.class_names]
    between = "\n" if _are_long(names) else ", "
    captions = [f"{names[k]}{between}not {names[i]}" for k, i in zip(found.predicted, found.true, strict=True)]
    n_rows = max(1, math.ceil(len(images) / PER_ROW))
    with new_figure(height=0.3 + 1.05 * n_rows) as figure:
        panels = figure.subplots(n_rows, PER_ROW, subplot_kw={"frame_on": False, "xticks": [], "yticks": []})
        for axes, image, caption, a in zip(panels.flat, images, captions, found.activation, strict=False):
            axes.imshow(image, cmap="gray_r")
            axes.set_title(caption, loc="center", fontsize=6, fontweight="normal")
            axes.set_xlabel(f"{a:.3f}", color=GRAY, fontsize=6)
        figure.suptitle(
            "the most confident mistakes, each with its output" if len(images) else "no mistakes", x=0.02, ha="left"
        )
    words = "; ".join(captions).replace("\n", ", ")
    return Picture(figure, f"Sheet of the {len(images)} most confident mistakes: {words}")


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _are_long(names: Sequence[str]) -> bool:
    return max(map(len, names)) > 2
