"""What X may be: the one door for inputs. A number means the same whatever its dtype."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deltarule.errors import DataError, ShapeError
from deltarule.settings import a_kind

NUMBERS = "fiub"  # the kinds of dtypes that are taken as they are
Size = tuple[int, int]


class Scale(NamedTuple):
    """What numbers a network takes.

    pixels: whether uint8 counts as value / 255; floats must then lie in 0 to 1. Else every dtype is taken at its value.
    seen: the lowest and the highest number that was learned from, where they are known.
    largest: what the network's dtype holds.
    """

    pixels: bool = False
    seen: tuple[float, float] | None = None
    largest: float = math.inf


def checked_inputs(
    X: Any,
    n_features: int,
    image_shape: Size | None = None,
    scale: Scale = Scale(),
    *,
    may_miss: bool = False,
    name: str = "X",
) -> NDArray[Any]:
    """X as an array (n_samples, n_features), in its own dtype. Images may come as (n_samples, height, width).

    scale: what numbers they may be. may_miss: whether NaN stands for a missing cell. name: what messages call X.

    Raises ShapeError for another shape, DataError for what is not finite numbers, and what `check_scale` raises.
    """
    if type(X) is not np.ndarray or X.dtype.kind not in NUMBERS or X.ndim != 2 or X.shape[1] != n_features:
        X, name = numbers(X, name), as_called(X, name)
        rows, found = flattened(X, n_features, image_shape, name)
        is_other_image = None not in (found, image_shape) and found != image_shape
        if is_other_image or rows.shape[1] != n_features:
            raise ShapeError(f"{needed(X.shape, n_features, image_shape, name)}: {cure(X.shape, n_features, name)}")
        X = rows
    check_scale(X, scale, may_miss=may_miss, name=name)
    return X


def check_scale(X: NDArray[Any], scale: Scale, *, may_miss: bool = False, name: str = "X") -> None:
    """Raise DataError where numbers are not finite, or on another scale than those that a network learned from."""
    (pixels, seen, largest), kind = scale, X.dtype.kind
    if X.size == 0 or (pixels and X.dtype == np.uint8):
        return
    if kind == "f" and not may_miss:
        check_finite(X, name, f"; np.nan_to_num({name}) puts 0 in its place", largest)
    if pixels and kind != "f":
        dtype = "float32" if kind == "b" else "uint8"
        raise DataError(
            f"this network reads pixels, uint8 or floats from 0 to 1: got {X.dtype}; use {name}.astype(np.{dtype})"
        )
    if pixels and not (X.min() >= 0.0 and X.max() <= 1.0):
        raise DataError(
            f"this network reads pixels, uint8 or floats from 0 to 1: got {X.dtype} from {X.min():g} to {X.max():g}; "
            "pass uint8, or divide by 255; set network.pixels = False where these are not pixels"
        )
    if is_unit(seen) and kind in "iu" and X.max() >= 255:
        raise DataError(
            f"this network learned from numbers in 0 to 1: got {X.dtype} up to {X.max()}; for pixels use {name} / 255, "
            f"for counts {name}.astype(np.float64)"
        )


def is_unit(seen: tuple[float, float] | None) -> bool:
    """Whether a range is known and lies within 0 to 1, as that of ink does."""
    return seen is not None and 0.0 <= seen[0] <= seen[1] <= 1.0


def check_finite(X: NDArray[Any], name: str, cure: str = "", largest: float = math.inf) -> None:
    """Raise DataError, with the place and the cure, where a number is NaN or infinite, or beyond what a dtype holds.

    The sum of squares is asked first, since it is the cheapest; it may overflow, and then each number is asked.
    """
    flat = X.ravel("K")
    squares = float(np.vdot(flat, flat))
    if math.isfinite(squares) and squares <= largest * largest:
        return
    if np.isfinite(X).all():
        if X.dtype.itemsize > 4 and (reached := max(X.max(), -X.min())) > largest:
            cure = f"scale it, as ({name} - {name}.mean()) / {name}.std() does"
            raise DataError(
                f"{name} reaches {reached:.3g}, beyond what the network computes with, {largest:.3g}: {cure}"
            )
        return
    place = np.argwhere(~np.isfinite(X))[0].tolist()
    raise DataError(f"{name} must be finite: got {X[*place]} for {place_of(place)}{cure}")


def as_called(given: Any, name: str) -> str:
    """The name by which a cure works: lists and DataFrames have no reshape."""
    return name if isinstance(given, np.ndarray) else f"np.array({name})"


def numbers(given: Any, name: str) -> NDArray[Any]:
    """What a user passed as an array of real numbers; DataError, with the cure, where it is not one."""
    X = as_array(given, name)
    if X.dtype.kind == "O":
        X = unboxed(X, name, given)
    if X.dtype.kind not in NUMBERS:
        makes = (
            numbers_in(X, as_called(given, name)) or "dr.read_table(frame, target) makes numbers of a DataFrame's texts"
        )
        where = column_of(given, lambda each: isinstance(each, str))
        raise DataError(f"{name} holds texts, such as {first_text(X)!r}{where}, and a network takes numbers: {makes}")
    return X


def column_of(frame: Any, is_wrong: Callable[[Any], bool]) -> str:
    """Which column of a DataFrame has such a cell first, as messages say it; nothing for arrays."""
    named = ((name, frame[name]) for name in getattr(frame, "columns", ()) if hasattr(frame, "iloc"))
    return next((f", in the column {name!r}" for name, cells in named if any(map(is_wrong, cells))), "")


def as_array(given: Any, name: str) -> NDArray[Any]:
    """What a user passed as an array, of real numbers, texts or objects, with one axis at least.

    Raises DataError or ShapeError for everything else: nothing masked, complex or structured passes.
    """
    if type(given) is not np.ndarray:
        refuse_misread(given, name)
        refuse_strange(given, name)
        given = converted(given, name)
    if given.ndim == 0:
        refuse_scalar(given.item(), name)
    kind = given.dtype.kind
    if kind == "c":
        raise DataError(f"{name} is complex, and a network takes real numbers: use {name}.real, or np.abs({name})")
    if kind in "mM":
        raise DataError(f"{name} holds dates ({given.dtype}), and a network takes numbers: use {name}.astype(np.int64)")
    if kind == "V":
        fields = ", ".join(given.dtype.names or ())
        raise DataError(
            f"{name} is a structured array with the fields {fields}, and a network takes numbers: use "
            f"np.array({name}.tolist())"
        )
    return given


def refuse_misread(given: Any, name: str) -> None:
    """Raise DataError for what NumPy and scikit-learn make something wrong of: a masked array, and a Dataset."""
    takes, part = "and a network takes an array", "targets" if name[0] == "y" else "inputs"
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        n_masked = int(np.ma.getmaskarray(given).sum())
        raise DataError(
            f"{name} is a masked array with {n_masked} of its {given.size} numbers masked: use {name}.filled(0), or "
            "leave those samples out"
        )
    if hasattr(given, "train") and hasattr(given, "test"):
        raise DataError(f"{name} is Splits, {takes}: use {name}.test.{part}")
    if hasattr(given, "inputs") and hasattr(given, "targets"):
        raise DataError(f"{name} is a Dataset, {takes}: use {name}.{part}")


def refuse_strange(given: Any, name: str) -> None:
    """Raise DataError for what else is not an array, nor lists that make one."""
    kind, takes = type(given).__name__, "and a network takes an array"
    if given is None:
        raise DataError(f"{name} is None: pass an array of numbers")
    if isinstance(given, str | bytes):
        reading = f'np.array(PIL.Image.open({name}).convert("L")).reshape(1, -1)'
        raise DataError(f"{name} is a text, {given!r}, {takes}: use dr.load_data({name}), or of a picture {reading}")
    if hasattr(given, "toarray"):
        raise DataError(f"{name} is a sparse matrix ({kind}), {takes}: use {name}.toarray()")
    if isinstance(given, dict):
        line = f"np.array(list({name}.values()))" if name[0] == "y" else f"np.column_stack(list({name}.values()))"
        raise DataError(f"{name} is a dict, {takes}: use {line}")
    if hasattr(given, "read"):
        raise DataError(f"{name} is an open file, {takes}: use dr.read_table(path, target), or dr.load_data(path)")
    is_own = type(given).__module__.startswith("deltarule.")
    if (
        not is_own
        and not hasattr(given, "__array__")
        and not isinstance(given, list | tuple)
        and isinstance(given, Iterable)
    ):
        raise DataError(f"{name} is {a_kind(given)}, {takes}: use np.array(list({name}))")


def converted(given: Any, name: str) -> NDArray[Any]:
    """NumPy's array of lists, tensors and frames; DataError where NumPy cannot make one."""
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        if hasattr(given, "detach"):
            wanted = f"use {name}.detach().cpu().numpy()"
            raise DataError(f"{name} is a {type(given).__name__}, which NumPy cannot read: {wanted}") from error
        shapes = {np.shape(row) for row in given if hasattr(row, "shape")} if isinstance(given, list | tuple) else {}
        if len(shapes) > 1:
            got = " and ".join(map(str, sorted(shapes)))
            raise DataError(
                f"{name} holds arrays of different shapes, {got}: pass an array alone, {name}[0]"
            ) from error
        lengths = [len(row) for row in given if hasattr(row, "__len__")] if isinstance(given, list | tuple) else []
        if len(set(lengths)) > 1:
            raise DataError(
                f"the rows of {name} have different lengths, {min(lengths)} to {max(lengths)}: make them one length, "
                f"as [row[:{min(lengths)}] for row in {name}] does"
            ) from error
        raise DataError(f"{name} is not an array of numbers: {error}") from error


def refuse_scalar(value: Any, name: str) -> None:
    """Raise for what is one thing and not an array."""
    if isinstance(value, bool | int | float | complex):
        raise ShapeError(f"{name} is a single number, {value!r}: pass an array, with a number for each sample")
    raise DataError(f"{name} is a {type(value).__name__}, and a network takes an array: pass an array of numbers")


def unboxed(X: NDArray[Any], name: str, given: Any = None) -> NDArray[Any]:
    """An array of objects as one of the numbers, or of the texts, that they are; DataError for other objects."""
    flat = X.ravel().tolist()
    if any(isinstance(each, str | bytes) for each in flat):
        k = next((k for k, each in enumerate(flat) if each is None or each != each or str(each) == "<NA>"), None)
        if k is not None:
            place = place_of(np.unravel_index(k, X.shape))
            raise DataError(f"{name} has a missing cell: got {flat[k]} for {place}; leave that sample out")
        return X.astype(str)
    if all(map(is_number, flat)):
        return X.astype(np.int64 if all(isinstance(each, int) for each in flat) else np.float64)
    k, other = next((k, each) for k, each in enumerate(flat) if not is_number(each))
    if other is None or str(other) in ("<NA>", "NaT"):
        place = place_of(np.unravel_index(k, X.shape))
        raise DataError(f"{name} must be finite: got {other} for {place}; put a number there")
    where = column_of(given, lambda each: not is_number(each))
    lines = {"ndarray": f"use np.stack({name})", "dict": f"use pandas.DataFrame({name})"}
    line = lines.get(type(other).__name__, "pass an array of numbers")
    line = f"use {name}.drop(columns={where.partition('column ')[2]})" if where else line
    raise DataError(f"{name} holds objects, such as {type(other).__name__}{where}, and a network takes numbers: {line}")


def place_of(index: Sequence[Any]) -> str:
    """Where a number is, as messages say it."""
    column = f", column {index[1]}" if len(index) > 1 else ""
    return f"sample {index[0]}{column} (counted from 0)"


def numbers_in(texts: NDArray[Any], name: str) -> str:
    """The line that makes numbers of texts that are numbers, also with a decimal comma; else nothing."""
    flat = texts.astype(str).ravel().tolist()
    if all(map(is_number, flat)):
        return f"use {name}.astype(float)"
    has_commas = all(is_number(text.replace(",", ".", 1)) for text in flat)
    return f'use np.char.replace({name}.astype(str), ",", ".").astype(float)' if has_commas else ""


def is_number(value: Any) -> bool:
    """Whether Python makes a float of it."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, np.ndarray)


def first_text(X: NDArray[Any]) -> str | bytes:
    """The first cell that is not a number, else the first cell, of an array of texts."""
    flat = X.ravel()[:1000].tolist()
    return next((each for each in flat if not is_number(each)), flat[0] if flat else "")


def flattened(
    X: NDArray[Any], n_features: int, image_shape: Size | None, name: str
) -> tuple[NDArray[Any], Size | None]:
    """X (n_samples, n_features) with the shape of its images: (n, height, width), with a channel axis of 1, or rows.

    Raises ShapeError for one example, or images in color.
    """
    shape = X.shape
    is_one = math.prod(shape) == n_features and n_features > 1 and shape[0] != 1
    if X.ndim == 1 or (is_one and shape != (n_features, 1)):
        raise ShapeError(f"{needed(shape, n_features, image_shape, name)}: {cure(shape, n_features, name)}")
    if X.ndim == 4 and 1 in (shape[1], shape[3]):
        X = X[:, 0] if shape[1] == 1 else X[..., 0]
    if X.ndim == 3 and not (shape[0] == 1 and shape[2] == n_features != shape[1] * shape[2]):
        return X.reshape(len(X), X.shape[1] * X.shape[2]), (X.shape[1], X.shape[2])
    if X.ndim != 2:
        raise ShapeError(f"{needed(shape, n_features, image_shape, name)}: {cure(shape, n_features, name)}")
    return X, None


def color_axis(shape: tuple[int, ...]) -> int:
    """The axis of red, green and blue (and opacity) in images (n_samples, height, width, colors), or 0."""
    if len(shape) != 4:
        return 0
    return 1 if shape[1] == 3 != shape[3] else 3 if shape[3] in (3, 4) else 0


def needed(shape: tuple[int, ...], n_features: int, image_shape: Size | None, name: str) -> str:
    """What was passed, and what a network takes, as a message begins."""
    if color_axis(shape):
        return f"{name} has shape {shape}, images in color, and a network takes one number a pixel"
    what = ", a single example" if math.prod(shape) == n_features > 1 else ""
    images = f" or images (n_samples, {image_shape[0]}, {image_shape[1]})" if image_shape and len(shape) > 2 else ""
    return f"{name} has shape {shape}{what}, and this network takes (n_samples, {n_features}){images}"


def cure(shape: tuple[int, ...], n_features: int, name: str) -> str:
    """The line that makes (n_samples, n_features) of another shape, as a message ends."""
    if axis := color_axis(shape):
        colors = f"{name}[..., :3]" if shape[axis] == 4 else name
        return f"use {colors}.mean(axis={axis}).astype({name}.dtype)"
    if math.prod(shape) == n_features > 1:
        return f"use {name}.reshape(1, -1)"
    if len(shape) == 1:
        return f"use {name}.reshape(-1, {n_features})" if shape[0] % n_features == 0 else "pass a row for each sample"
    if len(shape) == 2 and shape[0] == n_features:
        return f"use {name}.T"
    if len(shape) == 2 and shape[1] == n_features + 1:
        return f"is one column the target? {name}[:, :-1] leaves out the last, {name}[:, 1:] the first"
    if len(shape) == 3 and shape[0] == 1 and shape[2] == n_features:
        return f"use {name}[0]"
    if len(shape) == 3 and shape[0] * shape[1] == n_features:
        return f"use np.moveaxis({name}, -1, 0)"
    if len(shape) > 2:
        return "resize the images, or make a network for this size"
    return f"pass the {n_features} features that it was made for"
