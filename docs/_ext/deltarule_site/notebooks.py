"""Chapters as notebooks to download, figures as SVG, and the words of the course in their order.

MyST-NB leaves each chapter as it was executed, and the numbers that it glued into the text. From these come
course/NAME.ipynb, with the numbers in place and without the cells that only the site needs, and figures/NAME.svg.
"""

import html
import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from myst_nb.core.variables import format_plain_text
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
REPOSITORY = os.environ.get("DELTARULE_REPOSITORY", "")
LICENSE = "CC BY 4.0, the deltarule authors"
COLAB = f"https://colab.research.google.com/github/{REPOSITORY}/blob/gh-pages"
INSTALL = (
    f'In Colab, run  `%pip install "deltarule-nn[plot] @ git+https://github.com/{REPOSITORY}"`  first.'
    if REPOSITORY
    else 'The cells need deltarule: `pip install ".[plot]"` in the folder of the project.'
)


def executed(app: Sphinx) -> Iterator[tuple[str, nbformat.NotebookNode, dict[str, Any]]]:
    """Each chapter's name, its notebook as executed, and what it glued."""
    folder = Path(app.env.mystnb_config.output_folder)
    for name in sorted(app.env.found_docs):
        path = folder / f"{name}.ipynb"
        if name.startswith("course/") and path.exists() and app.env.nb_metadata[name]["exec_data"]["succeeded"]:
            glued = folder / f"{name}.glue.json"
            data = json.loads(glued.read_text(encoding="utf-8")) if glued.exists() else {}
            yield name, nbformat.read(path, as_version=4), data


def plain_markdown(text: str, glued: dict[str, Any]) -> str:
    """MyST as the Markdown that Jupyter reads: numbers in place, folded answers as <details>, words as a list."""

    def number(found: re.Match[str]) -> str:
        key, _, form = found[1].partition(":")
        return format_plain_text(glued[key]["data"]["text/plain"], form)

    text = re.sub(r"\{glue:text\}`([^`]+)`", number, text)
    text = re.sub(r"\{term\}`([^`<]+?)(?:\s*<[^`]*>)?`", r"\1", text)
    text = re.sub(
        r":::\{dropdown\} *([^\n]*)\n(.*?)\n:::",
        r"<details><summary>\1</summary>\n\n\2\n\n</details>",
        text,
        flags=re.S,
    )
    text = re.sub(r":::\{(\w+)\}[^\n]*\n(.*?)\n:::", r"\2", text, flags=re.S)
    text = re.sub(r"```\{glossary\}\n(.*?)\n```", lambda found: word_list(found[1]), text, flags=re.S)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text)  # the site's pages are not beside it


def word_list(glossary: str) -> str:
    """A glossary as a list: each word, and what it means."""
    entries = re.findall(r"^(\S[^\n]*)\n((?:[ \t]+[^\n]*\n?|\n)+)", glossary + "\n", re.M)
    return "\n".join(f"- **{word}**: {' '.join(meaning.split())}" for word, meaning in entries)


def as_download(notebook: nbformat.NotebookNode, glued: dict[str, Any]) -> nbformat.NotebookNode:
    """The notebook for readers: text, cells and their outputs."""
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "remove-cell" in tags and "notebook" not in tags:
            continue
        if cell.cell_type == "markdown":
            cell.source = plain_markdown(cell.source, glued)
        folds = {"hide-input", "hide-cell"} & set(tags)
        cell.metadata = nbformat.from_dict({"jupyter": {"source_hidden": True}} if folds else {})
        cells.append(cell)
    cells.insert(1, nbformat.v4.new_markdown_cell(INSTALL, id="install"))
    notebook.cells = cells
    notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    return notebook


def write_downloads(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    figures = app.outdir / "figures"
    figures.mkdir(exist_ok=True)
    for name, notebook, glued in executed(app):
        for label, drawing in figures_of(notebook):
            (figures / f"{label}.svg").write_text(drawing, encoding="utf-8")
        target = app.outdir / f"{name}.ipynb"
        target.write_text(nbformat.writes(as_download(notebook, glued)) + "\n", encoding="utf-8")
    with zipfile.ZipFile(app.outdir / "figures.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(figures.glob("*.svg")):
            archive.write(path, path.name)


def figures_of(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str]]:
    """The figures that have a name, as SVG, with alt text and license inside."""
    for cell in notebook.cells:
        shown = cell.metadata.get("mystnb", {})
        label = shown.get("figure", {}).get("name")
        drawings = [each.get("data", {}).get("image/svg+xml") for each in cell.get("outputs", [])]
        if label and any(drawings):
            about = html.escape(shown.get("image", {}).get("alt", ""))
            head, tag, rest = re.split(r"(<svg\b[^>]*>)", next(filter(None, drawings)), maxsplit=1)
            yield label, f"{head}{tag}<title>{about}</title><desc>{LICENSE}</desc>{rest}"


def add_links(app: Sphinx, document: nodes.document) -> None:
    """Below a chapter's title: where to get it as a notebook."""
    name = app.env.docname
    if name.startswith("course/") and "kernelspec" in app.env.metadata[name]:
        file = f"{name.partition('/')[2]}.ipynb"
        line = nodes.paragraph(classes=["notebook-links"])
        line += nodes.reference("", "This chapter as a notebook", refuri=file, internal=True)
        if REPOSITORY:
            line += nodes.Text(" · ")
            line += nodes.reference("", "Open in Colab", refuri=f"{COLAB}/course/{file}")
        title = next(iter(document.findall(nodes.title)))
        title.parent.insert(title.parent.index(title) + 1, line)
    for image in document.findall(nodes.image):
        if not image.get("alt", "").strip():
            LOGGER.warning("an image without an alt text: say what it shows", location=image)


class Words(nodes.General, nodes.Element):
    """Where the words of the course go, once all chapters are read."""


class WordList(SphinxDirective):
    """The words that the course introduces, chapter by chapter, each a link to what it means."""

    def run(self) -> list[nodes.Node]:
        return [Words()]


def fill_words(app: Sphinx, document: nodes.document, name: str) -> None:
    for place in list(document.findall(Words)):
        parts: list[nodes.Node] = []
        for chapter in sorted(each for each in app.env.found_docs if re.match(r"course/\d", each)):
            terms = [each for each in app.env.get_doctree(chapter).findall(nodes.term) if each.get("ids")]
            if terms:
                title = nodes.reference(
                    "", app.env.titles[chapter].astext(), refuri=app.builder.get_relative_uri(name, chapter)
                )
                line = nodes.paragraph("", "", nodes.strong("", "", title), nodes.Text(": "))
                for term in terms:
                    uri = f"{app.builder.get_relative_uri(name, chapter)}#{term['ids'][0]}"
                    line += [
                        nodes.reference("", term.astext(), refuri=uri),
                        nodes.Text(", " if term is not terms[-1] else ""),
                    ]
                parts.append(line)
        place.replace_self(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(Words)
    app.add_directive("words-of-the-course", WordList)
    app.connect("doctree-read", add_links)
    app.connect("doctree-resolved", fill_words)
    app.connect("build-finished", write_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
