"""All checks of inputs X: type, dtype, shape, finite numbers, and the scale that the network was trained on."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import isroutine
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deltarule.errors import LOG, DataError, ShapeError, sentence
from deltarule.settings import with_article

NUMBERS = "fiub"  # the kinds of dtypes of real numbers, which need no conversion
NOT_REAL = {"c": "complex", "m": "dates", "M": "dates", "V": "fields"}  # the kinds of dtypes to refuse
LARGEST = {char: float(np.finfo(char).max) for char in "fdFD"}  # the largest number of a network's dtype
LEAST_WRAPPED = 100  # int8 beyond -100 and 100 are probably pixels that overflowed
PIXEL_COLUMNS, DARK = 16, 127  # if so many columns exceed half of 255, they are pixels, not counts
LARGE = 100.0  # with a larger root mean square training takes thousands of steps, or diverges
Size = tuple[int, int]


class Scale(NamedTuple):
    """Which numbers a network takes as inputs.

    pixels: uint8 counts as value / 255, and floats must lie in 0 to 1; if False, every dtype counts as its value.
    seen: the lowest and the highest number in training, if known.
    largest: the largest number of the network's dtype. is_new: it is not decided yet whether uint8 means pixels.
    """

    pixels: bool = False
    seen: tuple[float, float] | None = None
    largest: float = math.inf
    is_new: bool = False

    def will_be_pixels(self, X: NDArray[Any]) -> bool:
        """Whether X is uint8 that the first `fit` will treat as pixels, since nothing is decided yet."""
        return X.dtype == np.uint8 and self.is_new and not self.pixels


def check_inputs(
    X: Any, n_features: int, image_shape: Size | None = None, scale: Scale = Scale(), *, may_miss: bool = False
) -> NDArray[Any]:
    """X as an array (n_samples, n_features), in its own dtype. Images may come as (n_samples, height, width).

    scale: the numbers that are allowed. may_miss: whether NaN is allowed, as the mark of a missing cell.

    Raises ShapeError for another shape, DataError for anything but finite numbers, and the errors of `check_scale`.
    """
    name = "X"
    if type(X) is not np.ndarray or X.dtype.kind not in NUMBERS or X.ndim != 2 or X.shape[1] != n_features:
        array, name = numbers(X, "X"), array_name(X, "X")
        X, _ = flatten(array, n_features, image_shape, name)
        if X.shape[1] != n_features:
            raise shape_error(array.shape, n_features, image_shape, name)
    check_scale(X, scale, may_miss=may_miss, name=name)
    if scale.will_be_pixels(X):
        raise DataError(sentence("inputs.undecided"))
    return X


def check_scale(X: NDArray[Any], scale: Scale, *, may_miss: bool = False, name: str = "X") -> None:
    """Raise DataError for numbers that are not finite or not on the scale of the network; warn of doubtful ones."""
    (pixels, seen, largest, _), kind = scale, X.dtype.kind
    if X.size == 0 or (pixels and X.dtype == np.uint8):
        return
    if kind == "f" and not may_miss:
        check_finite(X, name, f"; np.nan_to_num({name}) puts 0 in its place", largest)
    if pixels and not (kind == "f" and X.min() >= 0.0 and X.max() <= 1.0):
        key = {"f": "floats_as_pixels", "b": "bools_as_pixels"}.get(kind, "integers_as_pixels")
        raise DataError(sentence(f"inputs.{key}", name=name, dtype=X.dtype, low=X.min(), high=X.max()))
    if X.dtype == np.int8 and X.min() < -LEAST_WRAPPED and X.max() > LEAST_WRAPPED:
        LOG.warning(sentence("inputs.wrapped", name=name, low=X.min(), high=X.max()))
    if is_unit(seen) and kind in "iu" and X.max() >= 255:
        raise DataError(sentence("inputs.pixels_or_counts", name=name, dtype=X.dtype, high=X.max()))
    if seen is not None and not may_miss and 0.0 < max(-seen[0], seen[1]) < root_mean_square(X):
        LOG.warning(sentence("inputs.beyond", name=name, low=X.min(), high=X.max(), seen=seen))


def warn_of_scale(X: NDArray[Any], name: str = "X") -> None:
    """Log a warning if numbers are large, or look like unscaled pixels: a network learns badly from them."""
    if X.dtype == np.uint8:
        if X.size and X.max() == 1:
            LOG.warning(sentence("examples.bits", name=name))
        return
    low, high, first = X.min(), X.max(), X[:1000]
    is_wide = low >= 0 and DARK < high <= 255 and (first.max(axis=0) > DARK).sum() >= PIXEL_COLUMNS
    if is_wide and (first == np.rint(first)).all():
        LOG.warning(sentence("examples.pixels", low=low, high=high))
    elif root_mean_square(X) > LARGE:
        LOG.warning(sentence("examples.large", name=name, low=low, high=high))


def root_mean_square(X: NDArray[Any]) -> float:
    """The root mean square of the numbers in the first thousand rows of X."""
    first = X[:1000].astype(np.float64).ravel()
    return float(np.sqrt(first @ first / first.size))


def is_unit(seen: tuple[float, float] | None) -> bool:
    """Whether the range (lowest, highest) of the training inputs is known and lies within 0 to 1."""
    return seen is not None and 0.0 <= seen[0] <= seen[1] <= 1.0


def check_finite(X: NDArray[Any], name: str, cure: str = "", largest: float = math.inf) -> None:
    """Raise DataError, with the place and the fix, if a number is NaN or infinite, or too large for the dtype.

    The sum of squares is the cheapest check and comes first; only if it is too large is each number checked.
    """
    flat = X.ravel("K")
    squares = float(np.vdot(flat, flat))
    if math.isfinite(squares) and squares <= largest * largest:
        return
    if not np.isfinite(X).all():
        place = np.argwhere(~np.isfinite(X))[0].tolist()
        cure = cure.replace(f"({name})", f"({name}, posinf=0, neginf=0)") if np.isinf(X[*place]) else cure
        raise DataError(sentence("inputs.not_finite", name=name, got=f"{X[*place]} for {place_of(place)}{cure}"))
    if X.dtype.itemsize > 4 and (reached := max(X.max(), -X.min())) > largest:
        raise DataError(sentence("inputs.too_large", name=name, reached=reached, largest=largest))


def array_name(given: Any, name: str) -> str:
    """The code for an argument as an array: `name`, or np.array(...) for lists and DataFrames, which lack reshape."""
    return name if isinstance(given, np.ndarray) else f"np.array({name})"


def numbers(given: Any, name: str) -> NDArray[Any]:
    """The user's argument `given` as an array of real numbers; an error, with the fix, if that is impossible."""
    X = as_array(given, name)
    if X.dtype.kind not in NUMBERS:
        such = f"{first_text(X)!r}{column_of(given, lambda each: isinstance(each, str))}"
        line = conversion(X, array_name(given, name))
        raise DataError(sentence("inputs.numeric_texts" if line else "inputs.texts", name=name, such=such, line=line))
    return X


def as_array(given: Any, name: str) -> NDArray[Any]:
    """The user's argument `given` as an array of real numbers or of strings, with at least one axis.

    Raises DataError or ShapeError for everything else: objects, masked, complex or structured arrays.
    """
    array = given
    if type(given) is not np.ndarray:
        refuse(given, name, MISREAD | STRANGE)
        array = convert(given, name)
    if array.ndim == 0:
        value = array.item()
        if isinstance(value, bool | int | float | complex):
            key = "single_example" if name == "example" else "single_number"
            raise ShapeError(sentence(f"inputs.{key}", name=name, given=value))
        key = "uncalled" if isroutine(value) else "single_object"
        raise DataError(sentence(f"inputs.{key}", name=name, kind=type(value).__name__, given=value))
    if array.dtype.kind in NOT_REAL:
        names = ", ".join(array.dtype.names or ())
        raise DataError(sentence(f"inputs.{NOT_REAL[array.dtype.kind]}", name=name, dtype=array.dtype, names=names))
    return unbox(array, name, given) if array.dtype.kind == "O" else array


def refuse(given: Any, name: str, kinds: Mapping[str, Callable[[Any], bool]]) -> None:
    """Raise DataError, with the line that makes an array of `given`, if it passes one of the tests in `kinds`."""
    if kind := next((kind for kind, is_it in kinds.items() if is_it(given)), ""):
        is_target, called = name[0] in "yt", type(given).__name__
        part = "targets" if is_target else "inputs[0]" if name == "example" else "inputs"
        key = f"{kind}_as_targets" if is_target and kind in ("text", "sparse", "dict") else kind
        n_masked = np.ma.count_masked(given) if kind == "masked" else 0  # type: ignore[no-untyped-call]
        values = {"name": name, "given": given, "called": called, "part": part, "n_masked": n_masked}
        raise DataError(sentence(f"inputs.{key}", a=with_article(called), **values))


def is_stream(given: Any) -> bool:
    """Whether `given` can only be iterated over, like a generator or a loader of batches."""
    is_own = hasattr(given, "__array__") or type(given).__module__.startswith("deltarule.")
    is_known = is_own or hasattr(given, "toarray") or isinstance(given, list | tuple | dict | str | bytes)
    return isinstance(given, Iterable) and not is_known


MISREAD: dict[str, Callable[[Any], bool]] = {  # what NumPy and scikit-learn convert wrongly
    "masked": lambda given: isinstance(given, np.ma.MaskedArray) and bool(np.ma.is_masked(given)),
    "class": lambda given: isinstance(given, type),
    "splits": lambda given: hasattr(given, "train") and hasattr(given, "test"),
    "dataset": lambda given: hasattr(given, "inputs") and hasattr(given, "targets"),
}
STRANGE: dict[str, Callable[[Any], bool]] = {  # anything else that is neither an array nor lists that make one
    "none": lambda given: given is None,
    "table_path": lambda given: isinstance(given, str) and given.lower().endswith((".csv", ".tsv", ".xlsx")),
    "picture": lambda given: isinstance(given, str) and given.lower().endswith((".png", ".jpg", ".jpeg", ".bmp")),
    "text": lambda given: isinstance(given, str | bytes),
    "sparse": lambda given: hasattr(given, "toarray"),
    "dict": lambda given: isinstance(given, dict),
    "file": lambda given: hasattr(given, "read"),
    "stream": is_stream,
}


def convert(given: Any, name: str) -> NDArray[Any]:
    """np.asarray of lists, tensors and DataFrames; DataError, with the fix, if NumPy cannot convert them."""
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        rows = given if isinstance(given, list | tuple) else []
        shapes = sorted({row.shape for row in rows if hasattr(row, "shape")})
        lengths = [len(row) for row in rows if hasattr(row, "__len__")] or [0]
        key = "different_lengths" if min(lengths) < max(lengths) else "unreadable"
        key = "tensor" if hasattr(given, "detach") else "different_shapes" if len(shapes) > 1 else key
        values = {"shapes": " and ".join(map(str, shapes)), "low": min(lengths), "high": max(lengths), "error": error}
        raise DataError(sentence(f"inputs.{key}", name=name, kind=type(given).__name__, **values)) from error


def unbox(X: NDArray[Any], name: str, given: Any) -> NDArray[Any]:
    """X, an array of objects, as an array of numbers or of strings; DataError for missing values and other objects."""
    flat = X.ravel().tolist()
    has_texts = any(isinstance(each, str | bytes) for each in flat)
    if not has_texts and all(map(is_number, flat)):
        return X.astype(np.int64 if all(isinstance(each, int) for each in flat) else np.float64)
    k = next((k for k, each in enumerate(flat) if is_missing(each) or not (has_texts or is_number(each))), None)
    if k is None:
        return X.astype(str)
    if is_missing(flat[k]):
        got = f"{flat[k]} for {place_of(np.unravel_index(k, X.shape))}"
        if has_texts:
            raise DataError(sentence("inputs.missing_cell", name=name, got=got))
        raise DataError(sentence("inputs.not_finite", name=name, got=f"{got}; put a number there"))
    where, kind = column_of(given, lambda each: not is_number(each)), type(flat[k]).__name__
    key = {"ndarray": "arrays", "list": "arrays", "dict": "dicts"}.get(kind, "objects")
    values = {"name": name, "such": f"{kind}{where}", "column": where.partition("column ")[2]}
    raise DataError(sentence(f"inputs.{'objects_in_column' if where else key}", **values))


def column_of(frame: Any, is_wrong: Callable[[Any], bool]) -> str:
    """Words for a message that name the first column of a DataFrame with a wrong cell; "" if there is none."""
    named = ((name, frame[name]) for name in getattr(frame, "columns", ()) if hasattr(frame, "iloc"))
    return next((f", in the column {name!r}" for name, cells in named if any(map(is_wrong, cells))), "")


def place_of(index: Sequence[Any]) -> str:
    """The place of a number in an array, for a message: "sample 3, column 0 (counted from 0)"."""
    column = f", column {index[1]}" if len(index) > 1 else ""
    return f"sample {index[0]}{column} (counted from 0)"


def conversion(texts: NDArray[Any], name: str) -> str:
    """The line that makes floats of strings such as "1.5" or "1,5"; "" if not all of them are numbers."""
    flat = texts.astype(str).ravel().tolist()
    if all(map(is_number, flat)):
        return f"use {name}.astype(float)"
    has_commas = all(is_number(text.replace(",", ".", 1)) for text in flat)
    return f'use np.char.replace({name}.astype(str), ",", ".").astype(float)' if has_commas else ""


def is_number(value: Any) -> bool:
    """Whether float(value) works and `value` is not an array."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, np.ndarray)


def is_missing(value: Any) -> bool:
    """Whether a value marks a missing cell: None, NaN, or NA or NaT of pandas."""
    return value is None or str(value) in ("<NA>", "NaT") or (isinstance(value, float) and math.isnan(value))


def first_text(X: NDArray[Any]) -> str | bytes:
    """The first cell of an array of strings that is not a number; if all are numbers, the first cell."""
    flat = X.ravel()[:1000].tolist()
    return next((each for each in flat if not is_number(each)), flat[0] if flat else "")


def flatten(X: NDArray[Any], n_features: int, image_shape: Size | None, name: str) -> tuple[NDArray[Any], Size | None]:
    """X as rows (n_samples, columns), and (height, width) if it came as images (also with one channel), else None.

    Raises ShapeError for a single example, color images, or images of another shape with as many pixels.
    """
    shape = X.shape
    is_one = math.prod(shape) == n_features > 1 != shape[0] and shape != (n_features, 1)
    if X.ndim == 1 or is_one:
        raise shape_error(shape, n_features, image_shape, name)
    if X.ndim == 4 and 1 in (shape[1], shape[3]):
        X = X[:, 0] if shape[1] == 1 else X[..., 0]
    if X.ndim == 3 and not (shape[0] == 1 and shape[2] == n_features != shape[1] * shape[2]):
        found = (X.shape[1], X.shape[2])
        if math.prod(found) != n_features or image_shape in (None, found):
            return X.reshape(len(X), math.prod(found)), found
    if X.ndim != 2:
        raise shape_error(shape, n_features, image_shape, name)
    return X, None


def shape_error(shape: tuple[int, ...], n_features: int, image_shape: Size | None, name: str) -> ShapeError:
    """The ShapeError for an X that is not (n_samples, n_features), with the line that reshapes it."""
    n_axes, is_one = len(shape), math.prod(shape) == n_features > 1
    if n_axes == 4 and (shape[1] == 3 or shape[3] in (3, 4)):
        axis = 1 if shape[1] == 3 != shape[3] else 3
        opaque = "[..., :3]" if shape[axis] == 4 else ""
        return ShapeError(sentence("inputs.color", name=name, shape=shape, opaque=opaque, axis=axis))
    cures = (
        (is_one, "one_example"),
        (shape == (0,), "no_example"),
        (n_axes == 1 and shape[0] % n_features == 0, "flat_rows"),
        (n_axes == 1, "flat"),
        (n_axes == 2 and shape[0] == n_features, "transposed"),
        (n_axes == 2 and shape[1] == n_features + 1, "with_target"),
        (n_axes == 3 and shape[0] == 1 and shape[2] == n_features, "one_batch"),
        (n_axes == 3 and shape[0] * shape[2] == n_features and name != "X", "parts"),
        (n_axes == 3 and shape[2] in (3, 4) and math.isqrt(n_features) ** 2 == n_features, "photo"),
        (n_axes == 3 and shape[0] * shape[1] == n_features, "images_last"),
        (n_axes > 2, "other_images"),
        (True, "other_features"),
    )
    images = f" or images (n_samples, {image_shape[0]}, {image_shape[1]})" if image_shape and n_axes > 2 else ""
    takes = f"(n_samples, {n_features}){images}"
    key = next(key for fits, key in cures if fits)
    sizes = {"n_features": n_features, "side": math.isqrt(n_features)}
    return ShapeError(sentence(f"shapes.{key}", name=name, shape=shape, takes=takes, **sizes))
