"""A run as curves: loss and score by epoch; and the range test, its loss by learning rate."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deltarule.errors import SettingError, require
from deltarule.inspection.picture import BLUE, GRAY, NOTE, ORANGE, PALE, Picture, new_figure
from deltarule.inspection.range_test import RangeTest
from deltarule.nn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[Mapping[str, float | None]]

PARTS = {"train": BLUE, "validation": ORANGE}
LOG_FROM = 10.0  # what falls to less than a tenth needs a logarithmic axis
ERRORS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0)  # where an axis of scores is marked


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
    return Picture(figure, f"Loss and {score} against the epoch: {words}")


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
    """Where the error falls to less than a tenth, give each tenfold fall the same height, as 90 to 99 and 99 to 99.9 %.

    So the guesses of epoch 0 and the last tenth of a percent are both in the picture.
    """
    axes.yaxis.set_major_formatter(lambda figure, _: _score_text(score, figure))
    errors = 1.0 - np.concatenate([_column(rows, f"{part}_{score}") for part in PARTS])
    above_0 = errors[np.isfinite(errors) & (errors > 0.0)]
    if len(above_0) == 0 or above_0.min() > above_0.max() / LOG_FROM:
        return
    least = above_0.min() / 2.0  # where a score without any error is drawn
    axes.set_yscale("function", functions=(lambda y: -np.log10(np.maximum(1.0 - y, least)), lambda y: 1.0 - 10.0**-y))
    axes.set_ylim(1.0 - 1.1 * above_0.max(), 1.0 - (least if errors.min() == 0.0 else 0.9 * above_0.min()))
    highest = 1.0 - above_0.min()
    marks = [1.0 - error for error in ERRORS if error <= 1.1 * above_0.max() and 1.0 - error <= highest]
    axes.set_yticks([*marks, 1.0] if np.nanmin(errors) == 0.0 else marks)


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


def range_curve(found: RangeTest) -> Picture:
    """The loss against the learning rate that a range test tried, the best rate and the highest marked."""
    words = f"the loss falls fastest at {found.steepest:.2g} and rises from {found.highest:.2g} on"
    with new_figure(height=2.2) as figure:
        axes = figure.subplots()
        axes.plot(found.rates, found.losses, color=PALE, label="of a batch")
        axes.plot(found.rates, found.smoothed, color=BLUE, label="smoothed")
        for rate in (found.steepest, found.highest):
            at = int(np.searchsorted(found.rates, rate))
            axes.plot(rate, found.smoothed[at], "o", color=ORANGE, markersize=4.5, markeredgecolor="white")
            axes.annotate(f"{rate:.2g}", (rate, found.smoothed[at]), (0, 5), textcoords="offset points", ha="center")
        axes.set_xscale("log")
        axes.set(xlabel="learning rate, growing with every step", title="loss")
        axes.set_ylim(top=1.1 * max(found.smoothed[0], *found.smoothed[: found.smoothed.argmin() + 1]))
        axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0)
    return Picture(figure, f"Loss against the learning rate, a range test: {words}")
