"""Programs that print, leave files, exit or hold no function: a check ends, says so, and changes nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deltarule.learn.check import ProgramCheck, check_program

Checked = Callable[[str], ProgramCheck]

NETWORK = """
import os
import numpy as np

def init_params():
    W1, b1 = np.random.randn(5, 7), np.random.randn(5, 1)
    W2, b2 = np.random.randn(3, 5), np.random.randn(3, 1)
    return W1, b1, W2, b2

def forward_prop(W1, b1, W2, b2, X):
    {}
    Z1 = W1.dot(X) + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2.dot(A1) + b2
    E = np.exp(Z2 - Z2.max(axis=0))
    A2 = E / E.sum(axis=0)
    return Z1, A1, Z2, A2

def back_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    dZ2 = A2 - np.eye(3)[Y].T
    dW2 = dZ2.dot(A1.T) / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T.dot(dZ2) * (Z1 > 0)
    dW1 = dZ1.dot(X.T) / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2

m = len(open("a file that is not here").read())
"""


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Checked:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")

    def check(source: str) -> ProgramCheck:
        (tmp_path / "net.py").write_text(source, encoding="utf-8")
        found = check_program(tmp_path / "net.py", train=False)
        assert capfd.readouterr() == ("", "")
        assert list(Path.cwd().iterdir()) == []
        assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "net.py"]
        return found

    return check


def test_a_program_that_prints_and_writes_files_is_checked_all_the_same(checked: Checked) -> None:
    found = checked(NETWORK.format("print(X); os.system('echo x'); open('left', 'w').write('x')"))
    assert found.ok, found.to_text()
    assert found.left_out == ("line 28 reads a file",)


@pytest.mark.skipif(os.name != "posix", reason="on other systems the exit code may differ")
def test_a_program_that_ends_its_process_is_named_with_the_function(checked: Checked) -> None:
    found = checked(NETWORK.format("os._exit(3)"))
    assert not found.ok
    assert any("forward_prop ended the process with exit code 3" in note for note in found.notes)


def test_a_program_without_functions_is_checked_without_an_error(checked: Checked) -> None:
    found = checked("x = 1\nprint(x)\n")
    assert (found.ok, found.matched) == (None, False)
    assert found.left_out == ("line 2 prints",)
