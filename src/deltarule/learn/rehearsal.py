"""A backward function alone, called with right z, a and weights where the program's forward pass does not reach it.

The layers are as many as its arguments count; the activations are those with which most of it is right.
"""

import ast
import re
from collections.abc import Iterator
from itertools import product

import numpy as np

from deltarule.learn.activations import RELU, SIGMOID, SOFTMAX, TANH, Sigma
from deltarule.learn.bank import Bank
from deltarule.learn.examples import SmallBatch, forms
from deltarule.learn.matching import Session, Trial
from deltarule.learn.recording import Event, InitialParameter, where_at
from deltarule.learn.roles import parameter_kind, plain
from deltarule.nn.arrays import Array
from deltarule.randomness import generator

WIDTHS = {1: (7, 3), 2: (7, 5, 3), 3: (7, 5, 11, 3), 4: (7, 5, 11, 13, 3)}


def rehearse(session: Session) -> Trial | None:
    """The best run of a backward function by itself; None where there is none that can be called so."""
    best: Trial | None = None
    for name in [each for each, role in session.functions.items() if role == "backward"]:
        block = session.program.functions[name]
        numbers = [int(each) for word in block.parameters for each in re.findall(r"[wza]_?(\d)$", word.casefold())]
        if not isinstance(block.node, ast.FunctionDef) or not numbers or max(numbers) not in WIDTHS:
            continue
        for run in rehearsals(session, name, block.node, WIDTHS[max(numbers)]):
            if run.verdict is not None and (best is None or run.score > best.score):
                best = run
    return best


def rehearsals(session: Session, name: str, node: ast.FunctionDef, sizes: tuple[int, ...]) -> Iterator[Trial]:
    """Runs with every layout, form of labels and pair of activations."""
    for form in forms(SmallBatch(sizes)):
        for hidden, output in product((RELU, SIGMOID, TANH), (SOFTMAX, SIGMOID)):
            run = rehearsal(session, name, node, form, [*[hidden] * (len(sizes) - 2), output])
            if run.error is None or run.recorder.events:
                yield run


def rehearsal(session: Session, name: str, node: ast.FunctionDef, form: SmallBatch, kinds: list[Sigma]) -> Trial:
    """One such run."""

    def alone(run: Trial) -> None:
        bank, outputs, events = Bank(form), form.X, run.recorder.events
        events.clear()
        where = where_at(session.program, node.lineno, node.name)
        for index, kind in enumerate(kinds):
            matrix, bias = parameters(index, form)
            weighted = outputs @ matrix + bias
            outputs = kind.value(weighted)
            for path, array in {"W": matrix, "b": bias[None], "Z": weighted, "A": outputs}.items():
                lying, path = array.T.copy() if form.is_columns else array.copy(), f"{path}{index + 1}"
                bank.known[plain(path)] = lying
                if role := parameter_kind(path):
                    run.recorder.starts.append(InitialParameter(path, role, where, lying, lying.copy()))
                else:
                    events.append(Event(len(events), where, path, lying.copy()))
        bank.results["output"] = bank.known[f"a{len(kinds)}"]
        if function := run.space and run.space.get(name):
            session.call(run, name, function, bank)

    return session.run(alone, form)


def parameters(l: int, form: SmallBatch) -> tuple[Array, Array]:
    """W (fan_in, fan_out) and b of a layer."""
    rng, shape = generator(l, "rehearsal"), form.sizes[l : l + 2]
    return rng.normal(0.0, 1.0 / np.sqrt(shape[0]), shape), rng.normal(0.0, 0.3, shape[1])
