"""Sheets of images: examples, the worst mistakes, and what would have changed the network's mind."""

import math
from collections.abc import Sequence

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.measures.metrics import Mistakes
from deltarule.inspection.measures.sensitivity import Flip
from deltarule.inspection.plots.picture import (
    GRAY,
    ORANGE,
    Picture,
    are_long,
    new_figure,
    shortened,
    signed_colors,
)
from deltarule.nn.arrays import Array

PER_ROW = 5
MOST_PER_ROW = 10  # where all that is written below an image is a digit or two
BARE = {"frame_on": False, "xticks": [], "yticks": []}


def mistakes(dataset: Dataset, found: Mistakes) -> Picture:
    """A sheet of the most confident mistakes: each image with the truth, the answer, and the output of the answer.

    dataset: what `found` was found in. Raises SettingError where its examples are no images.
    """
    images = images_of(dataset, found.example)
    names = [shortened(name) for name in dataset.class_names]
    arrow = "\n→ " if are_long(names) else "→"
    captions = [f"{names[i]}{arrow}{names[k]}" for k, i in zip(found.predicted, found.true, strict=True)]
    n_rows = max(1, math.ceil(len(images) / PER_ROW))
    with new_figure(height=0.3 + 1.05 * n_rows) as figure:
        panels = figure.subplots(n_rows, PER_ROW, subplot_kw=BARE)
        for axes, image, caption, a in zip(panels.flat, images, captions, found.activation, strict=False):
            axes.imshow(image, cmap="gray_r")
            axes.set_title(caption, loc="center", fontsize=6, fontweight="normal")
            axes.set_xlabel(f"{a:.3f}", color=GRAY, fontsize=6)
        figure.suptitle(
            "the most confident mistakes: truth→answer, output" if len(images) else "no mistakes", x=0.02, ha="left"
        )
    words = ", ".join(captions).replace("\n", "")
    return Picture(figure, f"Sheet of the {len(images)} most confident mistakes: {words}")


def digits(dataset: Dataset, answers: Array | None = None) -> Picture:
    """A sheet of all examples of a dataset of images and classes, each above its class.

    answers: (n_samples,), what a network takes them for; a wrong one stands behind the class, in orange.
    Raises SettingError where the examples are no images of classes.
    """
    images = images_of(dataset, np.arange(dataset.n_samples))
    if dataset.task != "classes":
        raise SettingError(f"a sheet shows images of classes: got {dataset.name}, which holds {dataset.task}")
    names = [shortened(name) for name in dataset.class_names]
    given = dataset.targets if answers is None else answers
    per_row, height, arrow = (PER_ROW, 1.0, "\n→ ") if are_long(names) else (MOST_PER_ROW, 0.5, "→")
    captions = [
        names[i] if i == k else f"{names[i]}{arrow}{names[k]}" for i, k in zip(dataset.targets, given, strict=True)
    ]
    n_rows = math.ceil(len(images) / per_row)
    with new_figure(height=0.3 + n_rows * height) as figure:
        panels = figure.subplots(n_rows, per_row, subplot_kw=BARE)
        for axes, image, caption in zip(np.ravel(panels), images, captions, strict=False):
            axes.imshow(image, cmap="gray_r")
            axes.set_xlabel(caption, fontsize=6, labelpad=1, color=ORANGE if "→" in caption else "black")
        n_wrong = int(np.count_nonzero(given != dataset.targets))
        told = "" if answers is None else f", {len(images) - n_wrong} answered right"
        figure.suptitle(f"{len(images)} examples of {dataset.name}{told}", x=0.02, ha="left")
    return Picture(
        figure, f"Sheet of {len(images)} examples of {dataset.name}{told}: {', '.join(captions)}".replace("\n", "")
    )


def flips(found: Sequence[Flip], image_shape: tuple[int, int] | None) -> Picture:
    """A row for each example: the image, dC/dx, the smallest change along it that flips the answer, and the result.

    Raises SettingError where the examples are no images.
    """
    if image_shape is None:
        raise SettingError("only images can be drawn: got inputs without image_shape; --json gives the numbers")
    headings = ("image", "dC/dx", "change", "changed")
    with new_figure(height=0.35 + 0.98 * len(found)) as figure:
        panels = figure.subplots(len(found), 4, squeeze=False, subplot_kw=BARE)
        for axes, heading in zip(panels[0], headings, strict=True):
            axes.set_title(heading, loc="center", fontweight="normal")
        for row, each in zip(panels, found, strict=True):
            changed = each.inputs if each.changed is None else each.changed
            shown = (each.inputs, each.gradient, changed - each.inputs, changed)
            for axes, pixels, is_signed in zip(row, shown, (False, True, True, False), strict=True):
                limit = np.abs(pixels).max() or 1.0
                colors = {"cmap": signed_colors(), "vmin": -limit, "vmax": limit}
                axes.imshow(pixels.reshape(image_shape), **(colors if is_signed else {"cmap": "gray_r"}))
            row[0].set_xlabel(f"{shortened(each.answer)} ({each.confidence:.3f})", fontsize=6)
            row[1].set_xlabel(f"up to {np.abs(each.gradient).max():.2g}", fontsize=6, color=GRAY)
            row[2].set_xlabel("none found" if each.distance is None else f"length {each.distance:.2f}", fontsize=6)
            row[3].set_xlabel(shortened(each.becomes or each.answer), fontsize=6, color=ORANGE)
        figure.suptitle("what would change its mind", x=0.02, ha="left")
    words = "; ".join(
        f"{each.answer} becomes {each.becomes} by a change of length {each.distance:.2f}"
        if each.distance is not None
        else f"{each.answer} stays"
        for each in found
    )
    return Picture(figure, f"Smallest changes along the gradient that flip the answer: {words}")


def images_of(dataset: Dataset, examples: Array) -> Array:
    """Some of its examples, (n, height, width). SettingError where they are no images."""
    if dataset.image_shape is None:
        raise SettingError(f"only images can be drawn: got {dataset.name}, which says no image_shape")
    return dataset.inputs[examples].reshape(-1, *dataset.image_shape)
