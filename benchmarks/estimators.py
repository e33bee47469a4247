"""deltarule's MLPClassifier and MLPRegressor beside scikit-learn's: how good they are, and how fast they fit.

    python benchmarks/estimators.py
    python benchmarks/estimators.py --tables wine,digits --engines numpy --seeds 1

scores  accuracy, or R2, in 5-fold cross-validation with 5 seeds and the default parameters; the difference of the
        pairs and its standard error. Asked: not worse by more than one
fit     seconds of a fit of so many epochs with Adam, each in a process of its own, in turns, after one to warm up;
        with the native engine and with NumPy's. Asked: a ratio above 1 on every table, and of 1.5 in the geometric
        mean with the native one
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from math import exp, log

from fitting import TABLES, compared_scores, scores
from measuring import Row, Worker, comparison, in_turns, options, surroundings, write_rows

OURS, PEER = "deltarule", "scikit-learn"
ENGINES = ("native", "numpy")


def measured(table: str, engines: Sequence[str], repetitions: int) -> list[Row]:
    """A row for each engine: seconds of a fit beside scikit-learn's, and what it came to."""
    orders = {engine: {"library": OURS, "table": table, "engine": engine} for engine in engines}
    orders[PEER] = {"library": PEER, "table": table, "engine": "none"}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker("fitting:Fitting", order)) for name, order in orders.items()}
        seconds = in_turns(workers, "fit", repetitions)
        reports = {name: worker.ask("report") for name, worker in workers.items()}
    rows = []
    for engine in engines:
        losses = {"ours_loss": reports[engine]["loss"], "peer_loss": reports[PEER]["loss"]}
        epochs = {"engine": engine, "epochs": reports[engine]["epochs"], "peer_epochs": reports[PEER]["epochs"]}
        rows.append(comparison("estimators", table, PEER, seconds[engine], seconds[PEER]) | epochs | losses)
    return rows


def told(row: Row) -> str:
    """A row in words."""
    score = "R2" if TABLES[row["workload"]].is_regression else "accuracy"
    line = (
        f"{row['workload']:14s} {row['engine']:6s} {row['epochs']:4d} epochs {row['ours_seconds']:7.3f} s, "
        f"scikit-learn {row['ratio']:.2f} times as long ({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
    )
    if "fits" not in row:
        return line
    verdict = "" if row["not_worse"] else ", WORSE"
    return (
        f"{line}; {score} {row['ours_score']:.4f}, scikit-learn {row['peer_score']:.4f}, "
        f"difference {row['score_difference']:.1e} ± {row['score_standard_error']:.1e}{verdict}"
    )


def main() -> None:
    """Measure, print the rows in words, and write them."""
    parser = options(__doc__, "estimators.json", repetitions=9)
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="of cross-validation; 0 leaves it out (5)")
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="of cross-validation, at least 2 (5)")
    parser.add_argument("--tables", default=",".join(TABLES), metavar="A,B", help="of them (all)")
    parser.add_argument("--engines", default=",".join(ENGINES), metavar="A,B", help="native, numpy (both)")
    given = parser.parse_args()
    rows = []
    for table in given.tables.split(","):
        if table not in TABLES:
            sys.exit(f"no table is called {table!r}: {', '.join(TABLES)}")
        scored: Row = {}
        if given.seeds:
            scored = compared_scores(*(scores(table, name, given.seeds, given.folds) for name in (OURS, PEER)))
        for row in measured(table, given.engines.split(","), given.repetitions):
            rows.append(row | scored | surroundings("scikit-learn", "scipy"))
            print(told(rows[-1]), flush=True)
    for engine in given.engines.split(","):
        ratios = [log(row["ratio"]) for row in rows if row["engine"] == engine]
        print(f"{engine}: {exp(sum(ratios) / len(ratios)):.2f} times as long in the geometric mean")
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
