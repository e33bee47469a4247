#!/usr/bin/env python3
"""Draws passages of what people read, by a seed, for readers who say in their own words what each means.

    scripts/draw_passages.py --seed 25

prints JSON: twenty passages of docs, of messages, of help and of docstrings, each with where it stands. One reader, who
sees the passages alone, paraphrases them; another compares. 95 % should be understood at first reading.
"""

import argparse
import ast
import json
import random
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "deltarule"
FEWEST_WORDS = 8
GROUPS = re.compile(r"\n\s*\n")
Passage = tuple[str, str]  # where it stands, and the text


def docs() -> Iterator[Passage]:
    """Paragraphs and list items of the pages, without code, tables and headings."""
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        if "decisions" in page.parts:
            continue
        text = re.sub(r"(?ms)^(```|~~~|:::|\$\$).*?^\1$", "", page.read_text(encoding="utf-8"))
        for part in re.split(r"\n\s*\n|\n(?=[-*] |\d+\. )", re.sub(r"(?s)\A---.*?\n---\n", "", text)):
            if not re.match(r"\s*([|#<!:(+]|\w+:|\s{4})", part):
                yield str(page.relative_to(ROOT)), part.strip()


def texts_of(value: object) -> Iterator[str]:
    """The texts in a table of TOML."""
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_of(each)


def messages() -> Iterator[Passage]:
    """The sentences of errors, findings, mistakes and lessons."""
    names = ("sentences", "inspection/diagnosis/findings", "inspection/gradcheck/mistakes", "learn/lessons/sentences")
    for name in names:
        table = tomllib.loads((SOURCE / f"{name}.toml").read_text(encoding="utf-8"))
        yield from ((f"{name}.toml", text) for text in texts_of(table))


def help_texts() -> Iterator[Passage]:
    """What --help says of each command and each option."""

    def shown(*words: str) -> str:
        command = [sys.executable, "-m", "deltarule", *words, "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    for name in re.findall(r"(?m)^  ([a-z]+)  ", shown()):
        for part in re.split(r"\n\s*\n|\n(?=  -)", shown(name)):
            yield f"deltarule {name} --help", " ".join(part.split())


def docstrings() -> Iterator[Passage]:
    """The paragraphs of modules', classes' and functions' docstrings."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                where = f"{path.relative_to(SOURCE)} {getattr(node, 'name', '')}".strip()
                yield from ((where, part.strip()) for part in GROUPS.split(ast.get_docstring(node) or ""))


KINDS: dict[str, Callable[[], Iterator[Passage]]] = {
    "docs": docs,
    "messages": messages,
    "help": help_texts,
    "docstrings": docstrings,
}


def main() -> None:
    """Draw, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=25)
    parser.add_argument("--each", type=int, default=20, metavar="N", help="passages of each kind (20)")
    given = parser.parse_args()
    drawn = {}
    for kind, found in KINDS.items():
        passages = sorted({each for each in found() if len(each[1].split()) >= FEWEST_WORDS})
        chosen = random.Random(f"{given.seed} {kind}").sample(passages, given.each)
        drawn[kind] = [{"where": where, "text": text} for where, text in chosen]
    print(json.dumps(drawn, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
