"""Plots of a run and of a network's answers: loss and accuracy by epoch, what is taken for what, the worst mistakes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.metrics import Mistakes
from deltarule.inspection.picture import BLUE, GRAY, ORANGE, WIDTH, Picture, new_figure
from deltarule.nn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = {"train": BLUE, "validation": ORANGE}
LOG_FROM = 10.0  # a loss that falls to less than a tenth is drawn on a logarithmic axis


def curves(rows: Sequence[Mapping[str, float | None]], best_epoch: int | None = None) -> Picture:
    """Loss and accuracy (or R2) against the epoch, for training and validation, the best epoch marked.

    rows: a history's, epoch 0 first. best_epoch: none is marked where it is None.
    """
    score = "r2" if any("r2" in name for name in rows[0]) else "accuracy"
    with new_figure(height=3.6) as figure:
        panels = figure.subplots(2, 1, sharex=True)
        for axes, name in zip(panels, ("loss", score), strict=True):
            _draw_curves(axes, rows, name, best_epoch)
        panels[0].legend(ncols=2, loc="upper right")
        panels[1].set_xlabel("epoch")
    return Picture(figure, _curves_in_words(rows, score, best_epoch))


def _draw_curves(axes: "Axes", rows: Sequence[Mapping[str, float | None]], name: str, best_epoch: int | None) -> None:
    epochs = _column(rows, "epoch")
    for part, color in PARTS.items():
        figures = _column(rows, f"{part}_{name}")
        axes.plot(epochs, figures, color=color, label=part)
        axes.plot(epochs[epochs==best_epoch], figures[epochs==best_epoch], "o", color=color)
    axes.set_title(name)


def _column(rows: Sequence[Mapping[str, float | None]], name: str) -> Array:
    """A column of a history, (n_epochs,), with NaN, which is not drawn, for what is missing."""
    return np.array([row.get(name) for row in rows], np.float64)


def _curves_in_words(rows: Any, score: str, best_epoch: int | None) -> str:
    return ""
