"""Train a correct program on the bundled digits for a few seconds, with its own function or method."""

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.data.catalog import load_data
from deltarule.learn.bank import Bank, UnfilledError
from deltarule.learn.examples import SmallBatch
from deltarule.learn.matching import Session, Trial
from deltarule.learn.namespace import carry_out
from deltarule.learn.roles import argument_of, role_of
from deltarule.learn.verdict import Verdict
from deltarule.nn.arrays import Array

N_TRAIN, N_TEST, HIDDEN, RATE = 800, 400, 32, 0.5


@dataclass(frozen=True)
class Digits(SmallBatch):
    """Bundled digits in the layout that a program takes. first, length: which samples. epochs: how long to train."""

    first: int = 0
    length: int = N_TRAIN
    epochs: int = 2

    @property
    def n(self) -> int:
        """The number of samples."""
        return self.length

    @cached_property
    def X(self) -> Array:  # noqa: N802  # mathematics
        """The pixels, (n, 784), from 0 to 1."""
        rows = load_data("digits").train.inputs[self.first : self.first + self.length]
        return np.asarray(rows, float).reshape(len(rows), -1) / 255.0

    @cached_property
    def y(self) -> Array:
        """The class of each sample, (n,)."""
        return np.asarray(load_data("digits").train.targets[self.first : self.first + self.length])

    def value(self, name: str, *, is_constructor: bool = False) -> tuple[bool, Any]:
        """Whether there is a value for an argument of this name, and the value; this sets epochs, rate, batch size."""
        kind = argument_of(name)
        chosen = {"epochs": self.epochs, "alpha": RATE, "batch_size": 20}
        return (True, chosen[kind]) if kind in chosen else super().value(name, is_constructor=is_constructor)


def accuracy_of(session: Session, run: Trial, seconds: float) -> float | None:
    """The accuracy on held-out digits after training; None if the program cannot be trained this way."""
    begun, verdict = time.process_time(), run.verdict
    if verdict is None or run.how not in ("by_training", "by_class") or not verdict.layers:
        return None
    fixed = [layer.W.shape for layer in verdict.layers]
    is_fixed = fixed[0][0] == 784
    sizes = (784, *(out for _, out in fixed[:-1]), 10) if is_fixed else (784, *[HIDDEN] * (len(fixed) - 1), 10)
    if is_fixed and fixed[-1][1] != 10:
        return None
    digits = Digits(sizes, run.examples.is_columns, run.examples.labels)
    parameters, best = arrays_after_training(session, run, digits, 1.0), None
    spent = max(time.process_time() - begun, 1e-3)
    if parameters is not None:
        best = share_right(verdict, parameters, digits)
        epochs = int(2 * 0.7 * (seconds - spent) / spent)
        more = (
            arrays_after_training(session, run, replace(digits, epochs=epochs), seconds - spent) if epochs > 2 else None
        )
        best = best if more is None else share_right(verdict, more, digits)
    return best


def arrays_after_training(session: Session, run: Trial, digits: Digits, seconds: float) -> list[Array] | None:
    """Train the program on digits; return all float arrays of the network or the result, None if training fails."""
    space = carry_out(session.program, {name: digits.value(name)[1] for name in session.program.free})
    bank, name = Bank(digits, is_constructor=run.how == "by_class"), run.called[0]
    method = run.called[-1].rpartition(".")[2]
    try:
        done = bank.attempt(name, space.get(name), seconds if run.how == "by_training" else 1.0)
        if run.how == "by_training" or done.error or role_of(method) != "train":
            return None if done.error or run.how == "by_class" else list(arrays_of(done.value))
        bank.is_constructor = False
        trained = bank.attempt(method, getattr(done.value, method), seconds)
        is_over = trained.error is None or trained.error.kind == "OutOfTime"
        return list(arrays_of(vars(done.value))) if is_over else None
    except UnfilledError:
        return None


def arrays_of(value: Any, depth: int = 4) -> Any:
    """The float arrays in nested lists, tuples, dicts and objects, in order."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield value
    elif depth and isinstance(value, dict | list | tuple) and len(value) < 1000:
        for each in value.values() if isinstance(value, dict) else value:
            yield from arrays_of(each, depth - 1)
    elif depth and hasattr(value, "__dict__"):
        yield from arrays_of(vars(value), depth - 1)


def share_right(verdict: Verdict, arrays: list[Array], digits: Digits) -> float | None:
    """The accuracy on test digits with the first arrays that fit each layer as W and b; None if a W is missing."""
    test = replace(digits, first=N_TRAIN, length=N_TEST)
    a, left, fan_in = test.X, list(arrays), 784
    for layer, kind, fan_out in zip(verdict.layers, verdict.run.kinds, digits.sizes[1:], strict=True):
        shape = (fan_out, fan_in) if layer.is_out_first else (fan_in, fan_out)
        W = next((each for each in left if each.shape == shape), None)
        if W is None:
            return None
        left = [each for each in left if each is not W]
        b = (
            next((each for each in left if each.size == fan_out), np.zeros(fan_out))
            if layer.biases
            else np.zeros(fan_out)
        )
        left = [each for each in left if each is not b]
        a, fan_in = kind.value(a @ (W.T if layer.is_out_first else W) + b.ravel()), fan_out
    return float((a.argmax(axis=1) == test.y).mean())
