"""The package's build: compiles the native engine and the page's, or says why a wheel goes without one of them.

The page's engine is the same for every platform. An sdist holds it, so a wheel that is made of one needs no zig.
DELTARULE_PURE=1 builds without the native engine. DELTARULE_WHEEL names one of PLATFORMS, for which zig then compiles,
wherever that is: scripts/wheels and .github/workflows/wheels.yml set it.
"""

import os
import runpy
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOM = Path(__file__).parent / "src" / "deltarule" / "native"
BUILD = runpy.run_path(str(ROOM / "build.py"))
PLATFORMS = {  # zig's name, and the wheel's tag; from glibc 2.17, musl 1.2 and macOS 11 on
    "manylinux_x86_64": ("x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64.manylinux2014_x86_64"),
    "manylinux_aarch64": ("aarch64-linux-gnu.2.17", "manylinux_2_17_aarch64.manylinux2014_aarch64"),
    "musllinux_x86_64": ("x86_64-linux-musl", "musllinux_1_2_x86_64"),
    "musllinux_aarch64": ("aarch64-linux-musl", "musllinux_1_2_aarch64"),
    "macosx_arm64": ("aarch64-macos.11.0", "macosx_11_0_arm64"),
    "macosx_x86_64": ("x86_64-macos.11.0", "macosx_11_0_x86_64"),
    "win_amd64": ("x86_64-windows-gnu", "win_amd64"),
}
HERE = ("", sysconfig.get_platform().replace("-", "_").replace(".", "_"))
TARGET, TAG = PLATFORMS[os.environ["DELTARULE_WHEEL"]] if "DELTARULE_WHEEL" in os.environ else HERE
PURE = os.environ.get("DELTARULE_PURE", "0") not in ("", "0")


class CustomBuildHook(BuildHookInterface):
    """Runs before hatchling packs an sdist or a wheel, or installs an editable one."""

    def dependencies(self) -> list[str]:
        """What the build needs: zig, where the engine is written for the platform and no other compiler is there."""
        known = BUILD["instruction_sets"]() and sys.platform in ("linux", "darwin", "win32")
        if self.target_name != "wheel" or PURE or not (TARGET or known):
            return []
        with suppress(OSError):
            if not TARGET and "ziglang" not in BUILD["compiler"]():
                return []
        say("no gcc or clang here: the build fetches zig (100 MB, unpacked 410 MB, deleted afterwards)")
        return ["ziglang>=0.15"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put both beside their sources, and tag the wheel with its platform; without the native one it is for all."""
        try:
            build_data["artifacts"].append(str(BUILD["build_page_engine"](ROOM).relative_to(self.root)))
        except OSError as error:
            say(f"built without the page's engine, which zig compiles when it is needed: {error}")
        if self.target_name != "wheel":
            return
        if PURE:
            self.build_config.target_config.setdefault("exclude", []).extend(["native.c", "native-*"])
            return
        try:
            library = cross_compile(Path(self.root, "build", TARGET)) if TARGET else BUILD["build"](ROOM)
        except OSError as error:
            if TARGET:
                raise
            say(f"built without the native engine, NumPy's will run: {error}")
            return
        if TARGET:
            build_data["force_include"][str(library)] = f"deltarule/native/{library.name}"
        else:
            build_data["artifacts"].append(str(library.relative_to(self.root)))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{TAG}"


def say(line: str) -> None:
    """Where `pip install -v`, `python -m build` and uv print it."""
    print(f"deltarule: {line}", file=sys.stderr, flush=True)


def cross_compile(folder: Path) -> Path:
    """The library for the platform of the wheel, by zig."""
    command = [sys.executable, "-m", "ziglang", "cc", "-march=baseline", "-target", TARGET, "-s"]
    machine, system = TARGET.split("-")[:2]
    suffix = {"macos": ".dylib", "windows": ".dll"}.get(system.partition(".")[0], ".so")
    library: Path = BUILD["build"](folder, command, machine, suffix)
    if suffix == ".dll":  # it says when it was linked, and zig's linker has no option against that
        image = bytearray(library.read_bytes())
        stamp = int.from_bytes(image[60:64], "little") + 8
        image[stamp : stamp + 4] = bytes(4)
        library.write_bytes(image)
        library = library.replace(folder / f"native-{BUILD['sources_hash']()}-{BUILD['content_hash'](library)}{suffix}")
    return library
