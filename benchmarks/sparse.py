"""MLPClassifier on wide sparse rows beside scikit-learn's: seconds and memory of a fit, and of a prediction.

    python benchmarks/sparse.py
    python benchmarks/sparse.py --samples 500 --features 10000 --repetitions 2

Each fit has a process of its own, so that its peak of memory is its own. Asked: at most scikit-learn's memory and
seconds on 5,000 x 1,000,000 with a share of 0.00002 that is not 0.
"""

import time
import warnings
from statistics import median
from typing import Any

import numpy as np
from measuring import Row, Worker, comparison, interleaved, options, surroundings, write_rows
from memory import peak_megabytes
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning

OURS, PEER = "deltarule", "scikit-learn"
IN_A_ROW = 20  # numbers that are not 0
EPOCHS = 2


class Fitting:
    """One who fits sparse rows once, in a process of its own; `engine` is for deltarule's."""

    def __init__(self, library: str, samples: int, features: int, solver: str, engine: str) -> None:
        rng = np.random.default_rng(0)
        places = (np.repeat(np.arange(samples), IN_A_ROW), rng.integers(features, size=samples * IN_A_ROW))
        self.X = csr_matrix((rng.random(samples * IN_A_ROW), places), shape=(samples, features))
        self.y = rng.integers(3, size=samples)
        settings = {"solver": solver, "max_iter": EPOCHS, "random_state": 0}
        if library == OURS:
            from deltarule.estimators import MLPClassifier

            settings["engine"] = engine
        else:
            from sklearn.neural_network import MLPClassifier
        self.estimator = MLPClassifier((10,), **settings)

    def fit(self) -> Row:
        """Seconds of a fit and of a prediction, the peak of memory, the loss."""
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            began = time.perf_counter()
            self.estimator.fit(self.X, self.y)
            fitted = time.perf_counter()
            self.estimator.predict(self.X)
            seconds = {"fit": fitted - began, "predict": time.perf_counter() - fitted}
        return seconds | {"megabytes": peak_megabytes(), "loss": float(self.estimator.loss_)}


def measured(solver: str, samples: int, features: int, engine: str, repetitions: int) -> Row:
    """A row: the fits of both, in turns."""

    def fit(library: str) -> Row:
        order = {"samples": samples, "features": features, "solver": solver, "engine": engine}
        with Worker("sparse:Fitting", {"library": library} | order) as worker:
            found: Row = worker.ask("fit")
        return found

    taken = interleaved({name: lambda name=name: fit(name) for name in (OURS, PEER)}, repetitions)
    seconds = {name: [each["fit"] for each in taken[name]] for name in taken}
    row: Row = comparison("sparse", f"{samples} x {features}, {solver}", PEER, seconds[OURS], seconds[PEER])
    for name, whose in (("ours", OURS), ("peer", PEER)):
        row |= {f"{name}_{what}": middle(taken[whose], what) for what in ("predict", "megabytes", "loss")}
    return row | surroundings("scikit-learn", "scipy")


def middle(rows: list[Row], what: str) -> Any:
    """The median of a figure, None where a system does not tell it."""
    return None if rows[0][what] is None else median(row[what] for row in rows)


def main() -> None:
    """Measure, print the rows in words, and write them."""
    parser = options(__doc__, "sparse.json", repetitions=5)
    parser.add_argument("--samples", type=int, default=5_000, metavar="N", help="rows (5,000)")
    parser.add_argument("--features", type=int, default=1_000_000, metavar="N", help="columns (1,000,000)")
    parser.add_argument("--solvers", nargs="+", default=["adam", "sgd"], metavar="NAME", help="adam, sgd (both)")
    parser.add_argument("--engine", default="auto", metavar="E", help="deltarule's engine (auto)")
    given = parser.parse_args()
    rows = []
    for solver in given.solvers:
        rows.append(row := measured(solver, given.samples, given.features, given.engine, given.repetitions))
        print(
            f"{row['workload']}: fit {row['ours_seconds']:.2f} s, {PEER} {row['ratio']:.2f} times as long "
            f"({row['ratio_low']:.2f} to {row['ratio_high']:.2f}); predict {row['ours_predict']:.3f} s beside "
            f"{row['peer_predict']:.3f}; {row['ours_megabytes']} MB beside {row['peer_megabytes']}",
            flush=True,
        )
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
