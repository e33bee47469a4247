"""What is read of a file: encodings, notebooks, pages, Python 2, and files that hold no Python."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltarule.errors import ProgramError
from deltarule.learn.code_files import Code, read_code

Written = Callable[[str, str | bytes], Code]


@pytest.fixture
def read(tmp_path: Path) -> Written:
    def write_and_read(name: str, content: str | bytes) -> Code:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_code(path)

    return write_and_read


def notebook(*cells: Any, **metadata: Any) -> str:
    sources = [{"cell_type": "code", "source": cell, "outputs": []} for cell in cells]
    return json.dumps(
        {"nbformat": 4, "metadata": metadata, "cells": [{"cell_type": "markdown", "source": "x"}, *sources]}
    )


def placed(code: Code) -> dict[str, str]:
    """Each line of the code that is not empty, and where it stands."""
    return {line: str(place) for line, place in zip(code.text.split("\n"), code.places, strict=False) if line.strip()}


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfx = 'd\xc3\xa9'\r\ny = 1\r\n",
        "# -*- coding: cp1252 -*-\nx = 'dé'\ny = 1".encode("cp1252"),
        "x = 'dé'\ry = 1".encode("latin-1"),  # says no encoding, and Python would refuse it
        "x = 'dé'\n\fy = 1".encode("utf-16"),
    ],
)
def test_a_program_is_read_in_any_encoding_and_with_any_line_ends(read: Written, content: bytes) -> None:
    lines = placed(read("net.py", content))
    assert [line.strip() for line in lines][-2:] == ["x = 'dé'", "y = 1"]
    assert lines["y = 1"] == f"net.py, line {2 + (b'coding' in content)}"


def test_a_syntax_error_shows_its_line_with_a_caret(read: Written) -> None:
    with pytest.raises(ProgramError) as caught:
        read("net.py", "import numpy as np\n\ndef f(x:\n    return x\n")
    assert str(caught.value).startswith("net.py, line 3 is not Python: ")
    _, line, caret = str(caught.value).split("\n")
    assert line == "    def f(x:"
    assert caret.strip() == "^"
    assert line[caret.index("^")] in "(:x"


def test_python_2_is_read_as_it_was_meant(read: Written) -> None:
    source = (
        "def f(n):\n"
        '    print "Epoch {0}: {1}".format(\n'
        "        n, 2), 3\n"
        '    if n: print "a"; print >>out, "b" # c\n'
        "    print\n"
        "    try:\n"
        "\tx = 10L <> `n`\n"
        "    except ValueError, e:\n"
        '        raise KeyError, "no"\n'
    )
    code = read("net.py", source)
    lines = code.text.split("\n")
    assert lines[1:4] == [
        '    print("Epoch {0}: {1}".format(',
        "        n, 2), 3)",
        '    if n: print("a"); print("b") # c',
    ]
    assert lines[6].split() == ["x", "=", "10", "!=", "repr(n)"]
    assert lines[7:9] == ["    except ValueError as e:", '        raise KeyError("no")']
    assert {note.kind for note in code.notes} == {"python2"}
    assert ("net.py, line 2", "print(...)") in {(str(note.place), note.says) for note in code.notes}


def test_a_print_call_of_python_3_stays_as_it_is(read: Written) -> None:
    source = 'print("a", x)\nprint(f"{y}")\nprinter = print\n'
    code = read("net.py", source)
    assert code.text.rstrip() == source.rstrip()
    assert code.notes == []


def test_the_cells_of_a_notebook_are_read_in_order(read: Written) -> None:
    cells = (
        ["%matplotlib inline\n", "import numpy as np\n", "!pip install x"],
        "%%time\ndef f(x):\n    return (x\n      % 2)\nf?",
        "%%bash\nls",
        "def g(x) return x",
        "if True:\n    !ls\ny = f(1)",
    )
    code = read("net.ipynb", notebook(*cells, kernelspec={"language": "python"}))
    lines = placed(code)
    assert lines["import numpy as np"] == "net.ipynb, cell 1, line 2"
    assert lines["def f(x):"] == "net.ipynb, cell 2, line 2"
    assert lines["      % 2)"] == "net.ipynb, cell 2, line 4"
    assert lines["y = f(1)"] == "net.ipynb, cell 5, line 3"
    assert "ls" not in code.text
    assert [(note.kind, note.place.cell) for note in code.notes if note.kind != "magic"] == [("syntax", 4)]


def test_a_notebook_of_format_3_is_read(read: Written) -> None:
    cells = [{"cell_type": "code", "input": ["x = 1\n", "print x"]}, {"cell_type": "heading", "source": "y"}]
    code = read("old.ipynb", json.dumps({"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}))
    assert placed(code)["print(x)"] == "old.ipynb, cell 1, line 2"


def test_a_notebook_of_5_mb_is_read(read: Written) -> None:
    book = json.loads(notebook("x = 1"))
    book["cells"][1]["outputs"] = [{"data": {"image/png": "A" * 5_000_000}}]
    assert placed(read("large.ipynb", json.dumps(book))) == {"x = 1": "large.ipynb, cell 1, line 1"}


PAGE = """---
title: "A network"
code: x = 0
---
Text, `x = 1`, and {{< alert >}} x = 2 {{< /alert >}}

1. a list
   ```python
   def f(z):
       return z
   ```

```{python echo=FALSE}
y = f(3)
```
```bash
cd x = 4
```
```
pip install numpy
```
```
z = 5
```
~~~py
def broken(
~~~
{% highlight python linenos %}
u = 6
{% endhighlight %}
```py title="end.py"
if 1 &lt; 2:
    v = “text”
"""


@pytest.mark.parametrize("name", ["post.md", "post.txt", "post.Rmd", "post.qmd"])
def test_the_blocks_of_a_page_are_read_and_nothing_around_them(read: Written, name: str) -> None:
    code = read(name, PAGE)
    found = {line: int(place.rpartition(" ")[2]) for line, place in placed(code).items()}
    assert found == {
        "def f(z):": 9,
        "    return z": 10,
        "y = f(3)": 14,
        "z = 5": 23,
        "u = 6": 29,
        "if 1 < 2:": 32,
        '    v = "text"': 33,
    }
    assert [note.place.line for note in code.notes if note.kind == "syntax"] == [26]


def test_indented_code_is_read_where_a_page_names_no_other(read: Written) -> None:
    code = read("post.md", "Text\n\n    import numpy as np\n\n    x = 1\n\nText\n    not code\n\n\tword\n")
    assert {line: place.rpartition(" ")[2] for line, place in placed(code).items()} == {
        "import numpy as np": "3",
        "x = 1": "5",
    }


def test_a_text_that_is_a_program_is_read_whole(read: Written) -> None:
    assert placed(read("net.txt", "x = 1\ny = x"))["y = x"] == "net.txt, line 2"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("net.py", "", "net.py is empty"),
        ("net.ipynb", " \n", "net.ipynb is empty"),
        ("net.py", b"\x7fELF\0\0", "which is not text"),
        ("post.md", "no code\n\n    in here\n", "holds no Python code"),
        ("net.ipynb", notebook(""), "holds no Python code"),
        ("net.ipynb", '{"cells": [\n{"cell_type" "code"}]}', "line 2 is not JSON"),
        ("net.ipynb", '{"a": 1}', "is JSON but not a notebook"),
        ("net.ipynb", '{"cells": [{"cell_type": "code", "source": 3}]}', "is JSON but not a notebook"),
        ("net.ipynb", "[" * 100_000, "is not JSON|is JSON but not a notebook"),
        ("net.ipynb", notebook("x <- 1", kernelspec={"language": "R"}), "is a notebook in R"),
        ("net.ipynb", notebook("x = 1", language_info={"name": "julia"}), "is a notebook in julia"),
        ("net.py", "(" * 100_000, "is not Python"),
        ("net.py", "if x:\n\ty = 1\n        z = 2\n        \t  u\n", "line 4 is not Python: unexpected indent"),
    ],
)
def test_what_holds_no_python_is_refused_by_name(read: Written, name: str, content: str, says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        read(name, content)


def test_one_broken_function_of_a_block_leaves_the_others(read: Written) -> None:
    block = "import numpy as np\n"
    block += "class N:\n    x = 1\ndef f(self):\n    print 2\n def g(x):\n        return x\ndef h(x) return\n"
    code = read("post.md", f"```python\n{block}```\n")
    assert placed(code)["def g(x):"] == "post.md, line 7"
    assert "    print(2)" in placed(code)
    assert [(note.kind, note.place.line) for note in code.notes] == [("python2", 6), ("syntax", 9)]
