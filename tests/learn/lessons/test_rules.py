"""Cheating scores 0: by the rules that look at the file, and without them by what the comparison sees."""

import ast
import tomllib
from pathlib import Path

import numpy as np
import pytest

from deltarule.learn.lessons import course
from deltarule.learn.lessons.course import Mark, examine, read_file
from deltarule.learn.lessons.exercises import find_step, says, steps, whole_solution
from deltarule.learn.lessons.questions import draw_all
from deltarule.learn.lessons.rules import refusals
from deltarule.learn.lessons.worker import Worker

CHEATS = tomllib.loads(Path(__file__).with_name("cheats.toml").read_text(encoding="utf-8"))["cheat"]
by_title = pytest.mark.parametrize("cheat", CHEATS, ids=[cheat["title"].replace(" ", "-") for cheat in CHEATS])


def mark(cheat: dict[str, str], folder: Path, worker: Worker, *, has_rules: bool) -> Mark:
    path = folder / "network.py"
    path.write_text(f"import numpy as np\n\n{cheat['code']}\n", encoding="utf-8")
    file = read_file(path)
    file = file if has_rules else file._replace(refused=[])
    return examine(find_step(cheat.get("step", "sigmoid")), file, worker, draw_all(np.random.default_rng()))


@pytest.fixture(autouse=True)
def _little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "SECONDS", 0.3)


def test_there_are_more_than_thirty_cheats() -> None:
    assert len(CHEATS) > 30


@by_title
def test_a_cheat_is_met_as_the_list_says(cheat: dict[str, str], tmp_path: Path, worker: Worker) -> None:
    found = mark(cheat, tmp_path, worker, has_rules=True)
    assert found.state == ("wrong" if cheat["met"] == "results" else "refused")
    assert found.fault is not None
    if cheat["met"] != "results":
        sentence = says(f"refused.{cheat['met']}", name="\0").split("\0")
        assert all(part in found.fault.says for part in sentence)
        assert found.fault.line > 1


@by_title
def test_a_cheat_scores_0_even_without_the_rules(cheat: dict[str, str], tmp_path: Path, worker: Worker) -> None:
    if cheat["title"] == "open the solutions":
        cheat = cheat | {"code": cheat["code"].replace("def", "assert text\n\ndef")}
    assert mark(cheat, tmp_path, worker, has_rules=False).state in ("wrong", "to do")


def test_a_cheat_in_one_function_costs_that_step_alone(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "network.py"
    path.write_text(whole_solution() + "\n\ndef relu(z):\n    return open('relu.txt')\n", encoding="utf-8")
    marks = course.examine_all(steps()[:3], read_file(path), worker)
    assert [each.state for each in marks] == ["right", "refused", "right"]


def test_a_cheat_outside_of_the_steps_costs_all_of_them(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "network.py"
    path.write_text(whole_solution() + "\n\ndef mine(z):\n    return open('relu.txt')\n", encoding="utf-8")
    assert {each.state for each in course.examine_all(steps(), read_file(path), worker)} == {"refused"}


@pytest.mark.parametrize(
    "code",
    [
        "import numpy\nimport math\nfrom numpy import exp\nfrom itertools import pairwise",
        "import numpy.random as r\nrng = r.default_rng(0)\nnp.random.seed(1)",
        "class Net:\n    def __init__(self):\n        self.W = 0\n    def run(self, z):\n        self.W += z",
        "def f(z: np.ndarray) -> np.ndarray:\n    '''A dunder__name.'''\n    return z.data.T",
        "if __name__ == '__main__':\n    print(np.linalg.norm([1.0]), f'{1:.2f}')",
        "with np.errstate(over='ignore'):\n    x = np.exp(1000)\nf = lambda z: np.where(z > 0, z, 0)",
    ],
)
def test_honest_code_is_not_refused(code: str) -> None:
    assert refusals(ast.parse(f"import numpy as np\n{code}")) == []
