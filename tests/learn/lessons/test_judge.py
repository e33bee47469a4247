"""Solutions pass, every wrong answer is named, and other results are described by how they differ."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.learn.lessons.course import Mark, examine, examine_all, read_file
from deltarule.learn.lessons.exercises import Exercise, find_step, repairs, steps, template, whole_solution
from deltarule.learn.lessons.judge import ALIKE, difference, results
from deltarule.learn.lessons.questions import asks_of, draw_all
from deltarule.learn.lessons.worker import Worker
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network, loss_and_gradient

Check = Callable[[Exercise, str], Mark]
Array = np.ndarray


@pytest.fixture
def check(tmp_path: Path, worker: Worker) -> Check:
    def mark(exercise: Exercise, code: str) -> Mark:
        (tmp_path / "network.py").write_text(code, encoding="utf-8")
        return examine(exercise, read_file(tmp_path / "network.py"), worker, draw_all(np.random.default_rng()))

    return mark


def said(mark: Mark) -> str:
    return "" if mark.fault is None else mark.fault.says


def test_there_are_sixteen_steps_and_twelve_repairs() -> None:
    assert [len(steps()), len(repairs())] == [16, 12]
    assert all(len(step.hints) == 3 and len(step.wrong) >= 5 for step in steps())


def test_the_solutions_are_right(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "network.py"
    path.write_text(whole_solution(), encoding="utf-8")
    assert {each.state for each in examine_all(steps(), read_file(path), worker)} == {"right"}


def test_the_template_is_still_to_do(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "network.py"
    path.write_text(template(), encoding="utf-8")
    assert {each.state for each in examine_all(steps(), read_file(path), worker)} == {"to do"}


@pytest.mark.parametrize("step", steps(), ids=[step.id for step in steps()])
def test_every_wrong_answer_is_named(step: Exercise, check: Check) -> None:
    for wrong in step.wrong:
        mark = check(step, f"{template()}\n\n{step.solution}\n\n{wrong.code}")
        assert mark.state == "wrong"
        assert said(mark) == wrong.says


@pytest.mark.parametrize("step", steps(), ids=[step.id for step in steps()])
def test_a_step_counts_by_itself_whatever_the_earlier_ones_are(step: Exercise, check: Check) -> None:
    assert check(step, f"{template()}\n\n{step.solution}").state == "right"


@pytest.mark.parametrize("repair", repairs(), ids=[repair.id for repair in repairs()])
def test_a_broken_network_is_broken_and_its_repair_is_right(repair: Exercise, check: Check) -> None:
    broken = check(repair, repair.stub)
    assert broken.state == "wrong"
    assert broken.fault is not None
    assert broken.fault.function in repair.faulty
    assert check(repair, repair.solution).state == "right"


def test_the_program_of_the_repairs_is_our_gradient() -> None:
    namespace: dict[str, object] = {"__name__": "program"}
    exec(repairs()[0].solution, namespace)
    rng = np.random.default_rng(4)
    network = Network((5, 4, 3), hidden="tanh", output="sigmoid", loss="quadratic", task="values", dtype=np.float64)
    X, T, (W1, W2), (b1, b2) = rng.normal(size=(7, 5)), rng.uniform(size=(7, 3)), network.weights, network.biases
    passed = namespace["forward"](X, W1, b1, W2, b2)  # type: ignore[operator]
    gradient = namespace["backward"](X, T, *passed, W2)  # type: ignore[operator]
    grads = loss_and_gradient(network, X, T)[1]
    expected = [grads.weights[0], grads.biases[0], grads.weights[1], grads.biases[1]]
    assert all(np.allclose(*pair) for pair in zip(gradient, expected, strict=True))
    assert np.isclose(namespace["loss"](passed[-1], T), Quadratic().value(passed[-1], T))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def sigmoid(z):\n    print(z)", "prints its result"),
        ("def sigmoid(z):\n    1 / (1 + np.exp(-z))", "returns nothing"),
        ("def sigmoid(z):\n    return (1 / (1 + np.exp(-z))).tolist()", "returns a list"),
        ("def sigmoid(z):\n    return 'a'", "returns a string"),
        ("def sigmoid(z):\n    return range(3)", "object of the type range"),
        ("def sigmoid(z):\n    return 1 / (1 + np.exp(-z + 0j))", "complex"),
        ("def sigmoid(z):\n    return (1 / (1 + np.exp(-z))).astype('float32')", "7 digits"),
        ("def sigmoid(z):\n    return (1 / (1 + np.exp(-z))).T", "transposed"),
        ("def sigmoid(z):\n    return (1 / (1 + np.exp(-z)))[0]", "has the shape"),
        ("def sigmoid(z):\n    return -1 / (1 + np.exp(-z))", "sign is reversed"),
        ("def sigmoid(z):\n    return 3 / (1 + np.exp(-z))", "3 times"),
        ("def sigmoid(z):\n    s = 1 / (1 + np.exp(-z))\n    s[2, 1] += 1\n    return s", "[2, 1] is"),
        (
            "def sigmoid(z):\n    s = 1 / (1 + np.exp(-z))\n    s[1, 2] = np.nan\n    return s",
            "NaN or infinity at [1, 2]",
        ),
        ("def sigmoid(z):\n    z[:] = 1 / (1 + np.exp(-z))\n    return z", "changes its own argument"),
        ("def sigmoid(z):\n    return zz", "NameError: name 'zz'"),
        ("def sigmoid():\n    return 1", "takes 0 positional arguments"),
        ("def sigmoid(z):\n    return sigmoid(z)", "RecursionError"),
        ("sigmoid = 3", "has no function sigmoid"),
        ("sigmoid = lambda z: -1 / (1 + np.exp(-z))", "sign is reversed"),
        ("", "has no function sigmoid"),
        ("def sigmoid(z):\n    return sigmoid", "returns a function, not its value"),
        ("def sigmoid(z):\n    return 1 / sigmoid", "used without its arguments"),
        ("x = undefined", "the file stops with NameError"),
        ("def sigmoid(z):\n    return 1 +\n", "cannot read the file"),
        ("x = '\0'", "cannot read the file"),
    ],
)
def test_other_results_are_described(code: str, words: str, check: Check) -> None:
    mark = check(find_step("sigmoid"), f"import numpy as np\n{code}")
    assert mark.state == ("to do" if "has no function" in words else "wrong")
    assert words in said(mark)


def test_a_name_that_the_file_lacks_is_not_supplied(check: Check) -> None:
    code = whole_solution().replace("import numpy as np", "import numpy")
    assert "np is not defined" in said(check(find_step("softmax"), code))
    assert "name 'forward_layer'" in said(check(find_step("forward"), f"import numpy as np\n{find_step('6').solution}"))


def test_a_half_done_step_says_what_is_missing(check: Check) -> None:
    half = "import numpy as np\ndef relu(z):\n    print('here')\n    return np.maximum(z, 0)\ndef {}(z):\n    {}\n"
    mark = check(find_step("relu"), half.format("relu_prime", "raise NotImplementedError"))
    assert (mark.state, mark.printed) == ("to do", "here\n")
    assert said(mark) == "relu is right; this one is missing: still to be written"
    renamed = check(find_step("relu"), half.format("relu_derivative", "return z > 0"))
    assert (renamed.state, said(renamed)) == (
        "wrong",
        "relu_prime is not in the file (found: relu_derivative): rename it",
    )


def test_a_fault_has_the_line_of_the_error_or_of_the_function(check: Check) -> None:
    for code, line in (
        ("def sigmoid(z):\n    s = z\n    return s[99, 99]", 4),
        ("\n\ndef sigmoid(z):\n    return z", 4),
        ("def f(:", 2),
    ):
        mark = check(find_step("sigmoid"), f"import numpy as np\n{code}")
        assert mark.fault is not None
        assert mark.fault.line == line


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        ([np.ones(2)], [np.ones(2), np.ones(3)], "1 results; 2 are needed: p and v"),
        (np.ones(3), [np.ones(2), np.ones(3)], "a single result; 2 are needed"),
        ([np.ones(2), np.ones(4)], [np.ones(2), np.ones(3)], "v: the result has the shape (4,)"),
        (np.ones(1), 1.0, "a single number is needed"),
        (2, 1.0, "the result is 2 and should be 1"),
        (True, 1.0, ""),
        ([np.ones(2), [1, 2]], [np.ones(2), np.ones(2)], "v: it returns a list"),
    ],
)
def test_structures_are_compared(found: object, expected: object, words: str) -> None:
    result = difference(found, expected, ["p", "v"])
    assert words in result
    assert bool(words) == bool(result)


def test_questions_are_drawn_anew_and_by_the_seed() -> None:
    drawn = [draw_all(np.random.default_rng(seed)) for seed in (1, 2, 1)]
    for step in steps():
        one, other, again = (str(asks_of(step, each)) for each in drawn)
        assert one == again
        assert one != other


def moved(value: Any, rng: np.random.Generator) -> Any:
    """An argument whose real numbers are another in the 13th digit."""
    if isinstance(value, list):
        return [moved(each, rng) for each in value]
    is_real = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value * (1.0 + 1e-13 * rng.normal(size=value.shape)) if is_real else value


def flat(value: Any) -> list[Any]:
    """The arrays and numbers that a result holds."""
    return [part for each in value for part in flat(each)] if isinstance(value, list | tuple) else [value]


def test_no_answer_hangs_on_the_last_digits() -> None:
    """Two sound programs add in other orders; of that, many large steps make a difference in the 8th digit."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        drawn = draw_all(rng)
        for step in steps():
            asked = [ask for ask in asks_of(step, drawn) if not step.views.get(ask.function)]
            other = [ask._replace(arguments=moved(ask.arguments, rng)) for ask in asked]
            for one, two in zip(flat(results("", asked)), flat(results("", other)), strict=True):
                scale = np.abs(one).max(initial=0.0)
                assert np.abs(np.subtract(one, two)).max(initial=0.0) <= ALIKE * scale, (step.id, seed)


def test_ordinary_numpy_runs(check: Check) -> None:
    code = """import numpy as np, math
def sigmoid(z):
    print(z, f"{z[0, 0]:.3f}", np.float64(2))
    np.random.seed(1); np.random.rand(2); np.random.default_rng().normal()
    np.linalg.norm(z); np.einsum("ij->i", z); np.exp(1e4); np.array([1.0]) / 0.0; np.round(z, 2); np.argsort(z)
    rows = [[math.exp(-x) for x in row] for row in z.tolist()]
    f = np.vectorize(lambda e: 1 / (1 + e))
    return np.apply_along_axis(f, 1, np.array(rows))
def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))
"""
    assert check(find_step("1"), code).state == "right"


def test_a_function_that_is_asked_twice_is_judged_by_both(check: Check) -> None:
    overflows = "def softmax(z):\n    e = np.exp(z)\n    return e / e.sum(axis=1, keepdims=True)"
    assert "overflows" in said(check(find_step("3"), f"import numpy as np\n{overflows}"))


def test_np_dot_and_the_operator_make_the_same_mistake(check: Check) -> None:
    for product in ("W @ a", "np.dot(W, a)", "np.matmul(W, a)"):
        code = f"def forward_layer(a, W, b, function):\n    z = {product} + b\n    return z, function(z)"
        assert "the batch comes first" in said(check(find_step("5"), f"import numpy as np\n{code}"))
