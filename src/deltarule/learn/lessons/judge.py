"""What is wrong with a function's results: one of the common wrong answers, by name, or how they differ."""

import copy
import re
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from deltarule.learn.lessons.child import Other, real
from deltarule.learn.lessons.exercises import Exercise, read_table, says, whole_solution
from deltarule.learn.lessons.questions import VIEWS, Ask
from deltarule.learn.lessons.worker import Replies
from deltarule.nn.arrays import Array

ALIKE, SINGLE = 1e-9, 1e-5  # relative to the largest number: equal, and equal as far as float32 goes
PRODUCT = re.compile(r"(\d+) \(dim \d\) != (\d+) \(dim|size (\d+) is different from (\d+)")  # errors of np.dot and @
Message = dict[str, Any]


class Fault(NamedTuple):
    """What is wrong with a function. line: in the learner's file, or 0. is_half: the step's other function is right."""

    function: str
    says: str
    line: int = 0
    is_named: bool = False
    is_to_do: bool = False
    is_half: bool = False


def find_fault(step: Exercise, questions: list[Ask], replies: Replies, seconds: float) -> Fault | None:
    """The fault of the first wrong function, a common wrong answer before any other; None if all are right."""
    faults, right = list[Fault](), list[str]()
    for name in dict.fromkeys(question.function for question in questions):
        places = [n for n, question in enumerate(questions) if question.function == name]
        asked, got = [questions[n] for n in places], replies.messages[places[0] : places[-1] + 1]
        if len(got) < len(asked):
            faults.append(Fault(name, says(f"missing.{replies.missing}", seconds=f"{seconds:g}")))
            break
        fault = fault_of(step, name, asked, got)
        faults, right = (faults, [*right, name]) if fault is None else ([*faults, fault], right)
    first = min(faults, key=lambda fault: not fault.is_named, default=None)
    if first is not None and first.is_to_do and right:
        first = first._replace(is_half=True, says=says("result.half", right=right[0], words=first.says))
    return first


def fault_of(step: Exercise, name: str, asked: list[Ask], got: list[Message]) -> Fault | None:
    """What is wrong with one function, from its questions (`asked`) and the replies (`got`); None if it is right."""
    if "missing" in got[0]:
        return Fault(name, says("result.missing", name=name), is_to_do=True)
    right = [each.expected for each in asked] if "right" in step.asks[0] else results(step.solution, asked)
    view = VIEWS.get(step.views.get(name, ""))
    words = next(filter(None, (fault_words(step, *each, view is None) for each in zip(got, right, strict=True))), "")
    values = [error_key(message) if "error" in message else message["value"] for message in got]
    if view and not words:
        facts = view(values, asked)
        words = next((says(f"{step.views[name]}.{fact}") for fact, is_true in facts.items() if not is_true), "")
    if not words:
        return None
    line = next((message["line"] for message in got if "error" in message), 0)
    for wrong in step.wrong:
        mistaken = results(wrong.code, asked)
        both = [values, mistaken]
        if view and not any(isinstance(each, str) for each in [*values, *mistaken]):
            both = [list(view(each, asked).values()) for each in both]
        if are_same(*both) and not (are_same(mistaken, right) and view is None):
            return Fault(name, wrong.says, line, is_named=True)
    return Fault(name, words, line, is_to_do=words == says("result.to_do"))


def fault_words(step: Exercise, message: Message, right: Any, is_compared: bool) -> str:
    """What is wrong with the reply to one call, in words: an error, no result, a difference; "" if nothing is."""
    if "error" in message:
        text, causes = message["error"] + message["words"], read_table("sentences.toml")["causes"]
        key = next((key for word, key in causes.items() if word in text), "error")
        return says(f"result.{key}", kind=message["error"], words=message["words"].rstrip(".") or "...")
    if message["value"] is None:
        return says("result.printed" if message["printed"] else "result.none")
    if is_compared and (different := difference(message["value"], right, list(step.gives))):
        return different
    return says("result.changed") if message["changed"] and not step.is_in_place_fine else ""


def are_same(one: Any, other: Any) -> bool:
    """Whether two results have the same structure, the same shapes and, up to rounding, the same numbers or NaN."""
    if any(isinstance(each, str | Other | None) for each in (one, other)):
        return type(one) is type(other) and bool(one == other)
    if isinstance(one, list | tuple) or isinstance(other, list | tuple):
        both = isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other)
        return both and all(map(are_same, one, other))
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape or first.dtype.kind not in "biuf" or second.dtype.kind not in "biuf":
        return False
    scale = np.abs(second[np.isfinite(second)]).max(initial=0.0)
    return bool(np.allclose(first.astype(float), second.astype(float), rtol=0.0, atol=ALIKE * scale, equal_nan=True))


@cache
def compiled(code: str) -> CodeType:
    """The code of one of our answers, compiled once."""
    return compile(code, "wrong answer", "exec")


def results(code: str, asked: list[Ask]) -> list[Any]:
    """The results of our own code for these questions, run after all solutions; `error_key` where a call raises."""
    namespace: dict[str, Any] = {}
    found, generators = [], dict[Any, Any]()
    with np.errstate(all="ignore"):
        for part in (whole_solution(), code):
            exec(compiled(part), namespace)  # noqa: S102 - ours, from the package
        for question in asked:
            try:
                arguments = real(copy.deepcopy(question.arguments), namespace, generators)
                found.append(namespace[question.function](*arguments))
            except (ArithmeticError, LookupError, NameError, TypeError, ValueError) as error:
                found.append(error_key({"error": type(error).__name__, "words": str(error)}))
    return found


def error_key(message: Message) -> str:
    """A text to compare errors by: the sizes in a matrix product that does not fit, else the type and the message."""
    if sizes := PRODUCT.search(message["words"]):
        return f"sizes {sorted(filter(None, sizes.groups()))}"
    return f"{message['error']}: {message['words']}"


def difference(found: Any, expected: Any, names: list[str], where: str = "") -> str:
    """How a result differs from the right one, in words; "" if it does not. names: of a list's items."""
    if isinstance(expected, list | tuple):
        return list_difference(found, list(expected), names, where)
    if isinstance(found, list | Other | str | None):
        key = "list" if isinstance(found, list) else "text" if isinstance(found, str) else "other" if found else "none"
        name = found.name if isinstance(found, Other) else ""
        return where + says("result.uncalled" if name in ("function", "ufunc") else f"result.{key}", name=name)
    array, right = np.asarray(found), np.asarray(expected)
    if array.dtype.kind == "c":
        return where + says("result.complex")
    if array.shape != right.shape:
        is_transposed = array.ndim == 2 and array.T.shape == right.shape
        key = "number" if not right.shape else "transposed" if is_transposed else "shape"
        return where + says(f"result.{key}", shape=array.shape, right=right.shape)
    return where + words if (words := number_difference(array.astype(float), right.astype(float))) else ""


def list_difference(found: Any, expected: list[Any], names: list[str], where: str) -> str:
    """How a list of results differs from the right one, in words; "" if it does not. names: of its items."""
    if isinstance(found, np.ndarray) and found.ndim > 0:
        found = list(found) if len(found) == len(expected) and names else found
    if not isinstance(found, list) or len(found) != len(expected):
        got = says("result.several", n=len(found)) if isinstance(found, list) else says("result.single")
        return where + says(
            "result.count", got=got, n=len(expected), names=" and ".join(names) or says("result.layers")
        )
    for n, (each, right) in enumerate(zip(found, expected, strict=True)):
        place = f"{names[n]}: " if names else f"{where.removesuffix(': ')}, layer {n}: "
        if words := difference(each, right, [], place):
            return words
    return ""


def number_difference(array: Array, right: Array) -> str:
    """How numbers differ from the right ones, in words: by a factor, a sign, or the first place; "" if they do not."""
    if not np.isfinite(array).all():
        return says("result.not_finite", place=place_of(~np.isfinite(array)))
    scale = np.abs(right).max(initial=0.0)
    far = np.abs(array - right) > ALIKE * scale
    if not far.any():
        return ""
    if (np.abs(array - right) <= SINGLE * scale).all():
        return says("result.single_precision")
    factor = float((array * right).sum() / max((right * right).sum(), np.finfo(float).tiny))
    if factor and right.size > 1 and np.allclose(array, factor * right, rtol=0.0, atol=ALIKE * scale * abs(factor)):
        return says("result.sign") if abs(factor + 1.0) < ALIKE else says("result.factor", factor=f"{factor:.5g}")
    index = tuple(np.argwhere(far)[0]) if right.shape else ()
    values = {"found": f"{array[index]:.5g}", "right": f"{right[index]:.5g}"}
    return says("result.value", place=place_of(far), n=int(far.sum()), size=right.size, **values)


def place_of(mask: Array) -> str:
    """The index of the first True in a mask, as text, such as "[0, 3]"; "it" for a single number."""
    return str([int(i) for i in np.argwhere(mask)[0]]) if mask.shape else says("result.it")
