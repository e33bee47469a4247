"""A backward function alone, called with right z, a and weights where the program's forward pass does not reach it.

The layers are as many as its arguments count; the activations are those with which most of it is right.
"""

import ast
import re
from collections.abc import Iterator
from itertools import product

import numpy as np

from deltarule.learn.activations import RELU, SIGMOID, SOFTMAX, TANH, Sigma
from deltarule.learn.bank import Bank, UnfilledError
from deltarule.learn.calm_chance import calm_chance
from deltarule.learn.examples import SmallBatch, forms
from deltarule.learn.matching import SeenError, Session, Trial
from deltarule.learn.namespace import carry_out
from deltarule.learn.recording import Event, InitialParameter, RunRecorder, Where
from deltarule.learn.verdict import verdict
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
    recorder, bank = RunRecorder(session.tape.places), Bank(form)
    run = Trial("alone", form, recorder)
    where = Where(node.lineno, "", node.name, "", False, session.program.place(node.lineno))
    outputs = form.X
    for index, kind in enumerate(kinds):
        matrix, bias = parameters(index, form)
        weighted = outputs @ matrix + bias
        outputs = kind.value(weighted)
        given = {"w": matrix, "b": bias[None], "z": weighted, "a": outputs}
        for letter, array in given.items():
            lying = array.T.copy() if form.is_columns else array.copy()
            bank.known[f"{letter}{index + 1}"] = lying
            if letter in "wb":
                path = f"{letter.upper() if letter == 'w' else letter}{index + 1}"
                recorder.starts.append(
                    InitialParameter(path, "weights" if letter == "w" else "biases", where, lying, lying.copy())
                )
            else:
                recorder.events.append(Event(len(recorder.events), where, f"{letter.upper()}{index + 1}", lying.copy()))
    bank.results["output"] = bank.known[f"a{len(kinds)}"]
    n_given = len(recorder.events)
    with calm_chance():
        session.tape.recorder = recorder
        supplied = {each: form.value(each)[1] for each in session.program.free if form.value(each)[0]}
        try:
            run.space = carry_out(session.twin, supplied)
            del recorder.events[n_given:]
            function = run.space.get(name)
            if function is not None:
                session.call(run, name, function, bank)
        except (UnfilledError, SeenError):
            pass
        finally:
            session.tape.recorder = None
    if run.called and (run.error is None or len(recorder.events) > n_given):
        run.verdict = verdict(recorder.events, recorder.starts, form.batches()[:1], lambda event, z: None, 0.1)
    return run


def parameters(l: int, form: SmallBatch) -> tuple[Array, Array]:
    """W (fan_in, fan_out) and b of a layer."""
    rng, shape = generator(l, "rehearsal"), form.sizes[l : l + 2]
    return rng.normal(0.0, 1.0 / np.sqrt(shape[0]), shape), rng.normal(0.0, 0.3, shape[1])
