"""How long one image takes: `predict` of a 784-128-10 network, beside ONNX Runtime, PyTorch and scikit-learn.

Everybody has the same weights, a process of its own and one thread (predictors.py), and answers the same images, in
turns of --calls. p50 is the median time of a turn's calls, p99 what 99 % of them stay within. The seconds of a row are
medians of p50 over the turns, its ratio compares p50 turn by turn. Asked of Network.predict: 6 microseconds.
"""

from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measuring import Row, Worker, comparison, in_turns, options, surroundings, unmeasured, write_rows
from predictors import MODULES, PREDICTORS, SMALL
from workloads import prepare

PACKAGES = ("onnxruntime", "torch", "scikit-learn", "native")
OURS = ("Network.predict", "Model.predict")


def turns(folder: str, names: list[str], n_calls: int, repetitions: int) -> dict[str, list[Row]]:
    """{"p50", "p99"} in microseconds of every turn of each. SystemExit where two give different answers."""
    with ExitStack() as stack:
        workers = {}
        for name in names:
            arguments = {"name": name, "folder": folder, "n_calls": n_calls}
            workers[name] = stack.enter_context(Worker("predictors:Predictor", arguments))

        answers = {name: worker.ask("answers") for name, worker in workers.items()}
        if different := [name for name in names if answers[name] != answers[OURS[0]]]:
            raise SystemExit(f"the same weights must give the same answers: not so {', '.join(different)}")
        return in_turns(workers, "latencies", repetitions)


def main() -> None:
    """Measure, tell, and write a row for each of ours with each peer."""
    parser = options(__doc__, "latency.json", repetitions=9)
    parser.add_argument("--calls", type=int, default=2000, metavar="N", help="calls in a turn (2000)")
    given = parser.parse_args()
    missing = {name: [each for each in MODULES.get(name, ()) if find_spec(each) is None] for name in PREDICTORS}
    with TemporaryDirectory() as folder:
        prepare(Path(folder), SMALL.n_samples)
        present = [name for name in PREDICTORS if not missing[name]]
        taken = turns(folder, present, given.calls, given.repetitions)
    p50 = {name: [turn["p50"] / 1e6 for turn in each] for name, each in taken.items()}
    p99 = {name: median(turn["p99"] / 1e6 for turn in each) for name, each in taken.items()}
    for name in PREDICTORS:
        told = f"p50 {1e6 * median(p50[name]):8.1f} us  p99 {1e6 * p99[name]:8.1f} us" if name in p50 else "absent"
        print(f"{name:16} {told}")
    rows = []
    for peer in [name for name in PREDICTORS if name not in OURS]:
        for ours in OURS:
            named = "latency", f"one image, 784-128-10, {ours}", peer
            if peer in p50:
                row = comparison(*named, p50[ours], p50[peer]) | {"peer_p99_seconds": p99[peer]}
            else:
                row = unmeasured(*named, p50[ours], {"absent": f"pip install {' '.join(missing[peer])}"})
            rows.append(row | {"ours_p99_seconds": p99[ours]} | surroundings(*PACKAGES))
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
