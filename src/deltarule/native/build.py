"""Compiles the library in C for each instruction set, for float32 and for float64, and links all into one file.

Also compiles the page's engine, with zig. This file imports no other of the package, so that hatch_build.py can run it.
"""

import hashlib
import importlib.util
import json
import logging
import os
import platform
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
SUFFIX = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
# No operation may be fused, split or reordered: the bits must not depend on the compiler.
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O3", "-fPIC", "-pthread"]
FLAGS += ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
INSTRUCTIONS = {
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
    "v3": ["-march=x86-64-v3"],
    "neon": ["-march=armv8-a"],
}
ZIG = {each[0]: each[0].replace("86-64-v", "86_64_v").replace("armv8-a", "generic") for each in INSTRUCTIONS.values()}
NUMBERS = {"float": "32", "double": "64"}
# The page's engine uses wasi's headers but not its library, so the page need not provide anything.
OF_PAGE = "-Os -mllvm -inline-threshold=0 -target wasm32-wasi -msimd128 -mbulk-memory"
PAGE_FLAGS = [*FLAGS[:1], *FLAGS[-3:], *OF_PAGE.split()]
PAGE_LINK = ["-target", "wasm32-freestanding", "-s", "-Wl,--no-entry,-z,stack-size=65536,--export=__heap_base"]
PAGE_LINK += [f"-Wl,--export={name}_{kind}" for name in ("run", "room_bytes") for kind in NUMBERS]
PAGE_LINK += [
    f"-Wl,--export={name}" for name in ("show_double", "description", "activate_layer", "derive_layer", "targets_of")
]


def instruction_sets(machine: str = platform.machine()) -> list[str]:
    """The instruction sets that the library is compiled for, fastest first; none unless x86-64 or ARM64."""
    sets = {"x86_64": ["v4", "v3"], "amd64": ["v4", "v3"], "aarch64": ["neon"], "arm64": ["neon"]}
    return sets.get(machine.lower(), [])


def sources_hash() -> str:
    """The first 16 digits of the SHA-256 of all C sources and of this file, which compiles them."""
    files = [*sorted(HERE.glob("*.c")), *sorted(HERE.glob("*.h")), HERE / "build.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def content_hash(path: Path) -> str:
    """The first 16 digits of a file's SHA-256. The library's name ends in its own: a damaged one could crash."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def compiler() -> list[str]:
    """The command of a C compiler with vector extensions: $CC, cc, gcc, clang or zig. OSError if there is none."""
    if "CC" in os.environ:
        return shlex.split(os.environ["CC"])
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", "-march=baseline"]
    raise OSError("no C compiler was found: install gcc, clang, or the package ziglang")


def build(folder: Path, command: Sequence[str] = (), machine: str = platform.machine(), suffix: str = SUFFIX) -> Path:
    """Compile the library to a file in `folder`, whole or not at all; return its path. OSError if that fails."""
    sets, command = instruction_sets(machine), command or compiler()
    if not sets:
        raise OSError(f"the native engine is not written for {machine}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        commands = {"library.o": [f'-DSOURCES_HASH="{sources_hash()}"', str(HERE / "library.c")]}
        for name in sets:
            options = [ZIG.get(each, each) if "ziglang" in command else each for each in INSTRUCTIONS[name]]
            for kind, bits in NUMBERS.items():
                own = [*options, f"-DREAL_BITS={bits}", f"-DSUFFIX={kind}_{name}"]
                commands[f"{kind}_{name}.o"] = [*own, str(HERE / "native.c")]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda made: run([*command, *FLAGS, *commands[made], "-c", "-o", made], work), commands))
        linked, whole = Path(work, f"native{suffix}"), folder / f"native-{os.getpid()}"
        run([*command, "-shared", "-pthread", *commands, "-o", linked.name], work)  # some linkers keep the names
        shutil.copy(linked, whole)
        library = folder / f"native-{sources_hash()}-{content_hash(whole)}{suffix}"
        whole.replace(library)
    for old in HERE.glob(f"native-*{suffix}"):  # from earlier sources; a cache keeps those of other versions
        if old != library and folder == HERE:
            old.unlink(missing_ok=True)
    return library


def page_engine_name() -> str:
    """The file name of the page's engine, with the SHA-256 of all its sources."""
    names = ("page.c", "step.c", "*.h", "build.py", "codes.py", "../parts.toml")
    files = [path for name in names for path in sorted(HERE.glob(name))]
    return f"engine-{hashlib.sha256(b''.join(path.read_bytes() for path in files)).hexdigest()[:16]}.wasm"


def build_page_engine(folder: Path) -> Path:
    """Compile the page's engine to a file in `folder`, unless it exists; return its path. OSError without zig."""
    target, headers = folder / page_engine_name(), runpy.run_path(str(HERE / "codes.py"))
    if target.exists():
        return target
    if not importlib.util.find_spec("ziglang"):
        raise OSError("the package ziglang, which compiles it, is not installed")
    logging.getLogger("deltarule").warning("compiling the page's engine: some seconds, once")
    rows = tomllib.loads((HERE.parent / "parts.toml").read_text(encoding="utf-8"))["parts"]
    kinds = ("activation", "loss", "optimizer")
    parts = {kind: {name: row["kernel"].split(":")[1].split() for name, row in rows[kind].items()} for kind in kinds}
    known = {"fields": [*headers["FIELDS"]], "codes": headers["CODES"], "parts": parts}
    known["reals"] = [name for name, kind in headers["FIELDS"].items() if kind is headers["REAL"]]
    about = json.dumps(known, separators=(",", ":"))
    command = [sys.executable, "-m", "ziglang", "cc"]
    with tempfile.TemporaryDirectory() as work:
        for kind, bits in NUMBERS.items():
            own = [f"-DREAL_BITS={bits}", f"-DSUFFIX={kind}", f"-DDESCRIPTION={json.dumps(about)}"]
            run([*command, *PAGE_FLAGS, *own, "-c", str(HERE / "page.c"), "-o", f"{work}/{kind}.o"])
        run([*command, *PAGE_LINK, *(f"{work}/{kind}.o" for kind in NUMBERS), "-o", f"{work}/engine.wasm"])
        folder.mkdir(parents=True, exist_ok=True)
        whole = Path(shutil.copy(f"{work}/engine.wasm", folder / f"engine-{os.getpid()}"))
    for old in folder.glob("engine-*.wasm"):
        old.unlink(missing_ok=True)
    return whole.replace(target)


def run(command: list[str], folder: str | None = None) -> None:
    """Run a compiler's `command` in `folder`. OSError, with the beginning of its messages, if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own
    if done.returncode:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()[:500]}")
