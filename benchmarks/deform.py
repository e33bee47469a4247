"""All of MNIST's training images deformed, affine and elastic: deltarule's twins, beside NumPy and beside SciPy.

Everybody makes the same deformation, batch by batch of 128 as training asks for it. The native engine takes the cores
that there are, NumPy's original the threads of its BLAS; SciPy's map_coordinates goes image by image, as tutorials do,
and sits most rounds out. Asked: 0.6 seconds for 60,000 images on two cores.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring import Worker, comparison, in_turns, options, surroundings, write_rows
from numpy.typing import NDArray
from workloads import prepare

BATCH = 128
AMOUNTS = {"rotation": 10.0, "scale": 0.1, "shift": 1.0, "elastic_alpha": 30.0, "elastic_sigma": 4.0}
SHAPE = (28, 28)
OURS, SLOW = "native", "SciPy"


class Deformer:
    """Deforms all images of images.npy in `folder`: by the engine of that name, or by SciPy."""

    def __init__(self, name: str, folder: str) -> None:
        from deltarule.data.augment import Deformation
        from deltarule.training.engine import engine

        pixels = np.load(Path(folder) / "images.npy")
        self.images: NDArray[Any] = pixels / np.float32(255.0)
        self.out = np.empty_like(self.images)
        self.deformation = Deformation(**AMOUNTS)
        self.engine = None if name == SLOW else engine(name)

    def seconds(self) -> float:
        """How long it takes to deform all of them."""
        from deltarule.native.loader import most_threads

        is_native = self.engine is not None and self.engine.name == OURS
        deform, starts = self.by_scipy if self.engine is None else self.by_engine, range(0, len(self.images), BATCH)
        began = time.perf_counter()
        with ThreadPoolExecutor(most_threads() if is_native else 1) as pool:
            list(pool.map(deform, starts))
        return time.perf_counter() - began

    def by_engine(self, start: int) -> None:
        """A batch as the Trainer has it deformed."""
        from deltarule.data import augment as reference
        from deltarule.native import engine_call

        home = engine_call if self.engine is not None and self.engine.name == OURS else reference
        batch, rng = slice(start, start + BATCH), np.random.default_rng(start)
        home.deform(self.images[batch], SHAPE, self.deformation, rng, self.out[batch])

    def by_scipy(self, start: int) -> None:
        """The same batch, image by image: the same points, read between the pixels by map_coordinates."""
        from scipy.ndimage import map_coordinates

        from deltarule.data.augment import sampling_points

        images = self.images[start : start + BATCH].reshape(-1, *SHAPE)
        rng = np.random.default_rng(start)
        points = sampling_points(len(images), SHAPE, self.deformation, rng, self.images.dtype)
        for i, image in enumerate(images):
            self.out[start + i] = map_coordinates(image, points[:, i], order=1, mode="grid-constant").reshape(-1)


def main() -> None:
    """Measure, tell, and write a row for each peer."""
    parser = options(__doc__, "deform.json", repetitions=7)
    parser.add_argument("--examples", type=int, default=60_000, metavar="N", help="images (60000)")
    given = parser.parse_args()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        images = prepare(Path(folder), given.examples)
        names = (OURS, "numpy", SLOW)
        orders = {name: {"name": name, "folder": folder} for name in names}
        workers = {name: stack.enter_context(Worker("deform:Deformer", order)) for name, order in orders.items()}
        taken = in_turns(workers, "seconds", given.repetitions, {SLOW: 2})
    rows = []
    for peer in names[1:]:
        ours = taken[OURS][: len(taken[peer])]
        row = comparison(
            "deform", f"{given.examples:,} images of {images}, affine and elastic", peer, ours, taken[peer]
        )
        rows.append(row | surroundings("scipy"))
        told = "{peer:6} {peer_seconds:7.3f} s, {ratio:5.1f} times ours ({ratio_low:.1f} to {ratio_high:.1f})"
        print(f"deltarule {row['ours_seconds']:.3f} s, " + told.format(**row))
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
