"""The package's build: compiles the native engine into the wheel, or says why the wheel goes without it.

DELTARULE_PURE=1 builds without, for a platform that has no compiler.
"""

import importlib.util
import os
import sys
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
            return
        spec = importlib.util.spec_from_file_location("deltarule_native_build", ROOM / "build.py")
        assert spec is not None
        assert spec.loader is not None
        build = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(build)
        try:
            library = build.build(ROOM)
        except OSError as error:
            warnings.warn(f"built without the native engine: {error}", stacklevel=1)
            return
        build_data["artifacts"].append(str(library.relative_to(self.root)))
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        print(f"compiled {library.name}", file=sys.stderr)
