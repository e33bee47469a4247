"""How the library is compiled: once for each instruction set and each kind of number, then linked into one file.

It stands alone, so that the package's build (hatch_build.py) can run it before the package is there.
"""

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
SUFFIX = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
# No operation may be fused, split or reordered: bits must not depend on the compiler.
FLAGS = ["-std=gnu11", "-O3", "-fPIC", "-pthread", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
INSTRUCTIONS = {
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
    "v3": ["-march=x86-64-v3"],
    "neon": ["-march=armv8-a"],
}
NUMBERS = {"float": "32", "double": "64"}


def instruction_sets() -> list[str]:
    """Those that the library is compiled for, the fastest first; none on other processors."""
    machine = platform.machine().lower()
    return {"x86_64": ["v4", "v3"], "amd64": ["v4", "v3"], "aarch64": ["neon"], "arm64": ["neon"]}.get(machine, [])


def sources_hash() -> str:
    """The SHA-256 of all sources, and of how they are compiled."""
    files = [*sorted(HERE.glob("*.c")), *sorted(HERE.glob("*.h")), HERE / "build.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def content_hash(path: Path) -> str:
    """The SHA-256 of a file, with which the library's name ends: what is damaged may end the process that loads it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def compiler() -> list[str]:
    """The command of a C compiler with vector extensions: $CC, cc, gcc, clang or zig. OSError where there is none."""
    if "CC" in os.environ:
        return shlex.split(os.environ["CC"])
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise OSError("no C compiler was found: install gcc, clang, or the package ziglang")


def build(folder: Path) -> Path:
    """The library in a file of `folder`, which appears whole or not at all. OSError where that cannot be done."""
    sets, command = instruction_sets(), compiler()
    if not sets:
        raise OSError(f"the native engine is not written for {platform.machine()}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        objects = [f"{work}/library.o"]
        commands = [[*command, *FLAGS, f'-DSOURCES_HASH="{sources_hash()}"', "-c", str(HERE / "library.c")]]
        for name in sets:
            for kind, bits in NUMBERS.items():
                own = [*INSTRUCTIONS[name], f"-DREAL_BITS={bits}", f"-DSUFFIX={kind}_{name}"]
                commands.append([*command, *FLAGS, *own, "-c", str(HERE / "native.c")])
                objects.append(f"{work}/{kind}_{name}.o")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(run, [[*each, "-o", made] for each, made in zip(commands, objects, strict=True)]))
        whole = folder / f"native-{os.getpid()}"
        run([*command, "-shared", "-pthread", *objects, "-o", str(whole)])
        target = folder / f"native-{sources_hash()}-{content_hash(whole)}{SUFFIX}"
        whole.replace(target)
    for old in folder.glob(f"native-*{SUFFIX}"):
        if old != target:
            old.unlink(missing_ok=True)
    return target


def run(command: list[str]) -> None:
    """Run a compiler. OSError, with its first words, where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own compiler
    if done.returncode:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()[:500]}")
