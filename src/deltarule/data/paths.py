"""Where data lie on this machine."""

import os
import sys
from pathlib import Path

from deltarule.errors import SettingError

VARIABLE = "DELTARULE_DATA"


def search_folders(name: str) -> list[Path]:
    """Where the files of the data set `name` may lie, in the order of search: the folder given, then the cache.

    Raises SettingError where DELTARULE_DATA is set to what is no folder.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return [cache_folder() / name]
    if not Path(given).is_dir():
        raise SettingError(f"{VARIABLE} must name a folder that exists: got {given}; create it, or unset the variable")
    return [Path(given, name), cache_folder() / name]


def cache_folder() -> Path:
    """Where downloads are kept: as the system wants it, for this user alone."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "deltarule")
