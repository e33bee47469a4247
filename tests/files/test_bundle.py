"""ES modules as one script: it does what the modules do."""

import shutil
import subprocess

import pytest

from deltarule.files.page import bundle

MODULES = {
    "main.js": """\
// A program.
import { area as size, PI } from "./round.js";
import {
    Counter,
} from "./things/counter.js";

/** Says it. */
const counter = new Counter();
counter.add(size(2));
counter.add(PI);
console.log(counter.sum, `a // b`, "/** c */");
""",
    "round.js": """\
export { PI } from "./numbers.js";
import { PI } from "./numbers.js";

export function area(r) {
    return PI * r * r;
}
""",
    "numbers.js": "export const PI = 3; // nearly\nlet hidden = 1;\n",
    "things/counter.js": """\
import { none } from "./none.js";
const hidden = none();
export class Counter {
    sum = hidden;
    add(x) {
        this.sum += x;
    }
}
""",
    "things/none.js": """\
export const none = () => 0;
export async function later() {}
export function* many() {}
""",
}


def test_the_script_does_what_the_modules_do() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here: install nodejs 20 or later to run scripts")
    script = bundle("main.js", MODULES.__getitem__)
    result = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "15 a // b /** c */\n"
    assert "A program" not in script
    assert script.count('modules["numbers.js"] =') == 1


def test_indentation_stays_where_a_text_of_several_lines_would_change() -> None:
    assert "    two" in bundle("a.js", {"a.js": "const text = `one\n    two`;\n"}.__getitem__)
    assert "    two" not in bundle("a.js", {"a.js": "if (one) {\n    two();\n}\n"}.__getitem__)
