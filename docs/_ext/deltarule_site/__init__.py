"""What the site needs besides Sphinx: formulas, notebooks to download, sources, the playground."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "build" / "docs"


def source_digest() -> str:
    """The content of the package and of the kernel's settings: another one, and every cell runs again."""
    digest = hashlib.sha256()
    kept = {".py", ".toml", ".c", ".h", ".npz", ".safetensors"}
    for room in (ROOT / "src" / "deltarule", ROOT / "docs" / "_ipython"):
        for path in sorted(room.rglob("*")):
            if path.suffix in kept and "db" not in path.parts:
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
