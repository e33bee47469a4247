"""What starting costs: `import deltarule` beside `import numpy`, and `deltarule --help`, each in a fresh process.

Asked: an import of at most 60 ms more than NumPy's, and the help within 0.4 s.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from measuring import comparison, interleaved, options, surroundings, write_rows

COMMANDS = {
    "import numpy": ["-c", "import numpy"],
    "import deltarule": ["-c", "import deltarule"],
    "deltarule --help": ["-m", "deltarule", "--help"],
}


def seconds_of(command: list[str]) -> Callable[[], float]:
    """A measure: how long a fresh Python takes for `command`, from its start to its end."""

    def measure() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    return measure


def main() -> None:
    """Measure, print what was asked for, and write the rows."""
    given = options(__doc__, "startup.json", repetitions=15).parse_args()
    measures = {name: seconds_of(command) for name, command in COMMANDS.items()}
    interleaved(measures, 1)  # so that every file is compiled, and in the system's cache
    taken = interleaved(measures, given.repetitions)
    numpy_seconds = taken.pop("import numpy")
    rows = []
    for name, ours in taken.items():
        extra = median(our - their for our, their in zip(ours, numpy_seconds, strict=True))
        rows.append(comparison("startup", name, "import numpy", ours, numpy_seconds) | {"extra_seconds": extra})
        print(f"{name}: {1000 * median(ours):.0f} ms, {1000 * extra:.0f} ms more than import numpy", flush=True)
    write_rows(given.json, [row | surroundings() for row in rows])


if __name__ == "__main__":
    main()
