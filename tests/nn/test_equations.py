"""The registry: complete, printable, and true to the source."""

import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from deltarule.errors import SettingError
from deltarule.nn import equations
from deltarule.nn.equations import EQUATIONS, SYMBOLS, Equation, find_equation
from deltarule.nn.losses import Quadratic, sample_shares
from deltarule.nn.network import Network, backward, forward

EVERY = pytest.mark.parametrize("equation", EQUATIONS.values(), ids=EQUATIONS)
PROOFS = Path(equations.__file__).parent / "proofs"


@EVERY
def test_the_marked_lines_exist_once(equation: Equation) -> None:
    module, _, name = equation.place.removeprefix("deltarule.nn.").partition(".")
    home = importlib.import_module(f"deltarule.nn.{module}")
    for part in name.split("."):
        home = getattr(home, part)
    source = inspect.getsource(home)
    for marker in equation.markers:
        assert source.count(marker) == 1
    stripped = [line.strip() for line in source.splitlines()]
    quoted = equation.code().splitlines()
    assert quoted
    assert all(line.strip() in stripped and not line.strip().startswith("#") for line in quoted)


def test_the_lines_are_those_that_compute_it() -> None:
    """What each block must hold, and not one line of its neighbor's."""
    blocks = {key: equation.code() for key, equation in EQUATIONS.items()}
    assert blocks["BP3"] == "delta[l].sum(axis=0, out=grads.biases[l])"
    assert blocks["BP4"] == "np.matmul(inputs[l].T, delta[l], out=grads.weights[l])"
    assert "weights[l + 1].T" in blocks["BP2"]
    assert "loss.gradient" in blocks["BP1"]
    assert "for l in" not in blocks["BP1"]
    assert blocks["forward"].index("W, out=ws.z[l]") < blocks["forward"].index("activation.forward")


@EVERY
def test_every_proof_ships_and_can_be_printed(equation: Equation) -> None:
    assert equation.proof.endswith("\n")
    assert all(len(line) <= 80 for line in equation.proof.splitlines())
    assert equation.proof.count("$$") % 2 == 0
    assert len(re.findall(r"(?<!\$)\$(?!\$)", equation.proof)) % 2 == 0
    assert equation.proof.count("{") == equation.proof.count("}")
    assert r"\blacksquare" in equation.proof


def test_every_proof_has_its_equation() -> None:
    assert {path.stem for path in PROOFS.iterdir()} == set(EQUATIONS)


@EVERY
def test_it_fits_80_columns_and_names_its_symbols(equation: Equation) -> None:
    assert all(len(line) <= 76 for line in equation.text.splitlines())
    assert len(equation.says) <= 120
    assert equation.latex.count("{") == equation.latex.count("}")
    assert set(equation.symbols) <= set(SYMBOLS)


def test_the_symbols_are_what_the_code_calls_them() -> None:
    """Each is looked up in a network after a forward and a backward pass, and must have the shape that it promises."""
    network = Network((4, 5, 3), loss=Quadratic(), dtype=np.float64)
    X, y = np.ones((2, 4)), np.array([0, 2])
    ws, grads, loss = network.workspace(2), network.parameters.zeros_like(), network.loss
    a = forward(network, X, ws)
    backward(network, y, ws, grads)
    names = {"network": network, "weights": network.weights, "biases": network.biases, "ws": ws, "grads": grads}
    names |= {"loss": loss, "a": a, "y": y, "t": np.eye(3)[y], "shares": sample_shares(2)}
    place = {"l": 1, "i": 1, "j": 2, "k": 4}
    sizes = {"batch": 2, "fan_in": 5, "fan_out": 3, "outputs": 3}
    arrays = [symbol for symbol in SYMBOLS.values() if symbol.code.endswith("]")]
    assert len(arrays) == 12
    for symbol in arrays:
        array, _, index = symbol.code.removesuffix("]").rpartition("[")
        value = eval(array, names | place)
        assert value.shape == tuple(sizes[size] for size in re.findall(r"\w+", symbol.shape)), symbol
        assert np.isfinite(value[eval(index, place)]), symbol


def test_they_are_found_by_name() -> None:
    assert find_equation("bp1-SOFTMAX") is EQUATIONS["BP1-softmax"]
    with pytest.raises(SettingError, match=r"did you mean 'BP[1-4]'"):
        find_equation("BP9")
