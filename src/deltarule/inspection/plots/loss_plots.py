"""Pictures of the loss: by epoch, by learning rate, and as a landscape over the parameters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deltarule.errors import SettingError, require
from deltarule.inspection.measures.learning_rate_range import RangeTest
from deltarule.inspection.measures.loss_landscape import Surface, WeightSlice
from deltarule.inspection.plots.picture import (
    BLUE,
    DASHED,
    LEGEND,
    NOTE,
    ORANGE,
    PALE,
    Picture,
    new_figure,
    percent,
    plain_log_ticks,
)
from deltarule.nn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[Mapping[str, float | None]]

PARTS = {"train": BLUE, "validation": ORANGE}
LOG_FROM = 10.0  # what falls to less than a tenth, or grows tenfold, needs a logarithmic scale
N_LEVELS = 14  # of a landscape


def draw_curves(rows: Rows, best_epoch: int | None = None) -> Picture:
    """Loss and accuracy (or R2) against the epoch, for training and validation, the best epoch marked.

    rows: those of a History. best_epoch: its best_epoch; None marks none. Raises SettingError where there are no rows.
    """
    if not rows:
        raise SettingError("curves need at least one epoch: got a history without any; train first")
    score = "r2" if any(name.endswith("r2") for name in rows[0]) else "accuracy"
    words = _curve_words(rows, score, best_epoch)
    with new_figure(height=3.4) as figure:
        loss_axes, score_axes = figure.subplots(2, 1, sharex=True)
        _draw_panel(loss_axes, rows, "loss", best_epoch)
        _draw_panel(score_axes, rows, score, best_epoch)
        _scale_loss(loss_axes)
        _scale_score(score_axes, rows, score)
        loss_axes.legend(**LEGEND)
        score_axes.set_title(words, **NOTE)
        score_axes.set_xlabel("epoch")
        score_axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    return Picture(figure, f"Loss and {score} against the epoch: {words}")


def _draw_panel(axes: "Axes", rows: Rows, name: str, best_epoch: int | None) -> None:
    epochs = _column(rows, "epoch")
    best = epochs == best_epoch
    for part, color in PARTS.items():
        figures = _column(rows, f"{part}_{name}")
        if np.isfinite(figures).any():
            axes.plot(epochs, figures, color=color, label=part)
            axes.plot(epochs[best], figures[best], "o", color=color, markersize=4.5, markeredgecolor="white")
    for epoch in epochs[best]:
        axes.axvline(epoch, **DASHED, zorder=1)
    axes.set_title(name.replace("r2", "R²"))


def _scale_loss(axes: "Axes") -> None:
    lowest, highest = axes.dataLim.intervaly
    if 0.0 < lowest < highest / LOG_FROM:
        axes.set_yscale("log")
        plain_log_ticks(axes.yaxis)


def _scale_score(axes: "Axes", rows: Rows, score: str) -> None:
    """Where the error falls to less than a tenth, give each tenfold fall the same height, as 90 to 99 and 99 to 99.9 %.

    So the guesses of epoch 0 and the last tenth of a percent are both in the picture.
    """
    errors = 1.0 - np.concatenate([_column(rows, f"{part}_{score}") for part in PARTS])
    errors = errors[np.isfinite(errors)]
    above_0 = errors[errors > 0.0]
    if len(above_0) > 0 and above_0.min() <= above_0.max() / LOG_FROM:
        worst, best, perfect = above_0.max(), above_0.min(), 0.5 * above_0.min()
        heights = (lambda y: -np.log10(np.maximum(1.0 - y, perfect)), lambda height: 1.0 - 10.0**-height)
        axes.set_yscale("function", functions=heights)
        is_perfect = bool(errors.min() <= 0.0)
        axes.set_ylim(1.0 - 1.1 * worst, 1.0 - (perfect if is_perfect else 0.9 * best))
        steps = (1.0, 0.5, 0.2) if worst < 1000.0 * best else (1.0,)
        errors_marked = (step * 10.0**power for power in range(2, -10, -1) for step in steps)
        marks = [error for error in errors_marked if best <= error <= 1.1 * worst]
        axes.set_yticks([1.0 - error for error in (*marks, *[0.0] * is_perfect)])
    axes.yaxis.set_major_formatter(lambda figure, _: _score_text(score, figure))


def _curve_words(rows: Rows, score: str, best_epoch: int | None) -> str:
    """The score at first and in the best (else the last) epoch, on the validation set where there is one."""
    part = "validation" if f"validation_{score}" in rows[0] else "train"
    figures = dict(zip(_column(rows, "epoch").astype(int), _column(rows, f"{part}_{score}"), strict=True))
    first, last = min(figures), max(figures) if best_epoch is None else best_epoch
    return ", ".join(f"{_score_text(score, figures[epoch])} at epoch {epoch}" for epoch in sorted({first, last}))


def _score_text(score: str, figure: float) -> str:
    return f"{figure:.6g}" if score == "r2" else percent(figure)


def _column(rows: Rows, name: str) -> Array:
    """A column of a history, (n_epochs,), with NaN, which is not drawn, for what is missing."""
    return np.array([row.get(name) for row in rows], np.float64)


def draw_range_test(found: RangeTest) -> Picture:
    """The loss against the learning rate that a range test tried, the best rate and the highest marked."""
    rises = "never rises" if found.highest is None else f"rises from {found.highest:.2g} on"
    words = f"the loss falls fastest at {found.steepest:.2g} and {rises}"
    marked = np.isin(found.rates, [found.steepest, found.highest or found.steepest])
    before = found.smoothed[: found.smoothed.argmin() + 1]  # what comes behind may be as high as it likes
    margin = 0.3 * (before.max() - before.min()) or 1.0
    with new_figure(height=2.2) as figure:
        axes = figure.subplots()
        axes.plot(found.rates, found.losses, color=PALE, label="of a batch")
        axes.plot(found.rates, found.smoothed, color=BLUE, label="smoothed")
        axes.plot(
            found.rates[marked], found.smoothed[marked], "o", color=ORANGE, markersize=4.5, markeredgecolor="white"
        )
        axes.set_xscale("log")
        plain_log_ticks(axes.xaxis)
        axes.set(xlabel=f"learning rate\n({words})", title="loss")
        axes.set_ylim(before.min() - margin, before.max() + margin)
        axes.legend(**LEGEND)
    return Picture(figure, f"Loss against the learning rate, a range test: {words}")


def draw_surface(found: Surface) -> Picture:
    """The loss over a plane in the space of parameters, in color, and the path of descent on it, in orange.

    Raises SettingError where no two losses differ, or none is finite.
    """
    path = found.plane.path
    kind, names = "the loss, exactly: two parameters", ("weight", "bias")
    if not found.is_exact:
        kind = f"a slice, {percent(round(found.plane.share, 3))} of the path's variance"
        names = ("first principal component", "second principal component")
    losses = np.ma.masked_invalid(found.losses)
    low, high = losses.min(), losses.max()
    if not low < high:
        raise SettingError("a landscape needs losses that differ and are finite: got none; train with a smaller rate")
    is_log = low > 0.0 and high > LOG_FROM * low
    # Squares, so that a parabola's contours are equally far apart.
    levels = np.geomspace(low, high, N_LEVELS) if is_log else low + (high - low) * np.linspace(0.0, 1.0, N_LEVELS) ** 2
    with new_figure(height=3.0) as figure:
        axes = figure.subplots()
        halo = require("matplotlib.patheffects", "plot").withStroke(linewidth=2, foreground="white")
        colors = require("matplotlib.colors", "plot")
        norm = colors.LogNorm(low, high) if is_log else colors.PowerNorm(0.5, low, high)
        areas = axes.contourf(found.across, found.up, losses, levels, cmap="cividis", norm=norm, extend="both")
        axes.contour(found.across, found.up, losses, levels, colors="white", linewidths=0.3, alpha=0.6)
        axes.plot(*path.T, "-", color="white", linewidth=2.6)
        axes.plot(*path.T, ".-", color=ORANGE, markersize=3.5)
        for point, mark, words in ((path[0], "s", "start"), (path[-1], "o", "end")):
            axes.plot(*point, mark, color=ORANGE, markersize=6, markeredgecolor="white")
            text = axes.annotate(words, point, (0, 6), textcoords="offset points", ha="center", fontweight="bold")
            text.set_path_effects([halo])
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.grid(visible=False)
        axes.set_title(kind, fontweight="normal")
        ticks = levels[:: N_LEVELS // 5]
        figure.colorbar(areas, ax=axes, ticks=ticks, format="%.2g", label="loss").ax.minorticks_off()
    return Picture(
        figure, f"Loss surface and the path of descent on it: {kind}; the loss runs from {low:.3g} to {high:.3g}"
    )


def draw_weight_slice(found: WeightSlice) -> Picture:
    """Why a network learns by a loss: along one weight the loss is smooth, and the accuracy a staircase."""
    name = f"weights[{found.layer}][{found.source}, {found.neuron}]"
    n_steps = int(np.count_nonzero(np.diff(found.accuracy)))
    with new_figure(height=3.2) as figure:
        panels = figure.subplots(2, 1, sharex=True)
        panels[0].plot(found.offsets, found.loss, color=BLUE)
        panels[1].step(found.offsets, found.accuracy, color=ORANGE, where="mid")
        for axes, title in zip(panels, ("loss: a slope everywhere", "accuracy: flat, but for its steps"), strict=True):
            axes.axvline(0.0, **DASHED)
            axes.set_title(title)
        panels[1].yaxis.set_major_formatter(percent)
        panels[1].set_xlabel(f"change of {name}")
    words = f"the loss is smooth, the accuracy flat but for {n_steps} step{'' if n_steps == 1 else 's'}"
    return Picture(figure, f"Loss and accuracy along {name}: {words}")
