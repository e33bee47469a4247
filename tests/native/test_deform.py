"""The library's deformed images beside NumPy's."""

from typing import Any

import numpy as np
import pytest

from deltarule.data import augment as reference
from deltarule.data.augment import Deformation
from deltarule.native import engine_call

DTYPES = [np.float32, np.float64]
DEFORMATIONS = [
    Deformation(),
    Deformation(rotation=20.0, scale=0.2, shift=3.0, shear=10.0),
    Deformation(rotation=20.0, scale=0.2, shift=3.0, shear=10.0, elastic_alpha=40.0),
    Deformation(elastic_alpha=30.0, elastic_sigma=2.0),
    Deformation(stroke=1.5),
    Deformation(rotation=20.0, elastic_alpha=30.0, stroke=3.0),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("deformation", DEFORMATIONS)
@pytest.mark.parametrize(("n_samples", "image_shape"), [(1, (28, 28)), (70, (9, 14)), (1500, (5, 4))])
def test_deform(deformation: Deformation, n_samples: int, image_shape: tuple[int, int], dtype: Any) -> None:
    size = image_shape[0] * image_shape[1]
    images = np.random.default_rng(7).random((n_samples, 2 * size))[:, ::2].astype(dtype)
    theirs = reference.deform(images, image_shape, deformation, np.random.default_rng(8))
    ours = engine_call.deform(images, image_shape, deformation, np.random.default_rng(8), np.empty(images.shape, dtype))
    tolerance = (
        1e-4 if dtype is np.float32 else 1e-12
    )  # a point that lies a rounding error to the other side of a pixel
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=tolerance)
    in_place = images.copy()
    assert engine_call.deform(in_place, image_shape, deformation, np.random.default_rng(8), in_place) is in_place
    np.testing.assert_array_equal(in_place, ours)
