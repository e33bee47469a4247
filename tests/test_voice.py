"""No new sentence uses a phrase that our voice rules out; the old ones stand in a list that may only shrink.

Read are the strings, docstrings and comments of the package, its page and the examples, and every page of the docs.
The list, voice_allowlist.txt, holds a sentence on each line, as often as it occurs: a sentence may move to another
file, but one that is new, or was touched, must be free of these phrases. After sentences were fixed or branches merged,

    python tests/test_voice.py --shrink

takes out what is no longer found, conflict marks included. It never adds a line.
"""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = Path(__file__).with_name("voice_allowlist.txt")
LAST_OLD_RECORD = "0013"  # decision records say what was decided then, as it was said then
WRITTEN_BY_SCRIPTS = {"equations.js", "equations.md"}  # from nn/equations.py, which is read here

CODE = (
    "activation|batch|callback|checkpoint|class|command|dataset|engine|estimator|example|file|function|kernel|layer|"
    "library|loss|method|model|module|network|neuron|optimizer|page|process|recipe|run|schedule|server|test|thread|unit"
)
TO_BE = r"\b(is|are|was|were|been|being)"
IDIOMS = r"longer\b|more\b|less\b|fewer\b|one\b|exception\b|\w+er than\b"  # "there is no ..." is plain English, too
RULED_OUT = {
    rf"(?<!\bthere ){TO_BE} no (?!{IDIOMS})\w+": 'say "is not a ...", or "has no ...": it is not an image',
    r"\bmend(s|ed|ing)?\b": 'say "fix"',
    r"\bby heart\b": 'say "memorize"',
    r"\bas if by lot\b": 'say "at random", or what is unrelated: similar inputs have unrelated labels',
    rf"({TO_BE}|\bbe) told\b(?! (apart|from)\b)": "say who does what: the bias gets its delta",
    rf"{TO_BE} (said|heard of)\b": "say who says it: the header names the engine; you get a warning",
    r"\bthe one deserved\b": "name the thing again",
    r"\bwhom\b": "code is not a person: name what receives it, as in: where its output goes",
    r"\bwhoever\b": "address the reader: override the hooks you need",
    r"\bnobody\b": 'say what did not happen: "No label given", "without a reader"',
    rf"\b({CODE})(s|es)?,? who\b": 'code is not a person: say "that" or "which", or begin a new sentence',
    r"^who\b(?!.*\?)": "address the reader, or name what does it: override the hooks you need",
}


class Found(NamedTuple):
    """A sentence with a phrase that is ruled out."""

    sentence: str
    place: str
    phrase: str
    instead: str


Text = tuple[int, str]  # the line on which it begins


def python_texts(source: str) -> Iterator[Text]:
    """Every string, with {} for what an f-string fills in; and every comment."""
    nodes: list[ast.AST] = [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
            nodes += [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        else:
            nodes += ast.iter_child_nodes(node)
    comments = [
        (token.start[0], token.string.lstrip("#! "))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    yield from joined(comments)


def joined(comments: list[Text]) -> Iterator[Text]:
    """Comments on consecutive lines as one text."""
    first, lines = 0, list[str]()
    for line, text in [*comments, (-1, "")]:
        if lines and line != first + len(lines):
            yield first, "\n".join(lines)
            lines = []
        first = first if lines else line
        lines.append(text)


JAVASCRIPT = re.compile(
    r"""(?P<line>(?://[^\n]*(?:\n\s*(?=//))?)+)|/\*(?P<block>.*?)\*/"""
    r"""|(?P<quote>["'`])(?P<string>(?:\\.|(?!(?P=quote)).)*)(?P=quote)"""
    r"""|(?<=[(,=:\[!&|?{};])\s*/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+/""",  # a regular expression is skipped whole
    re.DOTALL,
)


def javascript_texts(source: str) -> Iterator[Text]:
    """Every string, with {} for what a template fills in, and every comment."""
    for found in JAVASCRIPT.finditer(source):
        text = found["string"] or found["block"] or re.sub(r"(?m)^\s*//", "", found["line"] or "")
        yield 1 + source.count("\n", 0, found.start()), re.sub(r"\$\{[^}]*\}", "{}", text)


def html_texts(source: str) -> Iterator[Text]:
    """What a page shows, what it says in attributes, and its comments."""
    texts: list[Text] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            texts.append((self.getpos()[0], data))

        def handle_comment(self, data: str) -> None:
            self.handle_data(data)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            for _, value in attrs:
                self.handle_data(value or "")

    Reader().feed(source)
    yield from texts


def markdown_texts(source: str) -> Iterator[Text]:
    """Every paragraph, heading, item of a list, cell of a table and line of a block of code."""
    texts, is_code = [(1, "")], False
    for line, text in enumerate(source.splitlines(), 1):
        is_code ^= text.lstrip().startswith("```")
        if is_code or not text.strip() or re.match(r"\s*([-*+#|>]|\d+\.|```)", text):
            texts += [(line, cell) for cell in (text.split("|") if text.lstrip().startswith("|") else [text])]
        else:
            texts[-1] = (texts[-1][0], f"{texts[-1][1]}\n{text}")
    yield from texts


def toml_texts(source: str) -> Iterator[Text]:
    """Every string and every comment."""
    values: list[Any] = [tomllib.loads(source)]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield 1 + source.count("\n", 0, max(0, source.find(value[:20]))), value
        values += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    for found in re.finditer(r"(?m)(?:^|\s)#(.*)$", source):
        yield 1 + source.count("\n", 0, found.start(1)), found[1]


READERS = {
    ".py": python_texts,
    ".js": javascript_texts,
    ".html": html_texts,
    ".md": markdown_texts,
    ".toml": toml_texts,
}


def files() -> Iterator[Path]:
    """Whatever a user or a reader of the code sees."""
    yield from (ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md")
    for room in ("src", "docs", "examples"):
        for path in sorted((ROOT / room).rglob("*")):
            is_old = path.parent.name == "decisions" and path.name[:4] <= LAST_OLD_RECORD
            if path.suffix in READERS and path.name not in WRITTEN_BY_SCRIPTS and not is_old:
                yield path


def offenders_in(texts: Iterator[Text], place: str) -> Iterator[Found]:
    """Each sentence that holds a phrase that is ruled out, once, with the first such phrase."""
    for line, text in texts:
        end = 0
        for sentence in re.split(r"((?<=[.!?])\s+|\n\s*\n)", text):
            start, end = end, end + len(sentence)
            words = re.sub(r"\s+", " ", sentence).strip()
            for pattern, instead in RULED_OUT.items():
                if " " in words and (phrase := re.search(pattern, words, re.IGNORECASE)):
                    yield Found(words, f"{place}:{line + text.count(chr(10), 0, start)}", phrase[0], instead)
                    break


@cache
def offenders() -> list[Found]:
    return [
        found
        for path in files()
        for found in offenders_in(
            READERS[path.suffix](path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix()
        )
    ]


def allowed() -> Counter[str]:
    return Counter(ALLOWED.read_text(encoding="utf-8").splitlines() if ALLOWED.exists() else [])


def new_among(found: list[Found], old: Counter[str]) -> list[str]:
    """A line for each sentence that occurs more often than the list has it."""
    more = Counter(each.sentence for each in found) - old
    return [
        f'{each.place}: "{each.phrase}" in: {each.sentence}\n    {each.instead}'
        for each in found
        if each.sentence in more
    ]


def shrink() -> int:
    """Take out of the list what is no longer found; the exit code is 1 where there are sentences that it has not."""
    found, old = offenders(), allowed()
    kept = old & Counter(each.sentence for each in found)
    ALLOWED.write_text("".join(f"{line}\n" for line in sorted(kept.elements())), encoding="utf-8", newline="\n")
    print(f"{ALLOWED.name}: {kept.total()} sentences, {old.total() - kept.total()} fewer than before")
    new = new_among(found, kept)
    print(*new, sep="\n", end="\n" * bool(new))
    return 1 if new else 0


def test_no_new_sentence_uses_a_phrase_that_is_ruled_out() -> None:
    new = new_among(offenders(), allowed())
    assert new == [], "\n".join(["phrases that our voice rules out, in sentences that are new or were touched:", *new])


def test_the_list_shrinks_with_what_it_lists() -> None:
    gone = allowed() - Counter(each.sentence for each in offenders())
    assert gone == Counter(), f"no longer found; take them out with  python tests/{Path(__file__).name} --shrink"


@pytest.mark.parametrize(
    ("suffix", "source", "phrases"),
    [
        (".py", "# It is no\n# image.\nx = 1", {"is no image:1"}),
        (".py", "f\"{x} is told \" f\"its {y!r}, {'by heart' if y else 'ab by heart'}\"", {"is told:1", "by heart:1"}),
        (".py", '"""One.\n\nWhoever waits."""\n"mend" "ed", "mend it", {"mend": 1}', {"Whoever:3", "mend:4"}),
        (
            ".js",
            "const a = /['\"]/.test(b); // it is said\nsay(`the ${a.b} are no frames`)",
            {"is said:1", "are no frames:2"},
        ),
        (".js", "/* fine */\n// so a layer\n// who waits\nfinding.mend = 'x \\'whom it'", {"layer who:2", "whom:4"}),
        (".html", "<p title='as if by lot'>We\n mend it<!-- who is it? --></p>", {"as if by lot:1", "mend:1"}),
        (".md", "# A\nwas\nheard of\n\n- it is no b\n- c\n\n|x|is no y|", {"was heard of:1", "is no b:5", "is no y:8"}),
        (".md", "One. Two.\n\nText\nWho takes\nit. Who has\nit?\nWho has it.", {"Who:7"}),
        (".toml", "x = 1 # is told\n[a]\nsays = ['b', 'told by nobody']", {"is told:1", "nobody:3"}),
        (".md", "There is no file, it is no longer there, nor is it told apart; no more is no exception.", set()),
    ],
)
def test_phrases_are_found_wherever_they_stand(suffix: str, source: str, phrases: set[str]) -> None:
    found = list(offenders_in(READERS[suffix](source), "file"))
    assert {f"{each.phrase}:{each.place.partition(':')[2]}" for each in found} == phrases


def test_a_sentence_may_move_but_not_multiply() -> None:
    twice = list(offenders_in(iter([(1, "It is no image."), (5, "It is no\nimage."), (7, "It is fine.")]), "moved.py"))
    assert new_among(twice, Counter({"It is no image.": 2})) == []
    assert [line.partition(" ")[0] for line in new_among(twice, Counter({"It is no image.": 1}))] == [
        "moved.py:1:",
        "moved.py:5:",
    ]


def test_shrinking_takes_out_and_never_adds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    allowed_here = tmp_path / "allowed.txt"
    monkeypatch.setitem(globals(), "ALLOWED", allowed_here)
    monkeypatch.setitem(
        globals(), "offenders", lambda: list(offenders_in(iter([(1, "It is no b. A is told.")]), "c.py"))
    )
    allowed_here.write_text("<<<<<<< one\nIt is no b.\nIt is no b.\n=======\nIt was mended.\n", encoding="utf-8")
    assert shrink() == 1
    assert allowed_here.read_text(encoding="utf-8") == "It is no b.\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--shrink"]:
        sys.exit("usage: python tests/test_voice.py --shrink")
    sys.exit(shrink())
