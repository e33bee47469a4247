"""Run a learner's program on a small batch: try each way to call its functions that the learner may have meant.

A program's own training function or method is preferred, since it calls the others correctly; else forward, loss,
backward and update are called one after another, with arguments matched by name.
"""

import ast
import re
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, islice, takewhile
from typing import Any

import numpy as np

from deltarule.learn.activations import SIGMOID, sigma_of
from deltarule.learn.bank import Bank, UnfilledError, is_network, words_in
from deltarule.learn.calm_chance import calm_chance
from deltarule.learn.examples import RATE, SmallBatch, forms, single_forms
from deltarule.learn.layers import chains
from deltarule.learn.namespace import Namespace, carry_out, value_by_name
from deltarule.learn.program import Loop, Program, name_of
from deltarule.learn.readings import n_weights, name_of_call, own_batches, own_sizes, readings
from deltarule.learn.recording import Event, RunRecorder, Tape, Where
from deltarule.learn.roles import argument_of, parameter_kind, plain, role_of
from deltarule.learn.sandbox import Failure, attempt
from deltarule.learn.verdict import Verdict, verdict
from deltarule.nn.arrays import Array

SKIPPED = ("reads a file", "draws", "prints")
MOST_SECONDS = 2.0  # for one way to run a program
MOST_BATCHES = 12  # of a program's own inputs and targets
MOST_SECONDS_TO_READ, LEAST_SECONDS_TO_READ = 1.5, 0.4  # for all runs together, but at least the second for each
MOST_DRAWS, FEW_EVENTS = 3, 60  # of weights, until every layer has outputs other than 0; fewer than a training step has
ABSENT = ("ModuleNotFoundError", "ImportError", "FileNotFoundError")  # errors for what is missing on this machine
ORDER = ("forward", "loss", "backward", "update")


@dataclass(eq=False)
class Trial:
    """One run of the program: how it was run, the examples, the recording, the calls, the error and the verdict."""

    how: str
    examples: SmallBatch
    recorder: RunRecorder
    error: Failure | None = None
    called: list[str] = field(default_factory=list)
    supplied: dict[str, str] = field(default_factory=dict)
    space: Namespace | None = None
    owner: Any = None
    verdict: Verdict | None = None
    is_cut: bool = False  # whether time was up before the right targets were found

    @property
    def score(self) -> tuple[int, int, int]:
        """How much of the program this run shows, higher is better: arrays right, arrays found, events if none."""
        right, _, seen = self.verdict.score if self.verdict else (0, 0, 0)
        return right, seen, len(self.recorder.events) if not seen else 0


Way = Callable[[Trial], None]


class SeenError(Exception):
    """Raised to end a run when enough of a training step is recorded."""


class Session:
    """A program instrumented for recording, which can be run repeatedly in several ways."""

    def __init__(self, program: Program, *, runs_all: bool = False) -> None:
        self.program, self.tape, self.runs_all = program, Tape(), runs_all
        self.runs, self.seconds_to_read = list[Trial](), MOST_SECONDS_TO_READ
        self.twin = self.tape.instrument(program)
        names = {each.arg for each in program.nodes if isinstance(each, ast.arg)} | set(program.constants)
        self.rate = RATE if any(argument_of(each) == "alpha" for each in names) else 0.0
        self.functions = {name: role_of(name.rpartition(".")[2]) for name in program.functions}
        calls = [name_of(each.func) for each in program.nodes if isinstance(each, ast.Call)]
        stores = [each for each in program.nodes if isinstance(each, ast.Assign)]
        self.called = {*calls, *(name_of(each.value) for each in stores if name_of(each.targets[0]) in calls)}
        self.words = words_in(program)
        self.methods = {
            name: [each.name for each in ast.walk(block.node) if isinstance(each, ast.FunctionDef)]
            for name, block in program.classes.items()
        }

    @cached_property
    def scripts(self) -> list[Program]:
        """The instrumented program with statements that train, but none that draw: with those that read files last."""
        rest = () if self.runs_all else SKIPPED
        return [self.tape.script(self.program, skipped=each) for each in (rest, rest[1:])]

    def best_run(self) -> Trial | None:
        """Run the program in several ways until one explains it; return the run that shows most, None if none ran."""
        ways: list[Way] = [partial(self.by_class, name=name) for name in self.class_names()]
        uses_numpy = any(name_of(each) in ("np", "numpy", "dot") for each in self.program.nodes)
        ways = [self.by_training, *ways, self.by_script, self.by_functions] if uses_numpy else [self.by_script]
        ways += [self.by_files] if self.called & {"open"} else []
        begun = time.process_time()
        for how in ways:
            found = self.in_every_form(how)
            self.runs += found
            seen = [run for run in found if is_complete(run) and sees(run, "update" if hasattr(how, "func") else "z")]
            is_late = time.process_time() - begun > MOST_SECONDS / 2
            if seen and (how == self.by_script or is_late or len(found) == 1 or any(map(is_explained, seen))):
                break
        return max(self.runs, key=preference, default=None)

    def class_names(self) -> list[str]:
        """The names of up to four classes that may be networks, those with a method that trains first."""
        roles = {name: {role_of(each) for each in methods} for name, methods in self.methods.items()}
        inner = {name: self.inner_classes(name) for name in roles}
        parts = {each for found in inner.values() for each in found}  # classes of layers: the network's comes before
        names = [name for name, found in roles.items() if found & {"forward", "backward", "train"} or inner[name]]
        return sorted(names, key=lambda name: ("train" not in roles[name], not inner[name], name in parts))[:4]

    def in_every_form(self, how: Way) -> list[Trial]:
        """Run the program by `how` with each layout and fitting sizes until one run is complete; return all runs."""
        runs, tried, waiting = list[Trial](), set[tuple[int, ...]](), [SmallBatch().sizes]
        begun = time.process_time()
        while waiting and time.process_time() - begun < MOST_SECONDS:
            tried.add(sizes := waiting.pop(0))
            first = single_forms(SmallBatch(sizes)) if "outer" in self.called else []  # of vectors it makes dC/dW
            for form in (*first, *forms(SmallBatch(sizes))):
                most = MOST_SECONDS / (2 if any(run.score[1] for run in runs) else 1)
                if runs and time.process_time() - begun > most:
                    break
                alike = [each for each in runs if each.examples.sizes == sizes and not each.examples.is_single]
                lying = {each.examples.is_columns: bool(each.score[1]) for each in alike}
                if len(lying) == 2 and not lying[form.is_columns] and any(lying.values()):
                    continue  # the program takes the other layout
                run = self.run(how, form)
                if run.called:
                    runs.append(run)
                fixed = [] if run.score[1] else own_sizes(run.recorder, run.examples.n)
                if fixed and sizes not in fixed and not tried.issuperset(fixed):
                    break  # the program has sizes of its own
                is_own = run.how == "by_script" and not run.supplied and "open" not in self.called  # not our data
                if (is_complete(run) and is_right(run)) or is_own:
                    if "loss" in self.functions.values() and sizes[-1] > 1 and not (is_own or sees(run, "loss")):
                        alone = (self.run(how, each) for each in forms(SmallBatch((*sizes[:-1], 1)))[:2])
                        return [next((each for each in alone if is_complete(each) and sees(each, "loss")), run)]
                    return [run]
            if any(is_complete(each) for each in runs):
                found = {each.verdict.run.step("delta").mistake for each in runs if each.verdict and is_complete(each)}
                if sizes[-1] == 1 or found != {"targets-not-one-hot"}:
                    break
                waiting = [(*sizes[:-1], 1)]  # the program may be for one output
                continue
            shapes = [re.search(r"into shape \((?:-?\d+,)?(\d\d+)\D", str(run.error)) for run in runs]
            waiting = [(int(each[1]), *sizes[1:]) for each in shapes[:1] if each and int(each[1]) != sizes[0]]
            is_lost = not any(run.score[1] and run.error is None for run in runs)  # the program may need other sizes
            own = [each for run in runs for each in own_sizes(run.recorder, run.examples.n)] if is_lost else []
            waiting = [each for each in dict.fromkeys([*waiting, *own]) if each not in tried][:2]
            if runs and all(each.error for each in runs) and len(tried) < 3:
                errors = [each.verdict.run.step("delta") for each in runs if each.verdict]  # delta of the outputs
                lines = "\n".join(self.program.line(run.error.line) for run in runs if run.error)
                ends = [int(each) for each in re.findall(r"shape == \((\d+),", lines)]  # the outputs in an assertion
                ends += [] if any(each.mistake not in ("?", "off") for each in errors) or {*own} - {*tried} else [1]
                waiting = [each for end in ends if (each := (*sizes[:-1], end)) not in tried] + waiting
        is_early = time.process_time() - begun < MOST_SECONDS / 2
        is_script = how in (self.by_script, self.by_files) and all(run.error for run in runs)  # it fails with any batch
        if runs and is_early and not is_script and not any(is_complete(each) for each in runs):
            best = max(runs, key=lambda run: run.score)
            sizes = next(iter(own_sizes(best.recorder, best.examples.n)), best.examples.sizes)
            runs += [run for form in single_forms(SmallBatch(sizes)) if (run := self.run(how, form)).called]
        return runs

    def run(self, how: Way, examples: SmallBatch, redrawn: Collection[Where] = (), draw: int = 0) -> Trial:
        """Run the program by the method `how`; return the judged run. redrawn: places with new random values."""
        recorder = RunRecorder(self.tape.places, redrawn=redrawn, draw=draw, runner=Session.run.__code__)
        run = Trial(getattr(how, "__name__", "by_class"), examples, recorder)
        with calm_chance(takes_numbers="argv" in self.program.text):
            self.tape.recorder = recorder
            self.tape.supplies = lambda name: examples.value(name)[1]
            try:
                run.space = self.space(examples, run)
                how(run)
            except SeenError:
                pass
            except UnfilledError as error:
                run.error = run.error or Failure("Unfilled", str(error))
            finally:
                self.tape.recorder = None
            if run.called:
                self.judge(run)
        layers = run.verdict.layers if run.verdict else ()
        is_dead = run.verdict is not None and not all(each.any() for each in run.verdict.run.a)  # as ReLUs may be
        if is_dead and draw < MOST_DRAWS:
            return max(run, self.run(how, examples, redrawn, draw + 1), key=lambda run: run.score)
        zeros = {each.biases.where for each in layers if each.biases is not None and not each.biases.value.any()}
        if zeros and not redrawn:  # with biases of 0, a forgotten bias would not show
            again = self.run(how, examples, zeros, draw)
            return again if again.verdict and len(again.verdict.layers) == len(layers) else run
        return run

    def judge(self, run: Trial) -> None:
        """Set the verdict of a run to that of the reading that explains most of its events."""
        begun = time.process_time()
        spare = self.read(run)
        run.is_cut = (seconds := time.process_time() - begun) > self.seconds_to_read
        self.seconds_to_read = max(LEAST_SECONDS_TO_READ, self.seconds_to_read - seconds)
        n_layers = len(run.verdict.layers) if run.verdict else 0
        if spare is not None and (not explains_outputs(run) or len(spare.layers) > n_layers):
            run.verdict = spare

    def read(self, run: Trial) -> Verdict | None:
        """Set the verdict of a run. Return a spare one, with all gradients but a wrong z or a, from another reading."""
        is_lost, spare = run.error is not None and len(run.recorder.events) < FEW_EVENTS, None
        begun = time.process_time()
        for way, reading in enumerate(readings(run.recorder.events, run.recorder.starts)):
            n_matrices = n_weights(reading[1])
            n_longest = len(next(iter(chains(reading[1])), []))
            is_broken = n_matrices > 1 and n_longest < 2  # no two layers follow each other
            if way and is_broken:
                continue
            own = islice(own_batches(reading), 0 if is_broken else MOST_BATCHES)
            is_whole = False
            for number, batches in enumerate(chain([run.examples.batches()], ([each] for each in own))):
                if (way or number) and time.process_time() - begun > self.seconds_to_read:
                    return spare
                found = None
                with suppress(ArithmeticError, IndexError, ValueError):  # arrays of shapes that fit no network
                    found = verdict(*reading, batches, caller(run), self.rate)
                if number and found and len(found.layers) < n_longest:
                    continue  # the outputs of a layer taken for inputs
                if found is None or (way and any(each.mistake for each in found.steps if each.quantity in ("z", "a"))):
                    spare = found if spare is None and found and has_gradients(found) else spare
                    continue  # an unlikelier reading has to be right in z and a
                if run.verdict is None or found.score > run.verdict.score:
                    run.verdict = found
                is_whole = run.verdict is not None and len(run.verdict.layers) >= n_matrices
                if is_whole and ((number == 0 and explains_outputs(run)) or (is_complete(run) and is_right(run))):
                    return spare
            if is_lost or (is_whole and sees(run, "delta")):
                return spare
        return spare

    def space(self, examples: SmallBatch, run: Trial) -> Namespace:
        """Execute the program's definitions; return its namespace, with our values for names it does not define."""
        supplied = {}
        for name in self.program.free:
            fits, value = examples.value(name)
            if fits:
                supplied[name] = value
                run.supplied[name] = argument_of(name)
        own = [each for each in self.program.free if each not in supplied and parameter_kind(each)]
        bank = Bank(examples, starts=run.recorder.starts, program=self.program)
        bank.draw_parameters(own) if own else None
        supplied |= {name: bank.known[plain(name)] for name in own if plain(name) in bank.known}
        is_whole = {"activation", "softmax"} & {*self.functions.values()}  # then a name is misspelled
        for name in filter(sigma_of, () if is_whole else {*self.program.free} & {*self.called} - {*supplied}):
            run.supplied[name] = role_of(name)
            supplied[name] = partial(value_by_name, name)
        return carry_out(self.twin, supplied | {"open": partial(examples.open, self.program.text)})

    def call(self, run: Trial, name: str, function: Any, bank: "Bank") -> Any:
        """Call a function of the program with arguments from the bank; return its result, raise if it fails."""
        given, words = bank.arguments(function)
        run.called.append(name)
        done = attempt(name, function, *given, **words)
        if done.error is not None and done.error.kind != "Enough":
            run.error = done.error
            raise UnfilledError(f"{name} raises {done.error.says}")
        if done.error is not None:
            raise SeenError
        return done.value

    def by_training(self, run: Trial) -> None:
        """Run the program by calling its training function; try the one that does most of a training step first."""
        if run.space is None:
            return
        names = [name for name, role in self.functions.items() if role == "train"]
        names.sort(key=lambda name: -self.calls_of(name))
        bank = self.bank(run)
        failed: UnfilledError | None = None
        for name in names:
            function = run.space.get(name)
            if function is None or not self.calls_of(name):
                continue
            run.error, failed = None, None
            try:
                self.call(run, name, function, bank)
            except UnfilledError as error:
                failed = error
            if failed is None or len(run.recorder.events) > 4 * len(run.recorder.starts) > 0:
                break
        if failed is not None and run.called:
            raise failed

    def network(self, run: Trial) -> Any:
        """Create an object of the network's class, as an argument for a function; None if that fails."""
        bank = self.bank(run, is_constructor=True)
        for name in self.class_names():
            kind = run.space.get(name) if run.space is not None else None
            if kind is not None and (self.inner_classes(name) or len(self.methods) == 1):
                with suppress(UnfilledError):
                    if (made := bank.attempt(name, kind)).error is None:
                        run.owner = made.value
                        return made.value
        return None

    def inner_classes(self, name: str) -> set[str]:
        """The program's other classes that the methods of a class refer to, such as those of its layers."""
        bodies = [each for each in self.program.classes[name].node.body if isinstance(each, ast.FunctionDef)]
        names = {each.id for body in bodies for each in ast.walk(body) if isinstance(each, ast.Name)}
        return names & set(self.program.classes) - {name}

    def bank(self, run: Trial, *, is_constructor: bool = False) -> Bank:
        """A new Bank of values for the arguments of the program's functions, methods and constructors."""
        bank = Bank(run.examples, is_constructor, run.recorder.starts, self.program, network=partial(self.network, run))
        bank.functions, bank.called, bank.words = self.given_functions(run), self.called, self.words
        bank.names = run.space.names if run.space is not None else {}
        return bank

    def given_functions(self, run: Trial) -> dict[str, Any]:
        """Functions to pass as arguments, by role: the program's activation and derivatives, else the sigmoid's."""
        names = {role: name for name, role in self.functions.items() if role in ("derivative", "loss_derivative")}
        same = [name for name, role in self.functions.items() if role == "activation"]
        same = [each for each in same if sigma_of(each) is sigma_of(names.get("derivative", each))]
        names |= {"activation": same[-1]} if same else {}
        found = {role: run.space.get(name) for role, name in names.items()} if run.space is not None else {}
        return {"activation": SIGMOID.value, "derivative": SIGMOID.slope} | found

    def calls_of(self, name: str) -> int:
        """A score for how much of a training step a function does: 2 by part that it calls, 1 for matrix products."""
        block = self.program.functions[name]
        called = {name_of(each.func) for each in ast.walk(block.node) if isinstance(each, ast.Call)}
        roles = {self.functions.get(each, "") or role_of(each) for each in called} & {"init", "loss", *ORDER}
        trains = any(self.functions.get(each) == "train" for each in called - {name.rpartition(".")[2]})
        is_start = (trains and not block.parameters) or any(map(is_network, block.parameters))
        return 2 * len(roles) + (block.products >= 2) or int(is_start)

    def by_functions(self, run: Trial) -> None:
        """Run the program by calling its init, forward, loss, backward and update functions one after another."""
        if run.space is None:
            return
        bank = self.bank(run)
        for role in ("init", *ORDER):
            names = [each for each, other in self.functions.items() if other == role]
            for name in names:
                function = run.space.get(name)
                if function is None:
                    continue
                if role == "init" and not bank.can_fill(function):
                    bank.is_constructor = True
                starts = run.recorder.starts[:]
                try:
                    bank.take(self.program.functions[name].node, name, self.call(run, name, function, bank))
                    made = run.recorder.starts[len(starts) :]
                    again = {each.name for each in made}  # created anew by a second function
                    run.recorder.starts[:] = [*(each for each in starts if each.name not in again), *made]
                except UnfilledError:
                    if run.error is not None and role in ("forward", "backward") and name == names[-1]:
                        raise
                    run.error = run.error if role == "update" else None  # its arguments were a guess
                bank.is_constructor = False

    def by_class(self, run: Trial, name: str) -> None:
        """Run the program by creating a network of the class `name`, and training it as `train_object` does."""
        kind = run.space.get(name) if run.space is not None else None
        if kind is None:
            return
        bank = self.bank(run, is_constructor=True)
        network = self.call(run, name, kind, bank)
        bank.is_constructor = False
        self.train_object(run, name, network, bank)

    def train_object(self, run: Trial, name: str, network: Any, bank: Bank) -> None:
        """Train a network by its own method, else call its forward, loss, backward and update three times."""

        def own(method: str) -> Any:
            is_private = method.startswith("__") and not method.endswith("__")
            return getattr(network, f"_{name}{method}" if is_private else method, None)

        run.owner = network
        trainers = [each for each in self.methods[name] if role_of(each) == "train"]
        inside = ast.walk(self.program.classes[name].node)
        nodes = {each.name: each for each in inside if isinstance(each, ast.FunctionDef)}
        inner = {name_of(part) for each in trainers for part in ast.walk(nodes[each]) if name_of(part) != each}
        for each in sorted(trainers, key=lambda each: ("batch" in each, each in inner)):
            method = own(each)
            if callable(method) and bank.can_fill(method):
                try:
                    self.call(run, f"{name}.{each}", method, bank)
                    return
                except UnfilledError:
                    if run.error is None or run.error.kind not in ABSENT:
                        raise
                    run.error = None  # its data are missing here: train step by step
        for role in ORDER * 3:  # enough steps to see which parameters never change
            roles = (role, "loss_derivative") if role == "backward" else (role,)  # cost_prime gives dC/dW
            for each in [method for method in self.methods[name] if role_of(method) in roles]:
                method = own(each)
                if callable(method) and bank.can_fill(method):
                    bank.take(nodes[each], each, self.call(run, f"{name}.{each}", method, bank))

    def by_files(self, run: Trial) -> None:
        """Run the program as `by_script` does, with its statements that read files."""
        self.by_script(run, self.scripts[1])

    def by_script(self, run: Trial, script: Program | None = None) -> None:
        """Run the program by executing its top-level statements, except those that read files, draw or print."""

        def value_for(name: str) -> Any:
            kind = run.supplied[name] = argument_of(name)
            own = [each.value for each in run.recorder.events if each.where.is_store and argument_of(each.name) == "Y"]
            if kind == "n_out" and own and own[-1].ndim == 2:
                return own[-1].shape[1]  # as many as its own targets have
            return run.examples.value(name)[1]

        run.recorder.events.clear()
        run.recorder.starts.clear()
        self.tape.supplies = value_for
        free = {name: run.examples.value(name, is_constructor=True) for name in self.program.free}
        free |= {"open": (True, partial(run.examples.open, self.program.text))}
        run.space = carry_out(script or self.scripts[0], {name: value for name, (fits, value) in free.items() if fits})
        if run.recorder.events:
            run.called.append("the statements of the module")
        for each in takewhile(lambda each: each.failure.kind != "Enough", run.space.failed):
            lines = range(each.statement.lineno, (each.statement.end_lineno or 0) + 1)
            inside = [event for event in run.recorder.events if event.lines[-1] in lines]
            is_round = isinstance(each.statement, Loop) and not any(n for event in inside for _, n in event.rounds[:1])
            if inside and (is_round or inside[-1] is run.recorder.events[-1]):  # in its first round, or last of all
                run.error = run.error or each.failure


def is_complete(run: Trial) -> bool:
    """Whether a run ended without an error, and z and dC/dW of every layer were found."""
    return run.verdict is not None and run.error is None and has_gradients(run.verdict)


def has_gradients(found: Verdict) -> bool:
    """Whether a verdict includes z and dC/dW of every layer."""
    quantities = {(each.quantity, each.layer) for each in found.steps if each.is_found}
    n = len(found.layers)
    return all(("z", l) in quantities and ("dW", l) in quantities for l in range(n)) and bool(n)


def sees(run: Trial | None, quantity: str) -> bool:
    """Whether the judgement of a run reached a kind of array, such as "loss" or "delta"."""
    return run is not None and run.verdict is not None and any(each.quantity == quantity for each in run.verdict.steps)


def explains_outputs(run: Trial) -> bool:
    """Whether some delta of a run is right, or has a named mistake."""
    steps = run.verdict.steps if run.verdict is not None else ()
    return any(each.quantity == "delta" and each.mistake not in ("?", "off") for each in steps)


def preference(run: Trial) -> tuple[bool, int, tuple[int, int, int]]:
    """A sort key for runs, higher is better: whether complete with an update, then fewer mistakes, then the score."""
    steps = run.verdict.steps if run.verdict is not None and is_complete(run) else ()
    wrong = {each.mistake for each in steps if each.mistake and each.quantity != "loss"}
    n_wrong = len(wrong - {"off"}) + 2 * sum(each.mistake == "off" for each in steps)  # which have no explanation
    is_whole = run.verdict is not None and len(run.verdict.layers) >= n_weights(run.recorder.starts)
    if is_whole and (any(each.quantity == "update" for each in steps) or wrong - {"off", "?"}):
        return True, -n_wrong, run.score
    return False, 0, run.score


def is_right(run: Trial) -> bool:
    """Whether all arrays that were found in a run are right."""
    return run.verdict is not None and not any(step.mistake for step in run.verdict.steps if step.is_found)


def is_explained(run: Trial) -> bool:
    """Whether a run is right, or has a single named mistake, except one in the targets, since these may be ours."""
    steps = run.verdict.steps if run.verdict is not None else ()
    wrong = {each.mistake for each in steps if each.mistake}
    has_update = any(each.quantity == "update" for each in steps)
    return is_right(run) or (has_update and len(wrong) == 1 and not re.match(r"off|\?|targets", min(wrong)))


def caller(run: Trial) -> Callable[[Event, Array], Array | None]:
    """A function (event, z) that returns the event's function at z, (n, neurons), or None if it cannot be called."""

    def call(event: Event, z: Array) -> Array | None:
        name = name_of_call(event.where.text)
        if (
            run.space is None
            or not name
            or name.startswith(("np.", "numpy."))
            or role_of(name.rpartition(".")[2]) == "derivative"
        ):
            return None
        function = run.space.get(name) if not name.startswith("self.") else getattr(run.owner, name[5:], None)
        if function is None or not callable(function) or isinstance(function, np.ufunc):
            return None
        given = z if not run.examples.is_columns else z.T
        done = attempt(name, function, given.copy())
        value = np.asarray(done.value) if isinstance(done.value, np.ndarray) else None
        if done.error is not None or value is None or value.shape != given.shape:
            return None
        return value if not run.examples.is_columns else value.T

    return call
