"""The package's build: compiles the native engine and the page's, or says why a wheel goes without one of them.

The page's engine is the same for every platform. An sdist holds it, so a wheel that is made of one needs no zig.
DELTARULE_PURE=1 builds without the native engine, for a platform that has no compiler.
"""

import os
import runpy
import sysconfig
import warnings
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOM = Path(__file__).parent / "src" / "deltarule" / "native"


class CustomBuildHook(BuildHookInterface):
    """Runs before hatchling packs an sdist or a wheel, or installs an editable one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put both beside their sources, and tag the wheel with this platform; without the native one it is for all."""
        build, artifacts = runpy.run_path(str(ROOM / "build.py")), build_data["artifacts"]
        try:
            artifacts.append(str(build["build_page_engine"](ROOM).relative_to(self.root)))
        except OSError as error:
            warnings.warn(
                f"built without the page's engine, which zig compiles when it is needed: {error}", stacklevel=1
            )
        if self.target_name != "wheel":
            return
        if os.environ.get("DELTARULE_PURE"):
            self.build_config.target_config.setdefault("exclude", []).extend(["native.c", "native-*"])
            return
        try:
            artifacts.append(str(build["build"](ROOM).relative_to(self.root)))
        except OSError as error:
            warnings.warn(f"built without the native engine: {error}", stacklevel=1)
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
