"""Layers over time: histograms of what is in them, and how long gradients and updates are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deltarule.errors import require
from deltarule.inspection.measures.recording import QUANTITIES, Recording
from deltarule.inspection.plots.picture import DASHED, NOTE, Picture, new_figure, plain_log_ticks
from deltarule.nn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SOUND_RATIO = 1e-3  # of an update to its weights: a rule of thumb, within a factor of ten


def histograms(recording: Recording, layers: Sequence[int]) -> Picture:
    """Weights, activations, deltas and gradients of some layers: a strip of color an epoch, bright where many are."""
    with new_figure(height=0.35 + 2.1 * len(layers)) as figure:
        panels = figure.subplots(2 * len(layers), 2, sharex=True, squeeze=False)
        for n, l in enumerate(layers):
            for axes, quantity in zip(panels[2 * n : 2 * n + 2].flat, QUANTITIES, strict=True):
                _draw_strips(axes, recording.epochs, recording.counts[quantity][:, l], recording.limits[quantity][:, l])
                axes.set_title(f"layer {l}" if quantity == "weights" else "")
                axes.set_title(quantity, **NOTE)
        for axes in panels[-1]:
            axes.set_xlabel("epoch")
    words = ", ".join(
        f"layer {l} from {_deviation(recording, 0, l):.2g} to {_deviation(recording, -1, l):.2g}" for l in layers
    )
    title = "Histograms of weights, activations, deltas and gradients by epoch"
    return Picture(figure, f"{title}: standard deviation of the weights, {words}")


def _draw_strips(axes: "Axes", epochs: Array, counts: Array, limits: Array) -> None:
    """One histogram an epoch, upright: counts (n_epochs, n_bins) between limits (n_epochs, 2)."""
    edges = np.concatenate([epochs, [epochs[-1] + (epochs[-1] - epochs[-2] if len(epochs) > 1 else 1.0)]])
    for k, (row, (low, high)) in enumerate(zip(counts, limits, strict=True)):
        # The root of a share: what few have is still to be seen beside what most have.
        shade = np.sqrt(row / max(row.max(), 1.0))[:, np.newaxis]
        axes.pcolormesh(
            edges[k : k + 2], np.linspace(low, high, len(row) + 1), shade, cmap="cividis", vmin=0.0, rasterized=True
        )
    axes.set_xlim(edges[0], edges[-1])
    axes.grid(visible=False)
    ticker = require("matplotlib.ticker", "plot")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(ticker.MaxNLocator(3))
    axes.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:.3g}"))


def _deviation(recording: Recording, row: int, l: int) -> float:
    """The standard deviation of the weights of layer l, from their histogram."""
    counts, (low, high) = recording.counts["weights"][row, l], recording.limits["weights"][row, l]
    centers = np.linspace(low, high, 2 * len(counts) + 1)[1::2]
    mean = np.average(centers, weights=counts)
    return float(np.sqrt(np.average((centers - mean) ** 2, weights=counts)))


def gradients(recording: Recording) -> Picture:
    """The gradient's length and the update's share of the weights, a line a layer, the first the darkest."""
    n_layers = recording.gradient_norm.shape[1]
    colors = require("matplotlib", "plot").colormaps["cividis"](np.linspace(0.0, 0.9, n_layers))
    with new_figure(height=3.6) as figure:
        norms, ratios = figure.subplots(2, 1, sharex=True)
        for l, color in enumerate(colors):
            norms.plot(recording.epochs, recording.gradient_norm[:, l], ".-", color=color, label=f"layer {l}")
            ratios.plot(recording.epochs, recording.update_ratio[:, l], ".-", color=color)
        ratios.axhline(SOUND_RATIO, **DASHED)
        for axes, title in ((norms, "length of the gradient"), (ratios, "update / weights")):
            if axes.dataLim.y1 > 0.0:  # where every gradient is 0 there is no logarithm to show
                axes.set_yscale("log")
                plain_log_ticks(axes.yaxis)
            axes.set_title(title)
        ratios.set_title("dashed: 0.001, often sound", **NOTE)
        ratios.set_xlabel("epoch")
        ratios.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        figure.legend(ncols=min(n_layers, 4), loc="outside upper left")
    words = ", ".join(f"{ratio:.1e}" for ratio in recording.update_ratio[-1])
    title = f"Gradient norm and update ratio of {n_layers} layer{'' if n_layers == 1 else 's'} by epoch"
    return Picture(figure, f"{title}: the last updates are {words} of their weights")
