"""What comes of code in a process of its own: results, limits, and every way in which it can end."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.learn.sandbox import MOST_PRINTED, Apart, attempt, run_apart

posix_only = pytest.mark.skipif(os.name != "posix", reason="limits and signals as POSIX has them")
INSIDE = '''
import os, signal, subprocess, sys
from deltarule.learn.sandbox import attempt, tell

def do(source):
    """Carry out some code, as a learner's function would be called."""
    print("printed")
    tell("part", {"before": len(os.listdir())})
    done = attempt(f"do({source[:9]})", exec, source, {"os": os, "sys": sys}, seconds=5)
    return [done.error and done.error.says, done.printed, os.environ["OPENBLAS_NUM_THREADS"]]

def fail():
    raise KeyError("ours")
'''


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Apart]:
    (tmp_path / "inside_a_child.py").write_text(INSIDE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def run(source: str, **limits: Any) -> Apart:
        return run_apart("inside_a_child:do", {"source": source}, **limits)

    return run


def test_a_result_comes_back_from_an_empty_folder_without_input(apart: Callable[..., Apart]) -> None:
    source = "print('x'); os.system('echo y'); open('left', 'w').close(); input()"
    done = apart(source)
    assert (done.ended, done.parts) == ("returned", [{"before": 0}])
    assert done.value == ["EOFError: EOF when reading a line", "x\n", "1"]
    assert not Path("left").exists()


@posix_only
@pytest.mark.parametrize(
    ("source", "ended", "says"),
    [
        ("os._exit(3)", "exit", "do(os._exit() ended the process with exit code 3"),
        ("os.abort()", "crash", "do(os.abort() crashed Python (SIGABRT"),
    ],
)
def test_a_process_that_ends_early_says_what_was_called(
    apart: Callable[..., Apart], source: str, ended: str, says: str
) -> None:
    done = apart(source)
    assert (done.ended, done.parts) == (ended, [{"before": 0}])
    assert done.says.startswith(says)


@posix_only
def test_what_never_returns_is_ended_with_what_it_started(apart: Callable[..., Apart], tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    source = (
        "import signal, subprocess; signal.pthread_sigmask(0, [signal.SIGALRM])\n"
        f"writer = os.open({str(pipe)!r}, os.O_WRONLY); os.write(writer, b'open')\n"
        "subprocess.Popen([sys.executable, '-c', 'while True: pass'], pass_fds=[writer])\n"
        "while True: pass"
    )
    done = apart(source, seconds=1.0)
    assert (done.ended, done.says) == ("time", "do(import si) did not return within 1 s")
    assert os.read(reader, 10) == b"open"
    assert os.read(reader, 10) == b""  # which is the end, and an error while one of them has it open
    os.close(reader)


@posix_only
def test_too_much_memory_is_refused(apart: Callable[..., Apart]) -> None:
    done = apart("x = bytearray(10 ** 9)", megabytes=500)
    assert done.value is not None
    assert done.value[0] == "MemoryError"


def test_an_error_of_ours_is_told(apart: Callable[..., Apart]) -> None:
    done = run_apart("inside_a_child:fail", {})
    assert done.ended == "error"
    assert "KeyError: 'ours'" in done.says


def test_an_attempt_catches_what_a_function_raises_prints_and_warns() -> None:
    def function(x: float) -> None:
        print("a" * 2 * MOST_PRINTED)
        warnings.warn("careful", stacklevel=1)
        with np.errstate(over="warn"):
            np.exp(np.array([1e4]))
        raise SystemExit(x)

    done = attempt("function", function, 2.0)
    assert done.error is not None
    assert (done.error.says, done.error.file) == ("SystemExit: 2.0", __file__)
    assert [each.message for each in done.warned] == ["careful", "overflow encountered in exp"]
    assert done.printed == "a" * MOST_PRINTED


@posix_only
def test_an_attempt_gives_up_even_what_catches_everything() -> None:
    def function() -> None:
        for _ in range(3):
            try:
                while True:
                    pass
            except BaseException:
                print("caught")

    done = attempt("function", function, seconds=0.05)
    assert done.error is None or done.error.kind == "OutOfTime"
    assert done.printed == "caught\n" * 3


@posix_only
def test_what_took_too_long_once_gets_a_tenth_of_the_time() -> None:
    def wait() -> None:
        while True:
            pass

    messages = [done.error and done.error.message for done in (attempt("wait", wait, seconds=0.2) for _ in range(2))]
    assert messages == ["it did not return within 0.2 s", "it did not return within 0.02 s"]


def test_a_key_that_interrupts_is_not_caught() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt("interrupt", interrupt)
