"""The twin of `deform`: the same displacements, and one pass over each image that moves and reads its pixels."""

from typing import Any

import numpy as np

from deltarule.compiled import team
from deltarule.compiled.kernels import kernel, number
from deltarule.data.augment import Deformation, affine_maps, check_images, displacements, elastic_noise, pen_widths
from deltarule.nn.arrays import Array

CHUNK_IMAGES = 64  # the displacements of so many of 28 x 28 stay in the second-level cache
SHARED_IMAGES = 1024  # so many are worth a second thread; a batch is done before that would start


def deform(
    images: Array, image_shape: tuple[int, int], deformation: Deformation, rng: np.random.Generator, out: Array
) -> Array:
    """The twin of `data.augment.deform`; large sets are shared out among as many threads as there are cores.

    out: may be `images` itself; the numbers of all its rows lie side by side.
    """
    check_images(images, image_shape)
    maps = affine_maps(len(images), image_shape, deformation, rng).astype(images.dtype)
    noise = elastic_noise(len(images), image_shape, deformation, rng)
    widths = pen_widths(len(images), deformation, rng)
    if widths.size:
        redraw(images.reshape(-1, *image_shape), widths.astype(images.dtype), out.reshape(-1, *image_shape))
        images = out

    def move_chunk(start: int) -> None:
        chunk, shape = slice(start, start + CHUNK_IMAGES), (-1, *image_shape)
        fields = displacements(noise[:, :, chunk], deformation, images.dtype)
        move(images[chunk].reshape(shape), maps[:, chunk], fields, out[chunk].reshape(shape))

    chunks = range(0, len(images), CHUNK_IMAGES)
    each = team.each if len(images) >= SHARED_IMAGES else map
    list(each(move_chunk, chunks))
    return out


@kernel
def move(images: Any, maps: Any, fields: Any, out: Any) -> None:
    """The images, (batch, height, width), read between their pixels where the displacements say; 0 lies all around.

    maps: (2, batch, 3), (row, column, 1) of a pixel to where it comes from. fields: (height, 2, batch, width), what is
    added to that, or with no height where nothing is. out: as images, and may be the same array.
    """
    n_samples, height, width = images.shape
    framed = np.zeros((height + 3, width + 3), images.dtype)  # a border of zeros: one pixel before, two behind
    rows, columns, corners = np.empty(width, images.dtype), np.empty(width, images.dtype), np.empty(width, np.uint32)
    bottom, right = number(height + 1, images), number(width + 1, images)
    for i in range(n_samples):
        framed[1 : height + 1, 1 : width + 1] = images[i]
        for r in range(height):
            origins(maps[0, i], r, rows)
            origins(maps[1, i], r, columns)
            if fields.shape[0]:
                rows += fields[r, 0, i]
                columns += fields[r, 1, i]
            for c in range(width):  # from here on `rows` and `columns` are what is left of them beyond the corner
                top, left = whole(rows[c], bottom), whole(columns[c], right)
                rows[c] = within(rows[c], bottom) - number(top, images)
                columns[c] = within(columns[c], right) - number(left, images)
                corners[c] = np.uint32(top * (width + 3) + left)
            interpolate(framed.reshape(-1), width + 3, corners, rows, columns, out[i, r])


@kernel
def redraw(images: Any, widths: Any, out: Any) -> None:
    """The images, (batch, height, width), drawn with a pen wider or narrower by `widths`, -2 to 2 pixels.

    out: as images, and may be the same array. The largest of some pixels is the smallest of them times -1, times -1.
    """
    n_samples, height, width = images.shape
    framed = np.zeros((height + 2, width + 2), images.dtype)
    least = np.empty((height + 2, width), images.dtype)  # of three pixels side by side
    for i in range(n_samples):
        sign = number(-1.0 if widths[i] > 0.0 else 1.0, images)
        share = number(0.5, images) * abs(widths[i])
        for r in range(height):
            for c in range(width):
                framed[r + 1, c + 1] = sign * images[i, r, c]
        for r in range(height + 2):
            for c in range(width):
                least[r, c] = min(framed[r, c], framed[r, c + 1], framed[r, c + 2])
        for r in range(height):
            for c in range(width):
                lowest = min(least[r, c], least[r + 1, c], least[r + 2, c])
                out[i, r, c] = sign * (framed[r + 1, c + 1] + share * (lowest - framed[r + 1, c + 1]))


@kernel
def origins(line: Any, r: int, points: Any) -> None:
    """points[c] = line @ (r, c, 1), one pixel further for the frame."""
    start = line[0] * number(r, points) + line[2] + number(1.0, points)
    for c in range(points.shape[0]):
        points[c] = start + line[1] * number(c, points)


@kernel
def within(point: Any, limit: Any) -> Any:
    """`point`, but from 0 to `limit`."""
    zero = limit - limit
    point = point if point > zero else zero
    return point if point < limit else limit


@kernel
def whole(point: Any, limit: Any) -> Any:
    """The whole part of `point` within 0 and `limit`."""
    return np.int32(within(point, limit))


@kernel
def interpolate(pixels: Any, stride: int, corners: Any, rows: Any, columns: Any, out: Any) -> None:
    """out[c] = what lies between four pixels, of which corners[c] is the first; unsigned indices spare a test each."""
    right, below = np.uint64(1), np.uint64(stride)
    for c in range(out.shape[0]):
        k = np.uint64(corners[c])
        upper = pixels[k] + columns[c] * (pixels[k + right] - pixels[k])
        k += below
        lower = pixels[k] + columns[c] * (pixels[k + right] - pixels[k])
        out[c] = upper + rows[c] * (lower - upper)
