"""deltarule check: which kind of thing a name stands for, one report of a network, and what train says of it."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deltarule.files.model_file import load, save
from deltarule.nn.activations import Tanh
from deltarule.nn.arrays import Array

Command = Callable[..., Any]


def test_a_network_gets_one_report_of_gradient_and_findings(deltarule: Command, digits_model: Path) -> None:
    result = deltarule("check", digits_model, "--json")
    assert (result.code, result.json["kind"], result.json["ok"]) == (0, "network", True)
    assert result.json["gradient"]["ok"]
    gradient, _, findings = deltarule("check", digits_model).out.partition("\n\n")
    assert gradient.startswith("The gradient is right")
    assert all(f"{each['level']:<9}{each['says']}" in findings for each in result.json["findings"])


def test_a_wrong_gradient_is_code_1(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def reversed_sign(self: Tanh, z: Array, a: Array) -> Array:
        return a * a - 1.0

    assert deltarule("check", "xor").code == 0
    monkeypatch.setattr(Tanh, "derivative", reversed_sign)
    result = deltarule("check", "xor", "--json")
    assert (result.code, result.json["ok"], result.json["gradient"]["ok"]) == (1, False, False)


def test_a_fault_is_code_1(deltarule: Command, digits_model: Path) -> None:
    model = load(digits_model)
    model.network.parameters.vector[:] *= 0.0
    save(model, "empty.safetensors")
    result = deltarule("check", "empty.safetensors", "--json")
    assert (result.code, result.json["ok"], result.json["gradient"]["ok"]) == (1, False, True)


def test_a_run_is_checked_with_or_without_its_model(deltarule: Command) -> None:
    assert deltarule("train", "xor", "--epochs", "5", "--run", "kept").code == 0
    assert deltarule("check", "kept", "--json").json["gradient"]["ok"]
    Path("kept", "model.safetensors").unlink()
    result = deltarule("check", "kept", "--json")
    assert (result.json["kind"], result.json["gradient"]) == ("network", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.py"], "a program must exist: got net.py; did you mean 'nett.py'?"),
        (["programs"], "got programs, which holds 2; name one of "),
        (["nothing-in-it"], "got nothing-in-it, which holds none; use  deltarule check network.py"),
        (["xor", "--run"], "--run and --no-train are for programs: got xor, which is not a .py"),
        (["nett.py", "--data", "digits"], "--data, --target and --set are for networks"),
        (["nobody"], "a recipe was expected: got nobody"),
        (["table.csv"], "a model is a .safetensors file, or the folder of a run: got table.csv (CSV)"),
    ],
)
def test_what_cannot_be_checked_is_code_2(deltarule: Command, arguments: list[str], message: str) -> None:
    for path in ("nett.py", "programs/one.py", "programs/two.ipynb", "nothing-in-it/x.csv", "table.csv"):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text("1,2,3\n", encoding="utf-8")
    code, out, err = deltarule("check", *arguments)
    assert (code, out) == (2, "")
    assert message in err.replace("\n", " ")


@pytest.mark.parametrize("name", ["net.py", "NET.PY", "a.ipynb", "post.md", "post.txt", "only"])
def test_a_program_is_checked_as_the_options_say(
    deltarule: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Path("only").mkdir()
    path = Path("only", "it.py") if name == "only" else Path(name)
    path.write_text("x = 1", encoding="utf-8")
    given = {}

    def check_program(path: Path, **how: bool) -> SimpleNamespace:
        given[path] = how
        facts = {"to_json_dict": lambda: {"kind": "program"}, "to_text": lambda width: f"{width} wide"}
        return SimpleNamespace(ok=not how["run"], **facts)

    monkeypatch.setattr("deltarule.cli.check.check_program", check_program)
    result = deltarule("check", name, "--json")
    assert (result.code, result.json, given) == (0, {"kind": "program"}, {path: {"run": False, "train": True}})
    assert deltarule("check", name, "--run", "--no-train").code == 1
    assert given == {path: {"run": True, "train": False}}


def test_its_earlier_names_are_not_listed(deltarule: Command) -> None:
    overview = deltarule("--help").out
    for name in ("gradcheck", "diagnose"):
        assert name not in overview
        assert deltarule(name, "xor", "--json").json == deltarule("check", "xor", "--json").json
    assert "diagnose" not in deltarule("diagnos").err.partition("Known:")[2]


def test_a_poor_result_names_check_and_a_good_one_does_not(deltarule: Command) -> None:
    poor = deltarule("train", "linear", "--data", "digits", "--epochs", "1", "--learning-rate", "1e-6")
    assert "deltarule check model.safetensors" in poor.out
    good = deltarule("train", "linear", "--data", "digits", "--out", "good.safetensors")
    assert "deltarule check" not in good.out


def test_a_run_that_diverged_names_the_command_that_says_why(deltarule: Command) -> None:
    result = deltarule("train", "xor", "--learning-rate", "1e9", "--set", "network.hidden=3")
    (command,) = re.findall("^next +deltarule (check .*)", result.err, re.MULTILINE)
    changes = ("--set", "network.hidden=3", "--set", "training.schedule.rate=1000000000.0")
    assert shlex.split(command) == ["check", "xor", *changes]
    assert deltarule(*shlex.split(command), "--json").json["kind"] == "network"
