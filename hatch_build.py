"""The package's build: compiles the native engine into the wheel, or says why the wheel goes without it.

DELTARULE_PURE=1 builds without, for a platform that has no compiler.
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
    """Runs before hatchling packs a wheel, or installs an editable one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the library beside its sources, and tag the wheel with this platform; else it is one for all."""
        if self.target_name != "wheel":
            return
        if os.environ.get("DELTARULE_PURE"):
            build_data["artifacts"] = []
            self.build_config.target_config.setdefault("exclude", []).extend(["*.c", "native-*"])
            return
        try:
            library = runpy.run_path(str(ROOM / "build.py"))["build"](ROOM)
        except OSError as error:
            warnings.warn(f"built without the native engine: {error}", stacklevel=1)
            return
        build_data["artifacts"].append(str(library.relative_to(self.root)))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
