"""What X may be: the one door for inputs. A number means the same whatever its dtype."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.errors import DataError, ShapeError


def checked_inputs(
    X: Any,
    n_features: int,
    image_shape: tuple[int, int] | None = None,
    *,
    pixels: bool = False,
    seen: tuple[float, float] | None = None,
) -> NDArray[Any]:
    """X as an array (n_samples, n_features), in its own dtype. Images may come as (n_samples, height, width).

    pixels, seen: as for `check_scale`. Raises ShapeError for another shape, and what `check_scale` raises.
    """
    X = np.asarray(X)
    shape = X.shape
    if X.ndim == 3 and image_shape in (None, X.shape[1:]):
        X = X.reshape(len(X), X.shape[1] * X.shape[2])
    if X.ndim != 2 or X.shape[1] != n_features:
        images = f" or (n_samples, {image_shape[0]}, {image_shape[1]})" if image_shape else ""
        raise ShapeError(
            f"inputs must have shape (n_samples, {n_features}){images}: got {shape}; "
            "a single example x goes in as x.reshape(1, -1)"
        )
    check_scale(X, pixels=pixels, seen=seen)
    return X


def check_scale(X: NDArray[Any], *, pixels: bool, seen: tuple[float, float] | None) -> None:
    """Raise DataError where numbers are on another scale than those that a network learned from.

    pixels: whether uint8 counts as value / 255; floats must then lie in 0 to 1. Else every dtype is taken at its value.
    seen: the lowest and the highest number that was learned from, where they are known.
    """
    if X.size == 0 or (pixels and X.dtype == np.uint8):
        return
    if pixels and X.dtype.kind != "f":
        raise DataError(
            f"this network reads pixels, uint8 or floats from 0 to 1: got {X.dtype}; use X.astype(np.uint8)"
        )
    if pixels and not (X.min() >= 0.0 and X.max() <= 1.0):
        raise DataError(
            f"this network reads pixels, uint8 or floats from 0 to 1: got {X.dtype} from {X.min():g} to {X.max():g}; "
            "pass uint8, or divide by 255; set network.pixels = False where these are not pixels"
        )
    is_unit = seen is not None and 0.0 <= seen[0] <= seen[1] <= 1.0
    if is_unit and X.dtype.kind in "iu" and X.max() >= 255:
        raise DataError(
            f"this network learned from numbers in 0 to 1: got {X.dtype} up to {X.max()}; for pixels use X / 255, "
            "for counts X.astype(np.float64)"
        )
