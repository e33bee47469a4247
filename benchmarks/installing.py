"""What installing the wheel of dist/ for this machine costs, in a fresh environment, until a first network is trained.

Asked: 105 MB with bytecode and 80 without, of what training needs; 15 s from pip to a network that has learned the
bundled digits, where pip has its packages in its cache. Make the wheel with `make wheels`.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import options, surroundings, write_rows

ROOT = Path(__file__).parents[1]
IMPORTED = {"numpy": "numpy", "pillow": "PIL.Image", "msgspec": "msgspec", "safetensors": "safetensors.numpy"}
IMPORTED |= {"tomli_w": "tomli_w", "click": "click", "deltarule-nn": "deltarule"}
NOT_FOR_TRAINING = ("pillow",)
LIST = """
import json, pathlib
from importlib.metadata import distributions
print(json.dumps({each.name: [str(each.locate_file(file)) for file in each.files or ()] for each in distributions()}))
"""


def seconds_of(*command: str, folder: str) -> tuple[float, float]:
    """The seconds of a command, and those of processors."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used


def megabytes(python: str) -> dict[str, dict[str, float]]:
    """What each distribution takes: its files, and with the bytecode that pip makes of them."""
    listed = json.loads(subprocess.run([python, "-c", LIST], check=True, capture_output=True, text=True).stdout)
    sizes = {}
    for name in sorted(set(listed) - {"pip", "setuptools"}):
        taken = {path: Path(path).stat().st_size / 1e6 for path in listed[name] if Path(path).exists()}
        plain = sum(size for path, size in taken.items() if not path.endswith(".pyc"))
        sizes[name] = {"megabytes": plain, "megabytes_with_bytecode": sum(taken.values())}
    return sizes


def main() -> None:
    """Install, train, measure, print what was asked for, and write the rows."""
    given = options(__doc__, "installing.json", repetitions=5).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/venv/bin/python"
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
        here = ["--no-deps", "--only-binary", ":all:", "--find-links", str(ROOT / "dist"), "--no-index", "deltarule-nn"]
        subprocess.run([python, "-m", "pip", "download", "--quiet", *here], check=True, cwd=folder)
        (wheel,) = map(str, Path(folder).glob("*.whl"))
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/warm"], check=True)
        seconds_of(f"{folder}/warm/bin/python", *pip[1:], wheel, folder=folder)  # fills pip's cache
        steps = {"pip install": seconds_of(*pip, wheel, folder=folder)}
        train = [f"{folder}/venv/bin/deltarule", "train", "digits", "--offline", "--out", "digits.safetensors"]
        steps["the first train"] = seconds_of(*train, folder=folder)
        rows = [{"step": name, "seconds": wall, "processor_seconds": used} for name, (wall, used) in steps.items()]
        for name, sizes in megabytes(python).items():
            row = {"distribution": name, **sizes}
            if name in IMPORTED:
                rounds = [
                    seconds_of(python, "-c", f"import {IMPORTED[name]}", folder=folder)[1]
                    for _ in range(given.repetitions)
                ]
                nothing = [seconds_of(python, "-c", "", folder=folder)[1] for _ in range(given.repetitions)]
                row["import_processor_seconds"] = min(rounds) - min(nothing)
            rows.append(row)
    for row in rows:
        print(
            ", ".join(
                f"{name} {value if isinstance(value, str) else format(value, '.3g')}" for name, value in row.items()
            )
        )
    for kind in ("megabytes", "megabytes_with_bytecode"):
        sizes = {row["distribution"]: row[kind] for row in rows if "distribution" in row}
        needed = sum(size for name, size in sizes.items() if name not in NOT_FOR_TRAINING)
        print(f"{kind}: {needed:.1f} for training, {sum(sizes.values()):.1f} in all")
    write_rows(given.json, [row | surroundings() for row in rows])


if __name__ == "__main__":
    main()
