"""The reference: links into the sources, and docstrings, which are plain text, as reStructuredText."""

import os
import re
import zlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from deltarule_site import ROOT, source_digest

REPOSITORY = os.environ.get("DELTARULE_REPOSITORY", "")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:)([^)\s#]+)(#[^)\s]*)?\)")
OPENS = re.compile(r"""[\w"][^:`]{0,60}:(\s|$)|- |Raises|Attributes""")


def resolve_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """A link to a folder leads to its index, one to a file outside docs/ to the repository or to a copy."""
    folder = Path(app.env.doc2path(docname)).parent

    def resolve(found: re.Match[str]) -> str:
        target = (folder / found[2]).resolve()
        if target.is_relative_to(app.srcdir) or not target.is_relative_to(ROOT):
            return f"[{found[1]}]({found[2].rstrip('/')}/index.md)" if target.is_dir() else found[0]
        if REPOSITORY:
            return f"[{found[1]}](https://github.com/{REPOSITORY}/blob/main/{target.relative_to(ROOT).as_posix()})"
        text = found[1].replace("`", "")
        return found[1] if target.is_dir() else f"{{download}}`{text} <{found[2]}>`"

    source[0] = LINK.sub(resolve, source[0])


def write_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings are plain text: a line that opens with "word: " begins a paragraph."""
    written: list[str] = []
    code = False
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        code = text.startswith(">>>") or (code and bool(text))
        if code or not text:
            written.append(line)
        elif not written or not written[-1].strip():
            written.append(" " * indent + escape(text))
        elif OPENS.match(text):
            written += ["", " " * indent + escape(text)]
        else:
            written[-1] += " " + escape(text)
    lines[:] = written


def escape(text: str) -> str:
    """What reStructuredText would take for markup, outside of code."""
    text = re.sub(r":ref:`([^`<]+?)(?: *<[^`]*>)?`", r"\1", text)  # to a page of scikit-learn's
    parts = re.split(r"(`+[^`]*`+)", text)
    parts[::2] = [re.sub(r"[*|]|_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def name_toggles(app: Sphinx, error: Exception | None) -> None:
    """The theme's arrows in the sidebar show an icon alone: give them a name for those who do not see it."""
    if error is None and app.builder.format == "html":
        for path in app.outdir.rglob("*.html"):
            text = path.read_text(encoding="utf-8")
            named = re.sub(
                r"<summary>(?=\s*<span class=\"toctree-toggle)", '<summary aria-label="Pages below it">', text
            )
            if named != text:
                path.write_text(named, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", resolve_links)
    app.connect("autodoc-process-docstring", write_docstring)
    app.connect("build-finished", name_toggles)
    # Another package, or other extensions: every page is read again, its cells and docstrings with it.
    ours = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    version = zlib.crc32(ours + source_digest().encode())
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": version}
