"""What is kept of a program, what is left out and why, and which names somebody must supply."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deltarule.errors import ProgramError
from deltarule.learn.program import Program, read_program

Reader = Callable[..., Program]

USUAL = """
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

data = np.array(pd.read_csv("train.csv"))
m, n = data.shape
X_train = data[1:n] / 255.
sizes = (784, 10)
rate, decay = 0.1, np.exp(-2) * sizes[1]
np.random.seed(3)
table = np.array([[1, 2], [3, 4]]).T
names = [f"{k}" for k in sizes]
relu = lambda z: np.maximum(z, 0)

def forward_prop(W, b, X):
    return relu(W.dot(X) + b)

def back_prop(A, X, Y):
    global calls
    dZ = A - Y
    return 1 / m * dZ.dot(X.T), rate * alpha, [n for n in dZ]

if __name__ == "__main__":
    back_prop(1, 2, 3)
for epoch in range(3):
    forward_prop(1, 2, 3)
forward_prop(sizes, rate, X_train)
W = forward_prop(1, 2, 3)
plt.plot(data)
print(data)
try:
    import cupy as cp
except ImportError:
    cp = np
if rate > 1:
    limit = 3
"""


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def write_and_read(source: str, **others: str) -> Program:
        for name, text in others.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        path = tmp_path / "net.py"
        path.write_text(source, encoding="utf-8")
        return read_program(path)

    return write_and_read


def test_definitions_and_plain_constants_are_kept(read: Reader) -> None:
    program = read(USUAL)
    assert set(program.functions) == {"relu", "forward_prop", "back_prop"}
    assert program.constants == {"sizes", "rate", "decay", "table", "names", "limit", "cp"}
    assert {"np", "pd", "plt", "cp"} <= set(program.imports)


def test_what_is_left_out_is_said_with_its_reason(read: Reader) -> None:
    found = {each.what: (each.why, each.place.line) for each in read(USUAL).left_out}
    assert found == {
        'data = np.array(pd.read_csv("train.csv"))': ("reads a file", 6),
        "m, n = data.shape": ("needs what is left out", 7),
        "X_train = data[1:n] / 255.": ("needs what is left out", 8),
        'if __name__ == "__main__":': ("runs only as a script", 24),
        "for epoch in range(3):": ("loops", 26),
        "forward_prop(sizes, rate, X_train)": ("calls the program's own functions", 28),
        "W = forward_prop(1, 2, 3)": ("calls the program's own functions", 29),
        "plt.plot(data)": ("draws", 30),
        "print(data)": ("prints", 31),
    }


def test_names_that_no_one_defines_are_free(read: Reader) -> None:
    program = read(USUAL)
    assert program.free == {"alpha": ("back_prop",), "m": ("back_prop",)}
    block = program.functions["back_prop"]
    assert (block.parameters, block.products) == (("A", "X", "Y"), 1)
    assert program.functions["relu"].parameters == ("z",)
    assert str(block.place) == "net.py, line 19"


def test_a_constant_that_is_read_from_a_file_later_is_no_constant(read: Reader) -> None:
    program = read("m = 5\nk = m * 2\nm = len(open('x').read())\nj = m\ndef f(): return m + j + k")
    assert program.constants == {"m", "k"}
    assert [each.what for each in program.left_out] == ["m = len(open('x').read())", "j = m"]
    assert program.free == {"j": ("f",)}


def test_of_two_definitions_the_last_counts_and_it_is_noted(read: Reader) -> None:
    program = read("def f(x): return x\ndef g(x): return x\ndef f(y): return -y\ndef g(x): return x")
    assert program.functions["f"].parameters == ("y",)
    assert [(note.kind, note.says, note.place.line) for note in program.notes] == [("twice", "f", 3)]


def test_a_class_has_the_parameters_of_its_constructor(read: Reader) -> None:
    program = read("class Net(object):\n  def __init__(self, sizes, rate=eta):\n    self.n = gain\n\nnet = Net([2, 3])")
    assert program.classes["Net"].parameters == ("sizes", "rate")
    assert program.classes["Net"].reads == ("eta", "gain")
    assert program.functions == {}


def test_methods_that_stand_alone_join_the_class_before_them(read: Reader) -> None:
    program = read("class Net:\n    x = 1\n\ndef forward(self, X):\n    return X\n\ndef f(X):\n    return X")
    assert set(program.functions) == {"f"}
    assert [getattr(each, "name", "") for each in program.classes["Net"].node.body] == ["", "forward"]


def test_programs_beside_it_are_read_as_well(read: Reader) -> None:
    layers = "from net import x\nclass Dense:\n    pass\ndata = open('x').read()\ndef relu(z): return z * k\n"
    source = "from layers import Dense as Layer\nimport layers\nfrom tools import *\nx = Layer(sigmoid(relu))\n"
    program = read(source, layers=layers, tools="def sigmoid(z): return z")
    assert set(program.modules) == {"layers", "tools"}
    assert set(program.classes) == {"Layer", "layers.Dense"}
    assert set(program.functions) == {"layers.relu", "sigmoid"}
    assert str(program.functions["sigmoid"].place) == "tools.py, line 1"
    assert program.free == {"k": ("layers.relu",)}


def test_the_names_of_a_star_are_known(read: Reader) -> None:
    stars = "from numpy import *\nfrom math import *\nfrom pylab import *\nfrom numpy.nothing import *\n"
    program = read(f"{stars}W = zeros((2, 3))\ndef f(z): return exp(z) * nope")
    assert program.free == {"nope": ("f",)}
    assert program.constants == {"W"}


def test_a_name_of_a_builtin_may_be_a_variable(read: Reader) -> None:
    program = read("input = open('x').read()\ndef f(sum): return sum, input, len(input)\ndef g(): return sum([])")
    assert program.free == {"input": ("f",)}


def test_constants_call_nothing_that_acts(read: Reader) -> None:
    source = "import os, subprocess, sys, time\na = subprocess.run(['x'])\nb = os.system('x')\nc = sys.exit()\n"
    source += "d = time.time()"
    assert read(source).constants == {"d"}


def test_what_is_nested_too_deeply_is_refused(read: Reader) -> None:
    with pytest.raises(ProgramError, match="nests expressions too deeply"):
        read("x = " + "+".join(["1"] * 900))
