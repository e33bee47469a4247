"""How an epoch's seconds and memory grow with width, depth, batch and samples; and training from a mapped file.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --sweeps samples --gigabytes 0

Every point is a process of its own, and the points of a sweep take turns. A slope is one of logarithms: 1 where twice
as much takes twice as long; its interval is that of the rounds' slopes. Beside it stand the slopes of the FLOPs and of
the memory that training adds to the loaded images. Asked: 1.0 +- 0.05 in samples, and in FLOPs (of large networks).

The last row trains on a file of --gigabytes of uint8 images, which is made in --folder, mapped, and removed. Asked: at
most 500 MB of anonymous memory.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import linear_regression, median

import numpy as np
from measuring import Row, in_turns, mean_interval, options, surroundings, training, write_rows
from workloads import HEADLINE, N_FEATURES, Workload, prepare, synthetic

SHORT = replace(HEADLINE, n_samples=15_360)
LARGE = [replace(SHORT, layer_sizes=(N_FEATURES, n, n, 10), n_samples=5120) for n in (1024, 1536, 2048, 3072)]
SWEEPS: dict[str, dict[int, Workload]] = {  # size: workload
    "width": {n: replace(SHORT, layer_sizes=(N_FEATURES, n, n, 10)) for n in (64, 128, 256, 512, 1024)},
    "depth": {n: replace(SHORT, layer_sizes=(N_FEATURES, *[256] * n, 10)) for n in (1, 2, 4, 8)},
    "batch": {n: replace(SHORT, batch_size=n) for n in (8, 32, 128, 512)},
    "samples": {n: replace(HEADLINE, n_samples=n) for n in (7_500, 15_000, 30_000, 60_000)},
    "flops": {workload.flops: workload for workload in LARGE},
}
MAPPED = Workload((N_FEATURES, 32, 10), "relu", 256, "adam", 0.001)
BLOCK_IMAGES = 50_000


def swept(workloads: Sequence[Workload], folder: Path, repetitions: int) -> list[Row]:
    """What was measured at every point: the seconds of its epochs, and its memory."""
    with ExitStack() as stack:
        workers = {}
        for workload in workloads:
            images = folder / str(workload.n_samples)
            if not images.exists():
                prepare(images, workload.n_samples)
            workers[str(workload)] = stack.enter_context(training("ours:Ours", workload, images))
        taken = in_turns(workers, "epoch", repetitions)
        return [{"seconds": taken[name], **worker.ask("report")} for name, worker in workers.items()]


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """By which power the values grow with the sizes: the slope of a straight line through their logarithms."""
    return linear_regression(np.log(sizes).tolist(), np.log(values).tolist()).slope


def sweep(name: str, points: Mapping[int, Workload], folder: Path, repetitions: int) -> list[Row]:
    """A row for each point, and one with the slopes."""
    rows: list[Row] = []
    points_measured = swept(list(points.values()), folder, repetitions)
    for (size, workload), measured in zip(points.items(), points_measured, strict=True):
        row = {"benchmark": "scaling", "workload": str(workload), "sweep": name, "size": size, "flops": workload.flops}
        rows.append(row | {"ours_seconds": median(measured["seconds"])} | measured)
        if measured["loaded_megabytes"] is not None:
            rows[-1]["training_megabytes"] = measured["peak_megabytes"] - measured["loaded_megabytes"]
    sizes = list(points)
    mean, margin = mean_interval([slope(sizes, turn) for turn in zip(*(row["seconds"] for row in rows), strict=True)])
    summary: Row = {"benchmark": "scaling", "workload": f"slope in {name}", "repetitions": repetitions}
    summary |= {"slope": mean, "slope_low": mean - margin, "slope_high": mean + margin}
    summary["flops_slope"] = slope(sizes, [row["flops"] for row in rows])
    added = [row.get("training_megabytes") for row in rows]
    summary["memory_slope"] = slope(sizes, added) if all(added) else None
    return [*rows, summary]


def write_images(folder: Path, n_images: int) -> None:
    """images.npy and classes.npy with so many synthetic images, a block of them over and over."""
    images, classes = synthetic(min(n_images, BLOCK_IMAGES))
    with (folder / "images.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (n_images, N_FEATURES)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n_images, len(images)):
            file.write(images[: n_images - start])
    np.save(folder / "classes.npy", np.resize(classes, n_images))


def mapped(gigabytes: float, folder: Path) -> Row:
    """The row of an epoch on a file of so many gigabytes. SystemExit where the disk has too little room."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < 1.2 * gigabytes + 1:
        raise SystemExit(
            f"expected {1.2 * gigabytes + 1:.1f} GB free in {folder}: got {free:.1f}; give another --folder, "
            "or fewer --gigabytes"
        )
    workload = replace(MAPPED, n_samples=int(gigabytes * 1e9) // N_FEATURES)
    with tempfile.TemporaryDirectory(dir=folder) as images:
        write_images(Path(images), workload.n_samples)
        with training("mapped:Mapped", workload, Path(images)) as worker:
            seconds = worker.ask("epoch")
            report = worker.ask("report")
    named = {"benchmark": "scaling", "workload": f"{workload}, a mapped file of {gigabytes:g} GB"}
    return {**named, "ours_seconds": seconds, "flops": workload.flops, **report}


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = options(__doc__, "scaling.json", repetitions=5)
    parser.add_argument("--sweeps", metavar="A,B", help=f"some of {', '.join(SWEEPS)}; none: '' (all)")
    parser.add_argument(
        "--gigabytes", type=float, default=6.0, metavar="N", help="the file's size; 0 leaves it out (6)"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the file is made")
    return parser.parse_args()


def main() -> None:
    """Measure, tell, and write the rows."""
    given = arguments()
    chosen = list(SWEEPS) if given.sweeps is None else list(filter(None, given.sweeps.split(",")))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            rows += sweep(name, SWEEPS[name], Path(folder), given.repetitions)
            told = "{workload:16} {slope:6.3f} ({slope_low:.3f} to {slope_high:.3f}), FLOPs {flops_slope:.3f}"
            print(told.format(**rows[-1]), f"memory {rows[-1]['memory_slope']}", flush=True)
    if given.gigabytes > 0:
        rows.append(mapped(given.gigabytes, given.folder))
        print("{workload}: {ours_seconds:.0f} s, anonymous memory {anonymous_megabytes} MB".format(**rows[-1]))
    write_rows(given.json, [row | surroundings() for row in rows])


if __name__ == "__main__":
    main()
