"""The way of data from a file to its answer: which functions of ours hand them on, and that there are few.

A function counts that returns or yields the data in one of their forms (a picture, an array of numbers, a table, an
answer), once the file is opened, and the command itself. What lies behind the doors of other rooms does not: the
arithmetic of ink behind `ink_image`, and that of the network behind `Model.answers`. Checks, which hand nothing on,
printing and the loading of the model do not count.

A batch has another way, since its arrays are filled and not returned. There a function counts that is being carried out
when a door is opened behind which arrays become a Dataset (`examples_for`), a batch is gathered, computed forward and
backward, or a step is taken; and the doors themselves.
"""

import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from inspect import unwrap
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest
from idx_files import write_idx

import deltarule as package
from deltarule import public
from deltarule.cli import printing
from deltarule.cli.predict import predict
from deltarule.data.ink.normalization import ink_image
from deltarule.data.readers.kinds import read
from deltarule.examples import examples_for
from deltarule.model import Model
from deltarule.nn.network import Network, backward, forward, outputs_of
from deltarule.nn.optimizers import Optimizer
from deltarule.training.evaluation import loss_and_score
from deltarule.training.plan import gather
from deltarule.training.trainer import fit

SOURCE = str(Path(package.__file__).parent)
PRINTING = printing.__file__
ANSWERS = public.__file__  # which stands around public functions, to explain a wrong call
DOORS = {unwrap(ink_image).__code__, unwrap(Model.answers).__code__}
MOST = 8
MOST_OF_A_BATCH = 9

Command = Callable[..., Any]


def holds_data(value: Any) -> bool:
    """Whether a value is, or has in it, the numbers of an example or its answer."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiu" and value.ndim > 0
    if isinstance(value, dict):
        return "input" in value or any(map(holds_data, value.values()))
    if isinstance(value, tuple | list):
        return any(map(holds_data, value))
    if is_dataclass(value) and not isinstance(value, type):
        return any(holds_data(getattr(value, each.name)) for each in fields(value))
    return hasattr(value, "getpixel")


class Way:
    """The functions that data passed through, in order, while a program ran, and how often a network was asked."""

    def __init__(self) -> None:
        self.functions: list[str] = [predict.__qualname__]
        self.passes = 0
        self.is_open = False
        self.behind: list[FrameType] = []  # doors of other rooms that are being passed

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        if not code.co_filename.startswith(SOURCE) or code.co_filename in (PRINTING, ANSWERS):
            return
        if not self.is_open and code is not unwrap(read).__code__:
            return
        if event == "call":
            self.is_open = True
            self.passes += code is unwrap(outputs_of).__code__
            if code in DOORS and not self.behind:
                self.behind.append(frame)
        elif event == "return":
            if self.behind == [frame]:
                self.behind.clear()
            if not self.behind and holds_data(value):
                self.note(code)

    def note(self, code: CodeType) -> None:
        name = code.co_qualname.removesuffix(".<locals>.<genexpr>").removesuffix(".<locals>.<listcomp>")
        if name not in self.functions:
            self.functions.append(name)


@pytest.fixture
def way_of(deltarule: Command) -> Callable[..., Way]:
    def go(*arguments: Any) -> Way:
        way, before = Way(), sys.getprofile()
        sys.setprofile(way)
        try:
            result = deltarule("predict", *arguments, "--json")
        finally:
            sys.setprofile(before)
        assert result.code == 0, result.err
        return way

    return go


@pytest.mark.parametrize("name", ["seven.png", "seven.csv", "seven"])
def test_a_digit_comes_to_its_answer(way_of: Callable[..., Way], name: str) -> None:
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.full((200, 300), 255, np.uint8)
    pixels[40:160, 150:162] = pixels[40:52, 100:162] = 0
    image = ink_image(pixels).image
    assert image is not None
    pillow.fromarray(pixels).save("seven.png")
    np.savetxt("seven.csv", image.reshape(1, -1), "%d", ",")
    write_idx("seven", image[np.newaxis])
    way = way_of(name, "--model", "pretrained")
    assert len(way.functions) <= MOST, way.functions
    assert way.functions[-2:] == ["Model.answers", "answers_about"]
    assert way.passes == 2  # of the network, and of the one with an output more that says how unusual the digit is


def test_a_row_of_a_table_comes_to_its_answer(deltarule: Command, way_of: Callable[..., Way]) -> None:
    rows = [f"{x}.5,{'red' if x % 3 else 'blue'},{-x},{2 * x}" for x in range(40)]
    Path("table.csv").write_text("\n".join(["x,color,z,y", *rows]))
    assert deltarule("train", "--data", "table.csv", "--target", "y", "--epochs", "1").code == 0
    Path("row.csv").write_text("color,x,z\nred,3.5,-3\n")
    way = way_of("row.csv")
    assert len(way.functions) <= MOST, way.functions
    assert way.functions[-2:] == ["Model.answers", "answers_about"]
    assert way.passes == 1


def test_a_batch_comes_to_changed_weights() -> None:
    doors = {unwrap(door).__code__ for door in (examples_for, gather, forward, backward, Optimizer.step)}
    functions: list[str] = []

    def follow(frame: FrameType | None, event: str, value: Any) -> None:
        if event != "call" or frame is None or frame.f_code not in doors:
            return
        stack: list[str] = []
        while frame is not None and frame.f_code is not own:
            code, frame = frame.f_code, frame.f_back
            if code is loss_and_score.__code__:
                return  # an epoch is scored, and nothing is learned from that
            if code.co_filename.startswith(SOURCE) and code.co_filename != ANSWERS:
                stack.insert(0, code.co_qualname)
        functions.extend(name for name in stack if name not in functions)

    own, before = sys._getframe().f_code, sys.getprofile()
    network, X, y = Network((4, 6, 3)), np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
    start = network.parameters.vector.copy()
    sys.setprofile(follow)
    try:
        fit(network, X, y, epochs=1, batch_size=10, engine="numpy")
    finally:
        sys.setprofile(before)
    assert (network.parameters.vector != start).any()
    assert len(functions) <= MOST_OF_A_BATCH, functions
    assert functions[0] == "fit"
    assert functions[-1] == "Optimizer.step"
