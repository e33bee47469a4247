"""Values to pass to a learner's functions, chosen by the names of their arguments."""

import ast
import inspect
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.learn.examples import SmallBatch
from deltarule.learn.program import Program, name_of
from deltarule.learn.recording import InitialParameter, where_at
from deltarule.learn.roles import argument_of, first_row, number_in, parameter_kind, plain, role_of
from deltarule.learn.sandbox import Attempt, attempt
from deltarule.randomness import generator

DRAWS = re.compile(r"(rand\w*|normal|uniform|zeros|ones|full|empty)$")  # functions that take the shape of a new array
ERRORS = re.compile(r"(?i)d_?(a|z|out|y|l)|delta|grad|err|upstream")  # what a function for one layer passes back
WORDS = ("relu", "ReLU", "tanh", "sigmoid", "Sigmoid", "logistic")  # texts with which programs choose an activation


class UnfilledError(Exception):
    """Raised if a learner's function cannot be called: no value fits an argument, or the call raises."""


@dataclass
class Bank:
    """Chooses values for a learner's arguments by their names: from earlier results, else from the examples."""

    examples: SmallBatch
    is_constructor: bool = False
    starts: list[InitialParameter] = field(default_factory=list)  # initial parameters, with those drawn here
    program: Program | None = None
    known: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    network: Callable[[], Any] = lambda: None
    functions: dict[str, Any] = field(default_factory=dict)  # the program's own functions, by role
    names: dict[str, Any] = field(default_factory=dict)  # what the module has defined
    called: Collection[str] = ()  # names that the program calls
    words: tuple[str, str] = ("sigmoid", "")  # with which the program chooses activations: of hidden layers, of outputs

    def can_fill(self, function: Any) -> bool:
        """Whether there is a value for every argument that a call of the function needs."""
        try:
            self.arguments(function)
        except UnfilledError:
            return False
        return True

    def arguments(self, function: Any) -> tuple[list[Any], dict[str, Any]]:
        """The positional and keyword arguments for a call. Defaults are kept, except for epochs, the rate and so on."""
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError) as error:
            raise UnfilledError(str(error)) from error
        given, words = list[Any](), dict[str, Any]()
        free = iter((*self.examples.sizes, 1, 1, 1))
        kinds = {argument_of(each.name) for each in parameters}
        role = "" if self.is_constructor else role_of(getattr(function, "__name__", ""))
        counts = self.counts(function)
        takes_data = not self.is_constructor and role != "init" and not kinds & {"n_hidden", "sizes"}
        for each in parameters:
            if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
                continue
            fits, value = self.value(each.name)
            value = own if callable(value) and callable(own := self.value_passed(function, each.name)[1]) else value
            if each.name in counts and argument_of(each.name) in ("X", "Y", "y_flat"):
                fits, value = True, self.examples.sizes[0 if each.name == counts[0] else -1]
            if argument_of(each.name) in ("pairs", "test_pairs") and kinds & {"Y", "y_flat"}:
                fits, value = True, self.examples.given_inputs
            is_size = argument_of(each.name) in ("n_in", "n_out") and isinstance(value, int)
            if takes_data and is_size and not each.name.startswith("n"):
                fits, value = self.value("x" if argument_of(each.name) == "n_in" and "X" not in kinds else "target")
            if self.is_constructor and each.name.startswith("inp") and not kinds & {"Y", "y_flat", "pairs"}:
                fits, value = (True, self.examples.sizes[0]) if kinds & {"n_hidden", "n_out"} else (fits, value)
            if not fits and "X" in kinds and not self.starts:
                self.draw_parameters([other.name for other in parameters], ast.unparse(self.body(function)))
                fits, value = self.value(each.name)
            outputs, wanted = self.results.get("output", ()), self.examples.given_y
            is_error = role == "backward" and (not fits or "grad" in each.name)
            is_error = is_error and (hasattr(function, "__self__") or bool(ERRORS.match(each.name)))
            if is_error and np.shape(outputs) == np.shape(wanted):
                fits, value = True, outputs - wanted  # dC/da of squared error
            has_default = each.default is not each.empty
            chosen = ("epochs", "alpha", "batch_size", *(("cost_flag", "X", "Y") if each.default is None else ()))
            if has_default and not (fits and argument_of(each.name) in chosen):
                continue
            if not fits:
                fits, value = self.guess(function, each.name, kinds)
            if not fits:
                if not self.is_constructor:
                    raise UnfilledError(f"nothing fits the argument {each.name}")
                value = self.words[0] if "act" in each.name.casefold() else next(free)
            elif self.is_constructor and isinstance(value, int) and argument_of(each.name).startswith("n_"):
                next(free)
            if has_default or each.kind is each.KEYWORD_ONLY:
                words[each.name] = value
            else:
                given.append(value)
        return given, words

    def guess(self, function: Any, name: str, kinds: set[str]) -> tuple[bool, Any]:
        """Whether the code shows what an unknown argument holds, and a value. kinds: of all; data are added."""
        fits, value = self.value_passed(function, name)
        text, sizes = ast.unparse(self.body(function)), self.examples.sizes
        if fits or not (self.is_constructor or role_of(getattr(function, "__name__", "")) == "train"):
            return fits, value
        if self.is_constructor:
            is_middle = re.search(rf"\] \+ (list\()?{name}\b|\b{name} \+ \[|\*{name}\b", text)
            is_list = is_middle or re.search(rf"len\((self\.)?{name}\)|\b{name}\[", text)
            return bool(is_list), list(sizes[1:-1] if is_middle else sizes)
        if re.search(rf"\brange\((\d+, )?{name}\b", text):
            return self.examples.value("epochs")
        missing = [kind for kind in ("X", "Y") if not kinds & {kind, "pairs", "y_flat" if kind == "Y" else kind}]
        kinds |= {*missing[:1]}
        return self.examples.value(missing[0].casefold()) if missing else (False, None)

    def value_passed(self, function: Any, name: str) -> tuple[bool, Any]:
        """Whether some call in the program passes a value for an argument, and it: a constant, or ours for a name."""
        own, places = getattr(function, "__name__", ""), [*inspect.signature(function).parameters]
        for call in self.program.nodes if self.program and own else ():
            if isinstance(call, ast.Call) and name_of(call.func) == own:
                passed = dict(zip(places, call.args, strict=False)) | {each.arg: each.value for each in call.keywords}
                part = passed.get(name, ast.Pass())
                if isinstance(self.names.get(name_of(getattr(part, "func", part))), type):  # a layer
                    return (made := attempt(name, eval, ast.unparse(part), self.names)).error is None, made.value
                fits, value = False, self.names.get(name_of(part))
                with suppress(ValueError):
                    value = ast.literal_eval(part) if value is None else value
                items = value if isinstance(value, list | tuple) else [] if value is None else [value]
                if items and all(isinstance(each, int | float | str) or callable(each) for each in items):
                    fits = not isinstance(value, int) or not self.is_constructor or value == 1  # other sizes are primes
                elif argument_of(name_of(part)):
                    fits, value = self.examples.value(name_of(part), is_constructor=self.is_constructor)
                if fits:
                    return True, value
        return False, None

    def counts(self, function: Any) -> list[str]:
        """The arguments of a function or constructor that are sizes of arrays in its code, as h is in zeros((1, h))."""
        body = self.body(function)
        calls = [each for each in ast.walk(body) if isinstance(each, ast.Call) and DRAWS.search(ast.unparse(each.func))]
        shapes = [part for call in calls for each in call.args for part in (each, *getattr(each, "elts", ()))]
        sizes = set(map(ast.unparse, shapes))
        return [each for each in inspect.signature(function).parameters if each in sizes]

    def body(self, function: Any) -> ast.AST:
        """The syntax tree of a function, a method or a class's constructor; that of an empty module if it has none."""
        name, known = getattr(function, "__name__", ""), self.program
        block = known and (known.classes.get(name) or known.functions.get(name))
        nodes = ast.walk(block.node) if block else known.nodes if known else ()
        bodies = [each for each in nodes if isinstance(each, ast.FunctionDef)]
        return next((each for each in bodies if each.name in ("__init__" if block else name, name)), ast.parse(""))

    def attempt(self, what: str, function: Any, seconds: float = 1.0) -> Attempt:
        """Call a function with values for its arguments; return the outcome. UnfilledError if a value is missing."""
        given, words = self.arguments(function)
        return attempt(what, function, *given, seconds=seconds, **words)

    def value(self, name: str) -> tuple[bool, Any]:
        """Whether there is a value for an argument of this name, and the value: an earlier result, or an example."""
        key = plain(name)
        if key in self.known:
            return True, copy_of(self.known[key])
        is_function = name in self.called or (not self.is_constructor and "derivative" in role_of(name))
        if is_function and role_of(name) in self.functions:
            return True, self.functions[role_of(name)]
        longer = [each for each in self.known if len(key) >= 4 and each.startswith(key) and each[-1:].isalpha()]
        if longer:
            return True, copy_of(self.known[longer[0]])
        for pattern, result in (("param", "init"), ("cache", "forward"), ("grad", "backward"), ("memory", "forward")):
            if pattern in key and result in self.results:
                return True, self.results[result]
        if "init" in self.results and (role_of(name) == "init" or first_row("results", key) == "parameters"):
            return True, self.results["init"]
        is_last = key[:1] == "a" and key[1:].isdigit() and f"z{key[1:]}" in self.known
        if "output" in self.results and (is_last or first_row("results", key) == "output"):
            return True, self.results["output"]
        if not self.is_constructor and is_network(key):
            network = self.network()
            return network is not None, network
        fits, value = self.examples.value(name, is_constructor=self.is_constructor)
        if not fits and "act" in key and key.endswith("s") and self.words[1]:  # one for each layer
            n_layers = sum(each.kind == "weights" for each in self.starts) or len(self.examples.sizes) - 1
            return True, [self.words[0]] * (n_layers - 1) + [self.words[1]]
        return fits, value

    def take(self, node: Any, name: str, value: Any) -> None:
        """Keep what a function returned (`value`) under the names in its return statement. node: its syntax tree."""
        role = role_of(name)
        self.results.setdefault(role, value)
        returns = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value is not None]
        names = (
            [ast.unparse(each) for each in returns[-1].elts] if returns and isinstance(returns[-1], ast.Tuple) else []
        )
        if isinstance(value, tuple | list) and len(names) == len(value):
            self.known |= {plain(each.rpartition(".")[2]): part for each, part in zip(names, value, strict=True)}
            dicts = {each: part for each, part in zip(names, value, strict=True) if isinstance(part, dict)}
            named = [each for each in dicts if len(dicts) == 1 or "cache" in each or "grad" in each]
            self.results[role] = dicts[named[-1]] if named else self.results[role]
        elif returns and isinstance(returns[-1], ast.Name) and argument_of(returns[-1].id) != "X":  # x = layer(x)
            self.known[plain(returns[-1].id)] = value
        parts = [value, *(value if isinstance(value, tuple | list) else ())]
        for part in parts:
            if isinstance(part, dict):
                self.known |= {plain(str(key)): each for key, each in part.items()}
        if role == "forward":
            arrays = [each for each in parts if isinstance(each, np.ndarray)]
            arrays = [each for each in arrays if self.examples.sizes[-1] in each.shape] or arrays
            if arrays:
                is_first = bool(names) and plain(names[0]) in ("al", "a2", "a3", "yhat", "output")
                self.results["output"] = arrays[0 if is_first else -1]

    def draw_parameters(self, names: Sequence[str], code: str = "") -> None:
        """Draw weights and biases for a function's arguments (`names`, used in `code`), or the keys that are read."""
        if self.program is None:
            return
        slices = [each.slice for each in self.program.nodes if isinstance(each, ast.Subscript)]
        keys = [each.value for each in slices if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        is_given = any(map(parameter_kind, names))
        is_vector = self.examples.is_single and not self.examples.is_columns
        for kind in ("weights", "biases"):
            own = [each for each in dict.fromkeys(names if is_given else keys) if parameter_kind(each) == kind]
            own.sort(key=lambda each: number_in(each) or 0)
            is_layer = code and not any(re.search(rf"\b{each}(\[|\.items)|(in|len\() ?{each}\b", code) for each in own)
            if len(own) < 2 and not any(map(number_in, own)) and not is_layer:
                continue
            sizes = (*self.examples.sizes[: len(own)], self.examples.sizes[-1])
            for layer, name in enumerate(own):
                rng, shape = generator(len(self.starts), "drawn"), sizes[layer : layer + 2]
                array = rng.normal(0.0, 0.5, shape if kind == "weights" else shape[1:] if is_vector else (1, shape[1]))
                is_left = is_vector and re.search(rf"(dot|matmul)\({name},|\b{name} ?(@|\.dot)", self.program.text)
                self.known[plain(name)] = array.T.copy() if self.examples.is_columns or is_left else array
                array = self.known[plain(name)].copy()
                self.starts.append(InitialParameter(name, kind, where_at(self.program, 1), array, array))
        if keys and not is_given:
            self.results["init"] = {each: self.known[plain(each)] for each in keys if plain(each) in self.known}


def copy_of(value: Any) -> Any:
    """A copy of an array, since functions may change their arguments; other values as they are."""
    return value.copy() if isinstance(value, np.ndarray) else value


def is_network(name: str) -> bool:
    """Whether an argument of this name is the network itself."""
    return bool(re.fullmatch("(my|the)?(nn|net|network|model|neuralnet(work)?|mlp)", plain(name)))


def words_in(program: Program) -> tuple[str, str]:
    """The texts with which a program chooses activations: of hidden layers, and of outputs if it compares texts."""
    texts = {each.value for each in program.nodes if isinstance(each, ast.Constant)}
    compares = [each for each in program.nodes if isinstance(each, ast.Compare)]
    compared = {getattr(part, "value", None) for each in compares for part in each.comparators}
    outputs = ("softmax", "Softmax", *WORDS[3:]) if "log(1" not in program.text.replace(" ", "") else WORDS[3:]
    hidden, other = [each for each in WORDS if each in texts], "sigmoid" if compared & {*WORDS} else ""
    return next(iter(hidden), "sigmoid"), next((each for each in outputs if each in compared), other)
