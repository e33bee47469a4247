"""Pictures of networks: their layers and weights, and their layers by epoch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.errors import SettingError, require
from deltarule.inspection.measures.layer_history import LayerHistory
from deltarule.inspection.plots import style
from deltarule.inspection.plots.picture import Picture, new_figure, new_sheet
from deltarule.model import Model
from deltarule.nn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NEURONS = 8  # neurons of a layer to draw one by one
MOST_FEATURES = 25  # first-layer neurons to draw as images
PER_ROW = 5
SOUND_RATIO = 1e-3  # the size of an update over that of the weights, give or take a factor of ten


def draw_first_layer(model: Model, inked: Array | None = None) -> Picture:
    """Draw the weights of the first 25 neurons of the first layer as images.

    inked: (features,) of bool, which pixels are ever above 0 in the training set; the others, whose weights never
        learned, are gray. With None, none is gray. Raises SettingError for a model that does not read images.
    """
    if model.image_shape is None:
        cure = "set network.image_shape = (height, width), or print(network.weights[0])"
        raise SettingError(f"weights are drawn as images: got a network without an image_shape; {cure}")
    W = model.network.weights[0]
    never = np.zeros(len(W), bool) if inked is None else ~inked
    features = np.ma.masked_array(W.T, np.broadcast_to(never, W.T.shape))[:MOST_FEATURES]
    limit = 1.0 if never.all() else np.percentile(np.abs(features.compressed()), 99.5) or 1.0
    colors = {"cmap": style.diverging_colormap(), "vmin": -limit, "vmax": limit}
    images, per_row = features.reshape(-1, *model.image_shape), min(PER_ROW, len(features))
    title = f"the weights of {len(features)} of {W.shape[1]} neurons of layer 0"
    with new_sheet(images, title, per_row=per_row, row_height=3.6 / per_row, margin=0.7, **colors) as (figure, panels):
        for n, axes in enumerate(panels):
            axes.set_title(str(n), pad=2, **style.ABOVE)
        bar: dict[str, Any] = {"location": "bottom", "fraction": 0.04, "aspect": 40, "extend": "both", "format": "%.2g"}
        figure.colorbar(panels[0].images[0], ax=figure.axes, **bar)
    gray = f"{never.sum()} of {len(W)} pixels, which never saw ink, gray"
    words = f"orange below 0, blue above, up to {limit:.2g}; {gray}"
    return Picture(figure, f"Weights of {len(features)} of {W.shape[1]} first-layer neurons: {words}")


def draw_architecture(model: Model) -> Picture:
    """Draw a network as a diagram: a column of neurons per layer, and the weights between layers as lines."""
    network, loss = model.network, type(model.network.loss).__name__
    places = [_places(size) for size in network.layer_sizes]
    top, last = max(each[0] for each in places), len(network.weights)
    kinds = ["inputs", *(type(activation).__name__ for activation in network.activations)]
    with new_figure(height=1.1 + 1.5 * top) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        for l, W in enumerate(network.weights):
            _draw_weights(axes, l, W, places[l], places[l + 1])
            shape = f"{W.shape[0]}×{W.shape[1]}\n+ {W.shape[1]}"
            _write(axes, (l + 0.5, -top), (0, -22), shape, fontsize=5.5, color=style.GRAY, va="top")
        for l, (size, each) in enumerate(zip(network.layer_sizes, places, strict=True)):
            axes.plot(np.full(len(each), l), each, "o", color="white", markeredgecolor="black", markersize=6, zorder=3)
            _write(axes, (l, 0.0), (0, 0), "⋮" if len(each) < size else "", fontsize=9)
            _write(axes, (l, -top), (0, -9), f"{size:,}", fontweight="bold", va="top")
            _write(axes, (l, top), (0, 7), kinds[l], fontsize=6.5, va="bottom")
        _name_neurons(axes, last, places[-1], model.class_names)
        _name_neurons(axes, 0, places[0], model.input_names)
        axes.set(xlim=(-0.4, last + 0.4))
        axes.set_title(f"{loss}, {network.parameters.size:,} parameters", fontweight="normal", pad=16)
    sizes, names = "-".join(map(str, network.layer_sizes)), ", ".join(kinds[1:])
    words = f"{names}, judged by {loss}, {network.parameters.size:,} parameters"
    return Picture(figure, f"Architecture of a network {sizes}: {words}")


def _write(axes: "Axes", place: tuple[float, float], offset: tuple[float, float], text: str, **look: Any) -> None:
    """Write a text at `offset`, in points, from a place in the axes; centered, unless `look` changes that."""
    axes.annotate(text, place, offset, textcoords="offset points", **{"ha": "center", "va": "center"} | look)


def _places(size: int) -> Array:
    """The heights at which to draw a layer's neurons, from top to bottom; with a gap in the middle if not all fit."""
    if size > MOST_NEURONS:
        return np.delete(np.linspace(1.0, -1.0, MOST_NEURONS + 1), MOST_NEURONS // 2)
    return np.linspace(1.0, -1.0, size) * (size - 1) / MOST_NEURONS


def _draw_weights(axes: "Axes", l: int, W: Array, left: Array, right: Array) -> None:
    """Draw weights W as lines: orange below 0, blue above, the larger the darker; pale gray if only some are shown."""
    is_whole = W.shape == (len(left), len(right))
    limit = np.abs(W).max() or 1.0
    for i, k in np.ndindex(len(left), len(right)):
        strength = abs(W[i, k]) / limit
        look: dict[str, Any] = {"color": style.PALE, "linewidth": 0.4}
        if is_whole:
            color = style.BLUE if W[i, k] > 0.0 else style.ORANGE
            look = {"color": color, "linewidth": 0.3 + 1.5 * strength, "alpha": 0.25 + 0.75 * strength}
        axes.plot([l, l + 1], [left[i], right[k]], zorder=1, **look)


def _name_neurons(axes: "Axes", l: int, places: Array, names: Sequence[str]) -> None:
    """Write names beside the input neurons, or the output neurons, if each has a name and all are drawn."""
    offset, side = (-6, "right") if l == 0 else (6, "left")
    for y, name in zip(places, names, strict=True) if len(names) == len(places) else ():
        _write(axes, (l, y), (offset, 0), style.short_label(name), fontsize=6, ha=side)


def draw_gradients(recording: LayerHistory) -> Picture:
    """Draw gradient norm and update ratio, as in LayerHistory, by epoch: a line per layer, the first the darkest."""
    n_layers = recording.gradient_norm.shape[1]
    colors = require("matplotlib", "plot").colormaps["cividis"](np.linspace(0.0, 0.9, n_layers))
    with new_figure(height=3.6) as figure:
        norms, ratios = figure.subplots(2, 1, sharex=True)
        for l, color in enumerate(colors):
            norms.plot(recording.epochs, recording.gradient_norm[:, l], ".-", color=color, label=f"layer {l}")
            ratios.plot(recording.epochs, recording.update_ratio[:, l], ".-", color=color)
        ratios.axhline(SOUND_RATIO, **style.DASHED)
        for axes, title in ((norms, "length of the gradient"), (ratios, "update / weights")):
            if axes.dataLim.y1 > 0.0:  # if every gradient is 0 there is no logarithm to show
                style.use_log_scale(axes, "y")
            axes.set_title(title)
        ratios.set_title("dashed: 0.001, often sound", **style.NOTE)
        style.label_epochs(ratios)
        figure.legend(ncols=min(n_layers, 4), loc="outside upper left")
    words = ", ".join(f"{ratio:.1e}" for ratio in recording.update_ratio[-1])
    title = f"Gradient norm and update ratio of {n_layers} layer{'' if n_layers == 1 else 's'} by epoch"
    return Picture(figure, f"{title}: the last updates are {words} of their weights")
