"""What becomes of a program's code when it is carried out: objects, stand-ins, and statements that fail."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deltarule.learn import namespace
from deltarule.learn.namespace import Namespace
from deltarule.learn.program import read_program

Carried = Callable[..., Namespace]


@pytest.fixture
def carry_out(tmp_path: Path) -> Carried:
    def write_and_carry_out(source: str, *, run: bool = False, beside: str = "", **supplied: object) -> Namespace:
        (tmp_path / "layers.py").write_text(beside or "x = 1", encoding="utf-8")
        path = tmp_path / "net.py"
        path.write_text(source, encoding="utf-8")
        return namespace.carry_out(read_program(path), supplied, run=run)

    return write_and_carry_out


def test_functions_find_their_constants_and_what_is_supplied(carry_out: Carried) -> None:
    space = carry_out("import numpy as np\nk = 2.0\nm = open('x').read()\ndef f(x): return k * x / m", m=4)
    assert space.get("f")(np.array([2.0])) == [1.0]
    assert (space.supplied, space.failed) == (["m"], [])


def test_what_the_program_defines_is_not_supplied(carry_out: Carried) -> None:
    space = carry_out("m = 2\nbad = 1 / 0\ndef f(): return m, bad", m=4, bad=5)
    assert space.get("f")() == (2, 5)
    assert space.supplied == ["bad"]
    assert [(str(each.place), each.failure.says) for each in space.failed] == [
        ("net.py, line 2", "ZeroDivisionError: division by zero")
    ]


def test_functions_of_numpy_that_are_not_imported_are_there_and_named(carry_out: Carried) -> None:
    space = carry_out("def f(z): return 1 / (1 + exp(-z)) + np.ones(math.ceil(1)) + size", size=1)
    assert space.get("f")(0.0) == [2.5]
    assert sorted(namespace.names_without_import(space.program)) == [
        "exp",
        "math",
        "np",
    ]  # size is a function, and not called


def test_plots_do_nothing_and_progress_bars_give_back(carry_out: Carried) -> None:
    source = (
        "import matplotlib.pyplot as plt\nfrom tqdm import tqdm\nfrom numba import njit\nimport numba as nb\n"
        "@nb.jit(nopython=True)\n@njit\ndef f(n):\n"
        "    fig, ax = plt.subplots(1, 2)\n    ax[0].plot([1]).set(x=1)\n"
        "    with plt.style.context('x'): plt.show()\n"
        "    return [k for k in tqdm(range(n))]\n"
    )
    space = carry_out(source)
    assert space.get("f")(3) == [0, 1, 2]
    assert space.failed == []


def test_a_module_that_is_not_installed_fails_only_when_it_is_used(carry_out: Carried) -> None:
    source = (
        "import nowhere.data as d\nfrom nowhere.layers import Layer\nimport nowhere.a.b\n"
        "class Net(Layer):\n    def forward(self, x: Layer | None) -> nowhere.a: return d.load(x)\n"
        "def f(x): return isinstance(x, Layer)\n"
    )
    space = carry_out(source)
    assert space.failed == []
    assert space.get("f")(3) is False
    with pytest.raises(ModuleNotFoundError, match="No module named 'nowhere'"):
        space.get("Net")().forward(1)


def test_a_module_that_is_installed_is_imported_when_it_is_used(carry_out: Carried) -> None:
    space = carry_out("from json5000 import x\nimport msgspec.json as j\ndef f(x): return j.decode(x)")
    assert space.get("f")(b"[1]") == [1]


def test_other_arrays_are_numpys(carry_out: Carried) -> None:
    source = (
        "import cupy as cp\nimport jax.numpy as jnp\nimport numpy\ndef f(): return cp is jnp is numpy, numpy.float(1)"
    )
    assert carry_out(source).get("f")() == (True, 1.0)


def test_names_of_python_2_are_there(carry_out: Carried) -> None:
    source = "def f(d):\n    print 'a'\n    print ('%s') % 1\n    return list(xrange(2)), list(d.iteritems())"
    assert carry_out(source).get("f")({1: 2}) == ([0, 1], [(1, 2)])


def test_programs_beside_it_bring_their_definitions_alone(carry_out: Carried) -> None:
    beside = "import numpy as np\nprint(train)\ndef relu(z): return np.maximum(z, low)\nlow = 0"
    source = "import layers\nfrom layers import relu, low\ndef f(z): return layers.relu(z) + relu(z) + low"
    space = carry_out(source, beside=beside)
    assert space.get("f")(-1) == 0
    assert space.get("layers.relu")(2) == 2
    assert space.failed == []
    assert "layers" not in sys.modules


def test_run_carries_out_everything_as_a_script(carry_out: Carried) -> None:
    guard = "if __name__ == '__main__':\n    y = x\n    print('trains')\n"
    source = f"x = len(open(__file__).read())\n{guard}raise SystemExit\nz = 1"
    space = carry_out(source, run=True)
    assert space.names["y"] == len(source)
    assert space.names["z"] == 1
    assert space.printed == "trains\n"
    assert [each.failure.says for each in space.failed] == ["SystemExit"]


def test_the_place_of_an_error_is_where_it_was_raised(carry_out: Carried) -> None:
    space = carry_out("def f(x):\n    return 1 / x\nclass A:\n    y = f(0)\n")
    assert [str(each.place) for each in space.failed] == ["net.py, line 2"]
