"""The process that runs a learner's file. It imports nothing of deltarule, and returns plain numbers.

`Worker` starts this file by its path, so that nothing of deltarule is imported here. It reads requests from stdin: the
source of a file, and calls of its functions. On Linux, each request gets its own process, forked in milliseconds from
this warm one; elsewhere, this process handles one request and ends.

The parent receives types, shapes and numbers. No mark can be forged here: the parent draws the inputs, knows the right
results, and compares.
"""

import builtins
import importlib
import io
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import numpy as np

MODULES = {"numpy", "numpy.random", "numpy.linalg", "numpy.typing", "math", "itertools", "functools", "collections"}
MODULES |= {"collections.abc", "typing", "__future__"}
# Built-in names that no exercise needs.
NAMES = {"eval", "exec", "compile", "open", "input", "breakpoint", "getattr", "setattr", "delattr", "globals", "locals"}
NAMES |= {"vars", "dir", "id", "help", "memoryview", "exit", "quit", "copyright", "credits", "license", "__import__"}
HEADER = struct.Struct("<IQ")  # the sizes in bytes: of a message's JSON, of its arrays
MOST_ITEMS = 10_000  # of a list that a function returns
MOST_PRINTED = 500  # characters of what a call prints


def sigmoid(z: Any) -> Any:
    """1 / (1 + e^-z)."""
    return 1.0 / (1.0 + np.exp(-z))


# The activations that exercises pass to functions, with their derivatives.
FUNCTIONS: dict[str, Any] = {"sigmoid": sigmoid, "tanh": np.tanh, "silu": lambda z: z * sigmoid(z)}
PRIMES: dict[str, Any] = {
    "sigmoid": lambda z: sigmoid(z) * (1.0 - sigmoid(z)),
    "tanh": lambda z: 1.0 - np.tanh(z) ** 2,
    "silu": lambda z: sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z))),
}


class Special(NamedTuple):
    """An argument that is not a number. kind: "function", "prime", "own" or "rng".

    name: by kind, a key of FUNCTIONS, a key of PRIMES, a function of the learner's file, or [seed, stream] of a random
    generator: arguments with the same seed and stream share one generator.
    """

    kind: str
    name: Any


def pack(value: Any, arrays: list[bytes]) -> Any:
    """A value ready for JSON; the bytes of its arrays are added to `arrays`. Of other types only the name is sent."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is Special:
        return {value.kind: value.name}
    if kind in (list, tuple):
        return {"list": [pack(each, arrays) for each in value[:MOST_ITEMS]]}
    is_scalar = isinstance(value, np.generic) and kind.__module__ == "numpy"
    if (kind is np.ndarray or is_scalar) and value.dtype.kind in "biufc":
        arrays.append(np.ascontiguousarray(value).tobytes())
        return {"dtype": value.dtype.str, "shape": list(value.shape)}
    return {"other": f"{kind.__name__} of {value.dtype}" if kind is np.ndarray else kind.__name__}


class Other(NamedTuple):
    """A result of another type than numbers, arrays, lists and None; only the type's name is sent."""

    name: str


def unpack(packed: Any, data: io.BytesIO) -> Any:
    """The value that was given to `pack`. data: the bytes of its arrays, which are copied."""
    if not isinstance(packed, dict):
        return packed
    if "list" in packed:
        return [unpack(each, data) for each in packed["list"]]
    if "dtype" in packed:
        dtype, shape = np.dtype(packed["dtype"]), packed["shape"]
        content = data.read(dtype.itemsize * int(np.prod(shape, dtype=np.int64)))
        return np.frombuffer(content, dtype).reshape(shape).copy()
    ((kind, name),) = packed.items()
    return Other(name) if kind == "other" else Special(kind, name)


def frame(head: dict[str, Any], value: Any = None) -> bytes:
    """A message as bytes: `head` and `value` as JSON, then the bytes of the arrays in `value`."""
    arrays: list[bytes] = []
    text = json.dumps(head | {"value": pack(value, arrays)}).encode()
    return b"".join([HEADER.pack(len(text), sum(map(len, arrays))), text, *arrays])


def write(stream: BinaryIO, message: bytes) -> None:
    """Write a message to a stream, and flush it."""
    stream.write(message)
    stream.flush()


def read_frame(stream: BinaryIO) -> dict[str, Any]:
    """Read the next message of a stream, with its value unpacked. EOFError if there is none."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    n_text, n_data = HEADER.unpack(header)
    message: dict[str, Any] = json.loads(stream.read(n_text))
    message["value"] = unpack(message["value"], io.BytesIO(stream.read(n_data)))
    return message


def real(argument: Any, namespace: dict[str, Any], generators: dict[Any, Any]) -> Any:
    """The actual argument for a call: a Special becomes its function or generator, and arrays are copied."""
    if isinstance(argument, list):
        return [real(each, namespace, generators) for each in argument]
    if not isinstance(argument, Special):
        return argument.copy() if isinstance(argument, np.ndarray) else argument
    if argument.kind == "rng":
        key = tuple(argument.name)
        return generators.setdefault(key, np.random.default_rng(key[0]))
    table = {"function": FUNCTIONS, "prime": PRIMES, "own": namespace}[argument.kind]
    return table[argument.name]


def without_functions(argument: Any) -> Any:
    """The arrays of an argument, in the same nested lists; all other items become None."""
    if isinstance(argument, list):
        return [without_functions(each) for each in argument]
    return argument if isinstance(argument, np.ndarray) else None


def line_of(error: BaseException, file: str) -> int:
    """The last line of the learner's file that an error passed through; 0 if it passed through none."""
    line = error.lineno or 0 if isinstance(error, SyntaxError) and error.filename == file else 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def limit(megabytes: int, seconds: float) -> None:
    """Limit this process's memory and processor time, and forbid it to write files, if the system has such limits."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process


def safe_builtins() -> dict[str, Any]:
    """Python's built-in names without those in NAMES, and with an `__import__` that allows only MODULES."""
    original = builtins.__import__

    def import_module(name: str, *args: Any, **kwargs: Any) -> Any:
        if name not in MODULES and not (name.startswith("numpy.") and name in sys.modules):  # NumPy's own imports pass
            raise ImportError(f"{name} is not allowed in an exercise")
        return original(name, *args, **kwargs)

    return {name: value for name, value in vars(builtins).items() if name not in NAMES} | {"__import__": import_module}


class Runner:
    """Loads a learner's file and calls its functions. What Python's audit hooks report meanwhile is refused."""

    def __init__(self, file: str, *, is_watched: bool) -> None:
        self.file, self.is_watched, self.is_guarded, self.printed = file, is_watched, False, io.StringIO()
        self.namespace: dict[str, Any] = {"__name__": "network", "__builtins__": safe_builtins()}
        self.generators: dict[Any, Any] = {}
        sys.stdout = sys.stderr = self.printed
        sys.modules.pop("__main__", None)  # this file
        sys.addaudithook(self._refuse)

    def _refuse(self, event: str, args: tuple[Any, ...]) -> None:
        if self.is_guarded and event not in ("exec", "builtins.id"):  # loading and printing need these
            raise PermissionError(f"{event} is not allowed in an exercise")

    def attempt(self, act: Callable[[], bytes | None], *, loading: bool = False) -> bytes | None:
        """Call `act` with the guard on; return its result, or the message about the error that it raises."""
        self.is_guarded = True
        try:
            return act()
        except BaseException as error:
            words = str(error)[:500] if type(error).__module__.partition(".")[0] in ("builtins", "numpy") else ""
            self.is_guarded = False  # reading a traceback needs what the guard refuses
            return self._error_frame(type(error).__name__, words, error, loading)
        finally:
            self.is_guarded = False

    def _error_frame(self, kind: str, words: str, error: BaseException, loading: bool) -> bytes:
        facts = {"error": kind, "words": words, "line": line_of(error, self.file), "loading": loading}
        return frame(facts | {"printed": self.printed.getvalue()[:MOST_PRINTED]})

    def load(self, source: str, supplied: str) -> bytes | None:
        """Run a file's source, then replace its functions by those of `supplied`; return a message about an error."""
        try:
            code = compile(source, self.file, "exec")
        except (SyntaxError, ValueError) as error:
            return self._error_frame("SyntaxError", str(error), error, loading=True)
        failure = self.attempt(lambda: exec(code, self.namespace), loading=True)  # noqa: S102 - what this is for
        ours: dict[str, Any] = {}
        exec(compile(supplied, "supplied", "exec"), ours)  # noqa: S102 - solutions of earlier steps
        self.namespace |= {name: ours[name] for name in self.namespace.keys() & ours if callable(ours[name])}
        return failure

    def call(self, name: str, given: list[Any]) -> bytes:
        """Call a function of the file; return a message: its result, its output, whether it changed arguments."""
        arguments = real(given, self.namespace, self.generators)
        kept = without_functions(arguments) if self.is_watched else []
        before = frame({}, kept)
        self.printed.seek(0)
        self.printed.truncate()
        result = self.namespace[name](*arguments)
        return frame({"changed": before != frame({}, kept), "printed": self.printed.getvalue()[:MOST_PRINTED]}, result)


def answer(request: dict[str, Any], stream: BinaryIO) -> None:
    """Load a file, make the calls, and write a message for each; if it does not load, write only one with the error."""
    limit(request["megabytes"], request["seconds"])
    runner = Runner(request["file"], is_watched=request["watched"])
    if failure := runner.load(request["source"], request["supplied"]):
        write(stream, failure)
        return
    write(stream, frame({"loaded": True}))
    for name, given in request["value"]:
        is_there = callable(runner.namespace.get(name))
        reply = runner.attempt(partial(runner.call, name, given)) if is_there else frame({"missing": name})
        write(stream, reply or b"")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Read and answer requests until there are no more, each in a fork; except on Linux, answer one and return."""
    for module in MODULES:  # now, since later the guard refuses to read their files
        importlib.import_module(module)
    np.seterr(all="ignore")
    np.random.default_rng(0).permutation(3)
    np.ones((2, 2)) @ np.ones((2, 2))
    write(answers, frame({"ready": True}))
    while True:
        try:
            request = read_frame(requests)
        except EOFError:
            return
        if sys.platform != "linux":  # where a fork is slow, forbidden, or unsafe
            answer(request, answers)
            return
        process = os.fork()
        if process == 0:
            try:
                answer(request, answers)
            finally:
                os._exit(0)
        write(answers, frame({"end": os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}))


if __name__ == "__main__":
    streams = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    serve(*streams)
