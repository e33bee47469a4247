"""Deformed images, by the library: data.augment's numbers, and one pass over each image."""

import ctypes

import numpy as np

from deltarule.data.augment import Deformation, affine_maps, check_images, elastic_noise, gaussian_matrix, pen_widths
from deltarule.native.loader import function
from deltarule.nn.arrays import Array

LANES = 32  # a multiple of the numbers in two vectors of any instruction set


class Deform(ctypes.Structure):
    """deform.c's Deform."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("images", "out")),
        *((name, ctypes.c_int64) for name in ("images_row", "out_row", "n", "height", "width")),
        *((name, ctypes.c_void_p) for name in ("maps", "widths", "noise", "down", "across", "room")),
    ]


def deform(
    images: Array, image_shape: tuple[int, int], deformation: Deformation, rng: np.random.Generator, out: Array
) -> Array:
    """The twin of `data.augment.deform`. The numbers of each row of `out` lie side by side; it may be `images`."""
    check_images(images, image_shape)
    n, (height, width), dtype = len(images), image_shape, images.dtype
    maps = affine_maps(n, image_shape, deformation, rng).astype(dtype)
    noise = elastic_noise(n, image_shape, deformation, rng)
    widths = pen_widths(n, deformation, rng).astype(dtype)
    pixels = images if images.strides[1] == images.itemsize else np.ascontiguousarray(images)
    down = across = None
    if noise.size:
        down = (gaussian_matrix(height, deformation.elastic_sigma) * (deformation.elastic_alpha / 127.5)).astype(dtype)
        across = np.zeros((width, -(-width // LANES) * LANES), dtype)
        across[:, :width] = gaussian_matrix(width, deformation.elastic_sigma).T
    call = Deform(images_row=pixels.strides[0] // dtype.itemsize, out_row=out.strides[0] // dtype.itemsize, n=n)
    call.height, call.width = image_shape
    room = np.empty(function("deform_room", dtype)(ctypes.byref(call)), dtype)
    given = {"images": pixels, "out": out, "maps": maps, "room": room, "down": down, "across": across}
    given |= {"noise": noise if noise.size else None, "widths": widths if widths.size else None}
    for name, array in given.items():
        setattr(call, name, None if array is None else array.ctypes.data)
    function("deform", dtype)(ctypes.byref(call))
    return out
