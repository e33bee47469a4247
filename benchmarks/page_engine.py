"""The page's engine, WebAssembly in Node: how large it is, how long it takes to load, and an epoch of two trainings.

Processor seconds on one thread: of the first load, and the least of all epochs. Asked: 60,000 bytes; 50 ms; 784-32-10
on the bundled digits 0.1 s an epoch, 784-128-10 on 60,000 digits 2 s. Then ten epochs as a page of one file takes them:
1 s in all, and 93 % of the digits that are held out.
"""

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import options, surroundings, write_rows

from deltarule.data.built_in import digit_cells
from deltarule.data.catalog import find_default, load
from deltarule.native.loader import page_engine

PROGRAM = Path(__file__).with_suffix(".js")


def main() -> None:
    """Measure, print what was asked for, and write the rows."""
    given = options(__doc__, "page_engine.json", repetitions=5).parse_args()
    node = shutil.which("node")
    if node is None:
        raise SystemExit("Node is not here: install nodejs 20 or later")
    rows = []
    for hidden, data in ((32, load("digits").train), (128, find_default(offline=True)[0].train)):
        with TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("engine", "images", "labels")]
            contents = (page_engine(), data.inputs.tobytes(), data.targets.astype("uint8").tobytes())
            for file, content in zip(files, contents, strict=True):
                file.write_bytes(content)
            command = [node, PROGRAM, *files, str(hidden), str(given.repetitions)]
            told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        row = {"benchmark": "page_engine", "workload": f"784-{hidden}-10 on {data.n_samples:,} images of {data.name}"}
        row |= {
            "bytes": len(contents[0]),
            "load_seconds": told["load"],
            "epoch_seconds": told["epoch"],
            "loss": told["loss"],
        }
        print("{workload}: {bytes:,} bytes, load {load_seconds:.4f} s, an epoch {epoch_seconds:.3f} s".format(**row))
        rows.append(row | surroundings())
    with TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("engine", "digits")]
        for file, content in zip(files, (page_engine(), digit_cells()), strict=True):
            file.write_bytes(content)
        command = [node, PROGRAM.with_name("page_learning.js"), *files]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print("ten epochs in a page of one file: {}".format(", ".join(f"{name} {each:.3f}" for name, each in told.items())))
    rows.append({"benchmark": "page_engine", "workload": "ten epochs of 784-32-10 in a page"} | told | surroundings())
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
