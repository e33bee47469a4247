"""Pictures of results: losses by epoch, by learning rate and by parameters; and answers, right and wrong."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, require, sentence
from deltarule.inspection.measures.learning_rate_range import RangeTest
from deltarule.inspection.measures.loss_landscape import Surface, WeightSlice
from deltarule.inspection.measures.metrics import Mistakes
from deltarule.inspection.plots import style
from deltarule.inspection.plots.picture import Picture, new_figure, new_sheet
from deltarule.nn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[Mapping[str, float | None]]

PARTS = {"train": style.BLUE, "validation": style.ORANGE}
MARK: dict[str, Any] = {"markersize": 4.5, "markeredgecolor": "white"}
LOG_FROM = 10.0  # a figure that falls below a tenth, or grows tenfold, needs a logarithmic scale
N_LEVELS = 14  # contour levels of a landscape
PER_ROW = 5
MOST_PER_ROW = 10  # if the text below an image is only a digit or two


def draw_curves(rows: Rows, best_epoch: int | None = None) -> Picture:
    """Draw loss and accuracy (or R2) against the epoch, for training and validation, with the best epoch marked.

    rows: of a History. best_epoch: the epoch to mark; None marks none. Raises SettingError if there are no rows.
    """
    if not rows:
        raise SettingError("curves need at least one epoch: got a history without any; train first")
    score = "r2" if any(name.endswith("r2") for name in rows[0]) else "accuracy"
    text_of = "{:.6g}".format if score == "r2" else style.percent
    # The first score and that of the best (else the last) epoch, on the validation set if there is one.
    part = "validation" if f"validation_{score}" in rows[0] else "train"
    figures = dict(zip(_column(rows, "epoch").astype(int), _column(rows, f"{part}_{score}"), strict=True))
    shown = sorted({min(figures), max(figures) if best_epoch is None else best_epoch})
    words = ", ".join(f"{text_of(figures[epoch])} at epoch {epoch}" for epoch in shown)
    with new_figure(height=3.4) as figure:
        loss_axes, score_axes = figure.subplots(2, 1, sharex=True)
        _draw_panel(loss_axes, rows, "loss", best_epoch)
        _draw_panel(score_axes, rows, score, best_epoch)
        lowest, highest = loss_axes.dataLim.intervaly
        if 0.0 < lowest < highest / LOG_FROM:
            style.use_log_scale(loss_axes, "y")
        _scale_score(score_axes, rows, score)
        score_axes.yaxis.set_major_formatter(lambda figure, _: text_of(figure))
        loss_axes.legend(**style.LEGEND)
        score_axes.set_title(words, **style.NOTE)
        style.label_epochs(score_axes)
    return Picture(figure, f"Loss and {score} against the epoch: {words}")


def _draw_panel(axes: "Axes", rows: Rows, name: str, best_epoch: int | None) -> None:
    epochs = _column(rows, "epoch")
    best = epochs == best_epoch
    for part, color in PARTS.items():
        figures = _column(rows, f"{part}_{name}")
        if np.isfinite(figures).any():
            axes.plot(epochs, figures, color=color, label=part)
            axes.plot(epochs[best], figures[best], "o", color=color, **MARK)
    for epoch in epochs[best]:
        axes.axvline(epoch, **style.DASHED, zorder=1)
    axes.set_title(name.replace("r2", "R²"))


def _scale_score(axes: "Axes", rows: Rows, score: str) -> None:
    """If the error, 1 - score, falls tenfold or more, give each tenfold fall the same height on the axis.

    Then 90 to 99 % is as high as 99 to 99.9 %, and epoch 0 and the last tenth of a percent are both visible.
    """
    errors = 1.0 - np.concatenate([_column(rows, f"{part}_{score}") for part in PARTS])
    errors = errors[np.isfinite(errors)]
    above_0 = errors[errors > 0.0]
    worst, best = above_0.max(initial=0.0), above_0.min(initial=np.inf)
    if best <= worst / LOG_FROM:
        perfect = 0.5 * best
        heights = (lambda y: -np.log10(np.maximum(1.0 - y, perfect)), lambda height: 1.0 - 10.0**-height)
        axes.set_yscale("function", functions=heights)
        is_perfect = bool(errors.min() <= 0.0)
        axes.set_ylim(1.0 - 1.1 * worst, 1.0 - (perfect if is_perfect else 0.9 * best))
        steps = (1.0, 0.5, 0.2) if worst < 1000.0 * best else (1.0,)
        errors_marked = (step * 10.0**power for power in range(2, -10, -1) for step in steps)
        marks = [error for error in errors_marked if best <= error <= 1.1 * worst]
        axes.set_yticks([1.0 - error for error in (*marks, *[0.0] * is_perfect)])


def _column(rows: Rows, name: str) -> Array:
    """A column of a history as an array (n_epochs,), with NaN, which is not drawn, for missing figures."""
    return np.array([row.get(name) for row in rows], np.float64)


def draw_range_test(found: RangeTest) -> Picture:
    """Draw the loss against the learning rate of a range test, with the best and the highest useful rate marked."""
    rises = "never rises" if found.highest is None else f"rises from {found.highest:.2g} on"
    words = f"the loss falls fastest at {found.steepest:.2g} and {rises}"
    marked = np.isin(found.rates, [found.steepest, found.highest or found.steepest])
    before = found.smoothed[: found.smoothed.argmin() + 1]  # later losses may be as high as they like
    margin = 0.3 * (before.max() - before.min()) or 1.0
    with new_figure(height=2.2) as figure:
        axes = figure.subplots()
        axes.plot(found.rates, found.losses, color=style.GRAY, alpha=0.5, linewidth=0.8, label="of a batch")
        axes.plot(found.rates, found.smoothed, color=style.BLUE, label="smoothed")
        axes.plot(found.rates[marked], found.smoothed[marked], "o", color=style.ORANGE, **MARK)
        style.use_log_scale(axes, "x")
        axes.set(xlabel=f"learning rate\n({words})", title="loss")
        axes.set_ylim(before.min() - margin, before.max() + margin)
        axes.legend(**style.LEGEND)
    return Picture(figure, f"Loss against the learning rate, a range test: {words}")


def draw_boundary(found: dict[str, Any], points: Array, data: Dataset) -> Picture:
    """Draw a model's answers, from `kinds.boundary`, in color over its two inputs, and examples as points (n, 2)."""
    outputs, y = np.asarray(found["outputs"]), np.reshape(data.targets, (data.n_samples, -1))[:, 0].astype(float)
    count = outputs.shape[-1] if data.task == "classes" else 1
    middle = y.mean() if data.task == "values" else 0.5 * max(count - 1, 1)
    answer = outputs.argmax(axis=-1) if count > 2 else outputs[..., 0]
    field = (outputs[..., 1] - outputs[..., 0]) / 2 if count == 2 else answer - middle
    tones, lines = y - middle, np.arange(max(count - 1, 1)) - 0.5 * max(count - 2, 0)
    most = max(np.abs(field).max(), np.abs(tones).max()) or 1.0
    look: dict[str, Any] = {"cmap": style.diverging_colormap(), "vmin": -most, "vmax": most}
    with new_figure(height=3.2) as figure:
        axes = figure.subplots()
        axes.pcolormesh(found["across"], found["up"], field, alpha=0.6, rasterized=True, **look)
        if field.min() < field.max():
            axes.contour(found["across"], found["up"], field, lines, colors="black", linewidths=0.8)
        axes.scatter(points[:, 0], points[:, 1], s=9, c=tones, edgecolors="black", linewidths=0.4, **look)
        axes.set(xlabel=style.short_label(found["inputs"][0]), ylabel=style.short_label(found["inputs"][1]))
        axes.grid(visible=False)
    words = f"{data.n_samples} examples of {', '.join(data.class_names) or data.task} on what it answers around them"
    return Picture(figure, f"Boundary over {' and '.join(found['inputs'])}: {words}")


def draw_surface(found: Surface) -> Picture:
    """Draw the loss over a plane in the space of parameters, in color, and the path of descent on it, in orange.

    Raises SettingError if all losses are equal, or none is finite.
    """
    kind, names = "the loss, exactly: two parameters", ("weight", "bias")
    if not found.is_exact:
        kind = f"a slice, {style.percent(round(found.share_of_variance, 3))} of the path's variance"
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
        axes.plot(*found.path.T, ".-", color=style.ORANGE, markersize=3.5, path_effects=[halo])
        for point, mark, name in ((found.path[0], "s", "start"), (found.path[-1], "o", "end")):
            axes.plot(*point, mark, color=style.ORANGE, markersize=6, markeredgecolor="white")
            look: dict[str, Any] = {"ha": "center", "fontweight": "bold", "path_effects": [halo]}
            axes.annotate(name, point, (0, 6), textcoords="offset points", **look)
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.set_title(kind, fontweight="normal")
        axes.grid(visible=False)
        bar = figure.colorbar(areas, ax=axes, ticks=levels[:: N_LEVELS // 5], format="%.3g", label="loss")
        bar.ax.minorticks_off()
    words = f"{kind}; the loss runs from {low:.3g} to {high:.3g}"
    return Picture(figure, f"Loss surface and the path of descent on it: {words}")


def draw_weight_slice(found: WeightSlice) -> Picture:
    """Draw loss and accuracy along one weight: a smooth curve and a staircase. It shows what a loss is for."""
    name = f"weights[{found.layer}][{found.source}, {found.neuron}]"
    n_steps = int(np.count_nonzero(np.diff(found.accuracy)))
    with new_figure(height=3.2) as figure:
        panels = figure.subplots(2, 1, sharex=True)
        panels[0].plot(found.offsets, found.loss, color=style.BLUE)
        panels[1].step(found.offsets, found.accuracy, color=style.ORANGE, where="mid")
        for axes, title in zip(panels, ("loss: a slope everywhere", "accuracy: flat, with steps"), strict=True):
            axes.axvline(0.0, **style.DASHED)
            axes.set_title(title)
        panels[1].yaxis.set_major_formatter(style.percent)
        panels[1].set_xlabel(f"change of {name}")
    words = f"the loss is smooth, the accuracy flat except for {n_steps} step{'' if n_steps == 1 else 's'}"
    return Picture(figure, f"Loss and accuracy along {name}: {words}")


def draw_confusion(matrix: Array, class_names: Sequence[str]) -> Picture:
    """Draw a confusion matrix: counts of mistakes, in color; on the diagonal, the share of a class that is recognized.

    matrix: (n_classes, n_classes), a row for each true class, as `confusion_matrix` returns it.
    """
    wrong = np.ma.masked_array(matrix, mask=np.eye(len(matrix), dtype=bool))
    names = [style.short_label(name) for name in class_names]
    size = style.WIDTH * min(max(1.0, len(names) / 10.0), 10.0)  # up to 100 classes keep legible numbers
    words = f"{matrix.trace():,} of {matrix.sum():,} right"
    with new_figure(height=size, width=size) as figure:
        axes = figure.subplots()
        axes.imshow(wrong, cmap="cividis", vmin=0)
        support = matrix.sum(axis=1)
        for i, k in np.argwhere(matrix + np.diag(support)):  # 0.0 if none of a class is recognized
            text = f"{100.0 * matrix[i, i] / support[i]:.1f}" if i == k else f"{matrix[i, k]}"
            color = "white" if i != k and matrix[i, k] < wrong.max() / 2 else "black"
            axes.text(k, i, text, color=color, fontsize=6, ha="center", va="center")
        axes.set_xticks(range(len(names)), names, rotation=90 if style.are_long(names) else 0)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        axes.set(frame_on=False, xlabel="answer (on the diagonal: recognized, in %)", ylabel="truth", title=words)
        axes.grid(visible=False)
    if wrong.sum():
        true, answer = divmod(int(wrong.argmax()), len(names))
        count = f"{matrix[true, answer]:,} times"
        words = f"{words}; most often {class_names[true]} is taken for {class_names[answer]}, {count}"
    return Picture(figure, f"Confusion matrix of {len(names)} classes: {words}")


def draw_mistakes(dataset: Dataset, found: Mistakes) -> Picture:
    """Draw a sheet of the most confident mistakes: each image with its class, the answer, and the answer's output.

    dataset: the examples of `found`. Raises SettingError unless they are images.
    """
    images, captions = images_of(dataset, found.example), captions_of(dataset, found.true, found.predicted)
    title = "the most confident mistakes: truth→answer, output" if len(images) else "no mistakes"
    with new_sheet(images, title, per_row=PER_ROW, row_height=1.05, cmap="gray_r") as (figure, panels):
        for axes, caption, a in zip(panels, captions, found.activation, strict=True):
            axes.set_title(caption, **style.ABOVE)
            axes.set_xlabel(f"{a:.3f}", color=style.GRAY, fontsize=6)
    words = f"Sheet of the {len(images)} most confident mistakes: {', '.join(captions)}"
    return Picture(figure, words.replace("\n", ""))


def draw_digits(dataset: Dataset, answers: Array | None = None) -> Picture:
    """Draw a sheet of all examples of a dataset of images and classes, each above its class.

    answers: (n_samples,), a network's answers; a wrong answer is written after the class, in orange.
    Raises SettingError unless the examples are images with classes.
    """
    images = images_of(dataset, np.arange(dataset.n_samples))
    if dataset.task != "classes":
        raise SettingError(f"a sheet shows images of classes: got {dataset.name}, which holds {dataset.task}")
    captions = captions_of(dataset, dataset.targets, dataset.targets if answers is None else answers)
    n_right = np.count_nonzero(dataset.targets == answers)
    title = f"{len(images)} examples of {dataset.name}{'' if answers is None else f', {n_right} answered right'}"
    per_row, height = (PER_ROW, 1.0) if style.are_long(dataset.class_names) else (MOST_PER_ROW, 0.5)
    with new_sheet(images, title, per_row=per_row, row_height=height, cmap="gray_r") as (figure, panels):
        for axes, caption in zip(panels, captions, strict=True):
            axes.set_xlabel(caption, fontsize=6, labelpad=1, color=style.ORANGE if "→" in caption else "black")
    return Picture(figure, f"Sheet of {title}: {', '.join(captions)}".replace("\n", ""))


def captions_of(dataset: Dataset, true: Array, answers: Array) -> list[str]:
    """A caption for each example: its class and, if the answer is wrong, also the answer."""
    names = [style.short_label(name) for name in dataset.class_names]
    arrow = "\n→ " if style.are_long(names) else "→"
    return [names[i] if i == k else f"{names[i]}{arrow}{names[k]}" for i, k in zip(true, answers, strict=True)]


def images_of(dataset: Dataset, examples: Array) -> Array:
    """The examples of a dataset at these indices, (n, height, width). SettingError if they are not images."""
    if dataset.image_shape is None:
        raise SettingError(sentence("data.not_images", data=dataset, side=round(dataset.n_features**0.5)))
    return dataset.inputs[examples].reshape(-1, *dataset.image_shape)
