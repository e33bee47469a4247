#!/usr/bin/env python3
"""Writes playground/static/backprop/equations.js from the registry: python scripts/playground_equations.py.

The page says of an equation what the library says, word for word: its sentence, symbols, lines and proof. LaTeX becomes
MathML here, once, so that the page needs no library for it.
"""

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

from deltarule.nn.equations import EQUATIONS, SYMBOLS, Equation

MODULE = Path(__file__).parents[1] / "src" / "deltarule" / "playground" / "static" / "backprop" / "equations.js"
HEAD = "// Written by scripts/playground_equations.py from the registry, nn/equations.py: change it there.\n"
MARKS = re.compile(
    r"\$\$(?P<display>.+?)\$\$|\$(?P<inline>.+?)\$|`(?P<code>.+?)`|\*\*(?P<b>.+?)\*\*|\*(?P<em>.+?)\*", re.S
)


def mathml(latex: str, display: str = "inline") -> str:
    """LaTeX as MathML, without what a browser assumes anyway."""
    text = re.sub(r"\\[bB]igg?[lr]?(?=[^a-zA-Z])", "", re.sub(r"\s+", " ", latex)).replace(r"\blacksquare", "■")
    text = convert(text, display=display)
    for needless in (' xmlns="http://www.w3.org/1998/Math/MathML"', ' display="inline"'):
        text = text.replace(needless, "")
    text = re.sub(r"<mrow>(<(m[ino])>[^<]*</\2>)</mrow>", r"\1", text)
    text = re.sub(r"(<math[^>]*>)<mrow>(.*)</mrow></math>", r"\1\2</math>", text)  # a row around all says nothing
    text = re.sub(r"&#x([0-9A-F]+);", lambda found: character(int(found[1], 16)), text)
    return re.sub("<mo>([‖∣])</mo>", r'<mo stretchy="false">\1</mo>', text)  # else they balloon without a math font


def character(code: int) -> str:
    """The character, escaped where HTML needs that."""
    return html.escape(chr(code), quote=False)


def as_html(markdown: str) -> str:
    """A proof: paragraphs of text with formulas, code and emphasis; raises where it holds any other Markdown."""
    assert not re.search(r"^(#|- |\d+\. |\||>|```)", markdown, re.M), "a proof is paragraphs: teach as_html the rest"
    return "".join(f"<p>{paragraph(each)}</p>" for each in re.split(r"\n\s*\n", markdown.strip()))


def paragraph(text: str) -> str:
    """One paragraph."""
    parts, end = [], 0
    for found in MARKS.finditer(text):
        parts += [html.escape(text[end : found.start()], quote=False), marked(found)]
        end = found.end()
    return re.sub(r"\s*\n\s*", " ", "".join([*parts, html.escape(text[end:], quote=False)]))


def marked(found: re.Match[str]) -> str:
    """What stands between two marks."""
    kind, text = next((kind, text) for kind, text in found.groupdict().items() if text is not None)
    if kind in ("display", "inline"):
        return mathml(text, "block" if kind == "display" else "inline")
    return f"<{kind}>{html.escape(text) if kind == 'code' else paragraph(text)}</{kind}>"


def entry(equation: Equation) -> dict[str, Any]:
    """What the page knows of an equation; its symbols are keys of the module's SYMBOLS."""
    return {
        "says": equation.says,
        "mathml": mathml(equation.latex, "block"),
        "symbols": [name for name in equation.symbols if name in SYMBOLS],
        "code": equation.code(),
        "proof": as_html(equation.proof),
    }


def constant(name: str, lines: Iterable[str]) -> str:
    """An object that the module exports, in lines of its own."""
    inside = "".join(f" {line},\n" for line in lines)
    return f"export const {name} = {{\n{inside}}};\n"


def pair(key: str, value: Any) -> str:
    """A key and its value, in a line."""
    return f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"


def module() -> str:
    """The whole module: a line for each symbol, and for each equation."""
    symbols = [pair(name, [mathml(symbol.latex), symbol.means, symbol.code]) for name, symbol in SYMBOLS.items()]
    equations = [pair(name, entry(each)) for name, each in EQUATIONS.items()]
    return HEAD + constant("SYMBOLS", symbols) + constant("EQUATIONS", equations)


if __name__ == "__main__":
    MODULE.write_text(module(), encoding="utf-8", newline="\n")
