"""Landscapes: the loss as a surface with the path of a run on it, and loss beside accuracy along one weight."""

import numpy as np

from deltarule.errors import SettingError, require
from deltarule.inspection.measures.landscape import Surface
from deltarule.inspection.measures.weight_slice import WeightSlice
from deltarule.inspection.plots.picture import BLUE, DASHED, ORANGE, Picture, new_figure, percent

N_LEVELS = 14
LOG_FROM = 10.0  # a loss that grows more than tenfold is shown on a logarithmic scale


def surface(found: Surface) -> Picture:
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


def weight_slice(found: WeightSlice) -> Picture:
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
