"""Formulas as MathML, which browsers draw by themselves: no script, no font."""

import html
import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

FUNCTION = re.compile(r"(<m[io]>(?:ln|log|exp|max|min|sin|cos|tanh)</m[io]>)(?=<mi>|<msub|<msup)")

PRIME = re.compile(r"<msup>(<mi>[^<]*</mi>)<mi>&#x02032;</mi></msup>")


def mathml(latex: str, display: str) -> str:
    """LaTeX as MathML; raises what latex2mathml raises where it cannot read it."""
    text = convert(latex.replace(r"\blacksquare", "■"), display=display)
    text = PRIME.sub(r'\1<mo lspace="0" rspace="0">′</mo>', text)  # a prime stands high by itself
    return FUNCTION.sub(r'\1<mspace width="0.17em"/>', text)  # ln p, not lnp


def visit_math(self: Any, node: nodes.math) -> None:
    self.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    # The outer element scrolls where a formula is wider than a phone; the keyboard reaches it.
    label = html.escape(node.astext(), quote=True)
    self.body.append(f'<div class="math" tabindex="0" role="group" aria-label="{label}">')
    self.body.append(mathml(node.astext(), "block") + "</div>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
