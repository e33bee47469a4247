"""The command line as a whole, much of it in processes of its own: help, pipes, colors, Ctrl-C."""

import gzip
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.cli import app
from deltarule.cli.printing import print_json
from deltarule.errors import DISTRIBUTION
from deltarule.files.model_file import load, save
from deltarule.files.run_folder import three_steps
from deltarule.native import build
from deltarule.native.loader import instructions
from deltarule.nn.network import Network

Command = Callable[..., Any]
PROGRAM = [sys.executable, "-m", "deltarule"]
COMMANDS = [
    "train",
    "evaluate",
    "predict",
    "explain",
    "check",
    "learn",
    "plot",
    "playground",
    "export",
    "recipes",
    "data",
]
LONG = [*PROGRAM, "train", "linear", "--data", "digits", "--epochs", "50"]

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and terminals as POSIX has them")


def test_help_lists_the_commands_and_each_says_what_it_takes(deltarule: Command) -> None:
    overview = deltarule("--help")
    assert overview.code == 0
    listed = re.findall(r"^  (\w+)  +\w", overview.out.partition("Commands:")[2], flags=re.MULTILINE)
    assert listed == COMMANDS
    assert "..." not in overview.out.partition("Commands:")[2]
    for command in COMMANDS:
        text = deltarule(command, "--help")
        assert text.code == 0
        assert f"Usage: deltarule {command}" in text.out
        assert all(len(line) <= 80 for line in text.out.splitlines())


@pytest.mark.parametrize("words", [["--version", "--verbose"], ["--verbose", "--version"]])
def test_a_bug_report_gets_versions_engine_and_folders(
    words: list[str], deltarule: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTARULE_THREADS", "2")
    told = dict(line.split(maxsplit=1) for line in deltarule(*words).out.splitlines())
    assert told["numpy"].startswith(np.__version__)
    assert told["engine"].startswith(f"native, three steps {three_steps('float32')}, ")
    assert f"library {build.sources_hash()}, instructions {instructions()}, 2 threads" in told["engine"]
    assert told["cache"] == "~/deltarule"  # the tests' home is its own cache
    assert told["variables"] == "DELTARULE_THREADS=2"
    monkeypatch.setenv("DELTARULE_THREADS", "none")
    assert "DELTARULE_THREADS is 'none': use a number" in deltarule(*words).out
    assert deltarule("--version").out == f"{DISTRIBUTION.removesuffix('-nn')} {version(DISTRIBUTION)}\n"


def test_help_calls_arguments_what_they_are_called_here(deltarule: Command) -> None:
    for command, usage in (
        (["plot"], "KIND [MODEL|RUN]"),
        (["predict"], "[FILE...]"),
        (["evaluate"], "MODEL"),
        (["data", "info"], "DATA"),
    ):
        first, *others = deltarule(*command, "--help").out.splitlines()
        assert first == f"Usage: deltarule {' '.join(command)} [OPTIONS] {usage}"
        listed = others[others.index("Arguments:") + 1 : others.index("Options:")]
        assert [line.split()[0] for line in listed if re.match(r"  \S", line)] == usage.split()
        assert not any(name in line for line in listed for name in ("<", "str", "Path"))


def test_the_examples_in_the_help_have_options_that_exist(deltarule: Command) -> None:
    found = []
    for command in COMMANDS:
        examples = deltarule(command, "--help").out.partition("Examples:")[2].partition("Arguments:")[0]
        found += [shlex.split(line) for line in examples.splitlines() if line.strip()]
    group: Any = app
    for program, command, *arguments in found:
        assert program == "deltarule"
        group.commands[command].make_context(command, arguments)  # raises for what it does not know
    assert len(found) > 10


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("deltarule tr", "plain,train"),
        ("deltarule data ver", "plain,verify"),
        ("deltarule train --holdo", "plain,--holdout"),
    ],
)
def test_a_shell_completes_commands_and_options(words: str, offers: str) -> None:
    asked = {"_DELTARULE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    program = "import sys; sys.argv = ['deltarule']; import deltarule.cli as cli; cli.main()"
    result = subprocess.run([sys.executable, "-c", program], env=os.environ | asked, capture_output=True, text=True)
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, offers, "")


def test_completion_goes_on_after_a_mistake() -> None:
    for words in (
        "deltarule trian --ep",
        "deltarule train a b --epo",
        "deltarule train --seed x --epo",
        "deltarule train ",
    ):
        asked = {"_DELTARULE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        program = "import sys; sys.argv = ['deltarule']; import deltarule.cli as cli; cli.main()"
        result = subprocess.run([sys.executable, "-c", program], env=os.environ | asked, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, ""), words


def test_help_waits_for_nothing_that_it_does_not_need() -> None:
    program = "import sys; sys.argv = ['deltarule', '--help']; import deltarule.cli as cli\ntry: cli.main()\n"
    program += "except SystemExit: print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr.split()
    assert "click" in loaded
    assert not {"rich", "msgspec", "safetensors", "matplotlib", "PIL", "urllib.request", "tomli_w"} & set(loaded)


@pytest.mark.parametrize(
    "arguments", [["trian"], ["train", "--sed", "3"], ["data", "lst"], ["evaluate"], ["plot"], ["export"]]
)
def test_wrong_use_is_code_2_and_a_hint(deltarule: Command, arguments: list[str]) -> None:
    code, out, err = deltarule(*arguments)
    assert (code, out) == (2, "")
    assert "--help" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fit", "my.csv"], "deltarule has no command 'fit': did you mean 'train'?"),
        (["data", "mnist"], "deltarule data has no command 'mnist': did you mean 'fetch'?"),
        (["xor"], "deltarule has no command 'xor': use deltarule train xor;"),
        (["train", "--config", "x.toml"], "train has no option --config: leave it out, as in deltarule train x.toml"),
        (["export", "m", "--format", "onnx"], "export has no option --format: did you mean --onnx? Use --onnx FILE ("),
        (["train", "--data", "https://e.org/a.csv"], "download it, curl -LO https://e.org/a.csv, and give a.csv"),
        (["train", "--set", "network.hidden", "=", "100"], "use --set network.hidden=100"),
        (["train", "--set", "network.hidden=", "100"], "use --set network.hidden=100"),
        (["train", "xor", "--set", "network=30"], "no setting is called 'network': Known: network.hidden, "),
        (["recipes", "mnist"], "give data as --data mnist, to deltarule train"),
        (["explain", "--model", "x"], "explain has no option --model: leave it out, as in deltarule explain x"),
        (["train", "--output", "m"], "train has no option --output: did you mean --out?"),
        (["train", "-e", "5"], "train has no option -e: did you mean --epochs?"),
        (["train", "--validation-split", "0.1"], "train has no option --validation-split: did you mean --holdout?"),
        (["train", "--gpu"], "train has no option --gpu: leave it out; "),
        (["train", "--epochs", "1,000"], "got '1,000'; use --epochs 1000"),
        (["playground", "--port", "80000"], "got '80000'; use --port 8000"),
        (["train", "--missing", "0"], "got '0'; use --missing mean"),
        (["train", "--steps", "5"], "train has no option --steps: leave it out; it has --checkpoint, "),
        (["predict", "x.png", "--weights", "m"], "did you mean --model? Use --model MODEL (By default pretrained"),
        (["evaluate", "--weights", "m"], "evaluate has no option --weights: leave it out, as in deltarule evaluate m"),
        (
            ["train", "xor", "--set", "training.penalty.strength=0.1"],
            "Use --set training.penalty=l2 --set training.penalty.strength=0.1",
        ),
        (["train", "--model", "m"], "train has no option --model: leave it out; it has --checkpoint, --data, "),
        (["train", "--momentum", "0.9"], "Use --set training.optimizer=momentum --set training.optimizer.momentum=0.9"),
        (["explain", "m", "--index", "5"], "explain has no option --index: did you mean --example?"),
        (["train", "my.csv"], "a recipe is a name or a TOML file: got my.csv; give data as --data my.csv"),
        (["train", "."], "a recipe is a name or a TOML file: got .; give data as --data ."),
        (["evaluate", "my.csv"], "give data as deltarule evaluate MODEL --data my.csv or deltarule predict"),
        (["evaluate", "mnist"], "the name of data; use them as MODEL --data mnist"),
        (["train", "mnist"], "a recipe is a name or a TOML file: got mnist; give data as --data mnist"),
        (
            ["train", "--set", "network.hidden", "100"],
            "in one word: got network.hidden and 100 apart; use --set network.h",
        ),
        (["train", "digits", "5"], "does not take 5: use deltarule train digits --epochs 5"),
        (["evaluate", "m", "digits"], "does not take digits: use deltarule evaluate m --data digits"),
        (["export", "m", "m.onnx"], "does not take m.onnx: use deltarule export m --onnx m.onnx"),
        (["explain", "m", "5"], "does not take 5: use deltarule explain m --example 5"),
        (["plot", "curves", "kept", "a.png"], "does not take a.png: use deltarule plot curves kept --out a.png"),
        (["recipes", "show", "digits"], "does not take show: use deltarule recipes digits"),
        (["recipes", "list"], "deltarule recipes lists them"),
        (["predict", "--data", "my.csv"], "has no option --data: leave it out, as in deltarule predict my.csv"),
        (["predict", "--image", "x.png"], "has no option --image: leave it out, as in deltarule predict x.png"),
        (["train", "--device", "cuda"], "has no option --device: leave it out; "),
        (["evaluate", "m", "--test", "my.csv"], "has no option --test: did you mean --data?"),
        (["train", "--epochs", "abc"], "--epochs must be a whole number, 1 or more: got 'abc'; use --epochs 10"),
        (["train", "--epochs=0"], "--epochs must be a whole number, 1 or more: got '0'; use --epochs 10"),
        (
            ["train", "--task", "regression"],
            "--task must be one of 'classes', 'values': got 'regression'; use --task values",
        ),
        (
            ["plot", "m.safetensors"],
            "a picture's name comes first: got m.safetensors; use deltarule plot confusion m.safet",
        ),
        (["predict", "5.1", "3.5"], "a file must exist: got 5.1; numbers go into a CSV, a line for each sample"),
        (["train", "--size", "2000"], "--size must be a whole number, 1 to 1024: got '2000'; use --size 28"),
        (["predict", "a.csv", "--unseen", "drop"], "must be one of 'error', 'other': got 'drop'; use --unseen other"),
        (["recipes", "--json=yes"], "--json takes no value: got --json=yes; use --json alone"),
        (["data", "-h"], "deltarule data has no option '-h': use deltarule data --help"),
        (["data", "--version"], "deltarule data has no option '--version': use deltarule data --help"),
        (["train", "--out"], "--out needs a value after it: Where to save the model"),
        (
            ["evaluate"],
            "deltarule evaluate needs MODEL: A model file, a run's folder, or pretrained. Use deltarule evaluate",
        ),
        (["plot", "curves", "m"], "drawn from a run's folder: got m; deltarule train RECIPE --run FOLDER"),
        (["train", "--out", "m.pt"], "m.pt is the name of a PyTorch file, and this writes a model: use m.safetensors"),
        (["export", "pretrained", "--onnx", "a.npz"], "and this writes an ONNX file: use a.onnx"),
    ],
)
def test_what_was_meant_is_said(deltarule: Command, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "my.csv").write_text("a,b,t\n1,2,x\n3,4,y\n")
    code, out, err = deltarule(*arguments)
    assert (code, out) == (2, "")
    assert says in " ".join(err.split())


FOREIGN = {"a.mat": b"MATLAB 5.0", "a.parquet": b"PAR1", "a.pkl.gz": gzip.compress(b"\x80\x04K\x01.")}
READERS = [
    "train --data FILE",
    "train --data FILE --target label",
    "train FILE",
    "train --from FILE",
    "evaluate FILE",
    "evaluate pretrained --data FILE",
    "predict FILE",
    "predict --kaggle FILE --out answers.csv",
    "predict digits.csv --model FILE",
    "explain pretrained --image FILE",
    "gradcheck pretrained --data FILE",
    "diagnose FILE",
    "plot confusion pretrained --data FILE --json",
    "plot weights FILE --json",
    "export FILE --npz out.npz",
    "data info FILE",
]


@pytest.mark.parametrize("command", READERS)
def test_a_file_of_another_kind_is_wrong_use_everywhere(deltarule: Command, command: str) -> None:
    Path("digits.csv").write_text("label,pixel0\n1,2\n")
    for name, content in FOREIGN.items():
        Path(name).write_bytes(content)
        code, out, err = deltarule(*command.replace("FILE", name).split())
        assert (code, out) == (2, "")
        assert name in err


@pytest.mark.parametrize(
    ("command", "content"),
    [
        ("train --data a.npz", b"PK\x03\x04"),
        ("evaluate a.safetensors", b""),
        ("evaluate pretrained --data a.csv", b"label,pixel0\n1,x\n"),
        ("predict a.png", b"\x89PNG\r\n\x1a\n"),
        ("predict a.csv --model pretrained", b"label,pixel0\n1,x\n"),
        ("explain pretrained --image a.csv", b"label,pixel0\n1,x\n"),
    ],
)
def test_a_damaged_file_is_a_failed_job(deltarule: Command, command: str, content: bytes) -> None:
    Path(next(word for word in command.split() if word.startswith("a."))).write_bytes(content)
    code, out, _ = deltarule(*command.split())
    assert (code, out) == (1, "")


def test_what_is_told_fits_a_terminal(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (
        ["train", "linear", "--data", "digits", "--epochs", "1", "--holdout", "200"],
        ["evaluate", "model.safetensors"],
        ["recipes"],
        ["data", "list"],
        ["data", "info", "digits"],
    ):
        result = deltarule(*arguments)
        assert result.code == 0
        assert max(map(len, (result.out + result.err).splitlines())) <= 80


def test_json_knows_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": [1.5, float("nan"), (float("inf"), -float("inf"), "x")], "b": None, "c": True}
    print_json(value)
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found == {"a": [1.5, None, [None, None, "x"]], "b": None, "c": True}


def test_names_that_a_terminal_cannot_show_are_no_traceback(deltarule: Command) -> None:
    Path("words.csv").write_text("x,word\n" + "\n".join(f"{k},{'あの'[k % 2]}" for k in range(20)), encoding="utf-8")
    assert deltarule("train", "--data", "words.csv", "--target", "word", "--epochs", "1").code == 0
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    Path("new.csv").write_text("x\n1\n")
    predict = [*PROGRAM, "predict", "new.csv"]
    out = subprocess.run(predict, env=environment, check=True, capture_output=True).stdout
    assert re.match(rb"new.csv  \\u30(42|6e)  ", out)


@posix_only
def test_a_reader_that_leaves_is_no_error() -> None:
    for arguments in (["recipes"], ["--help"]):
        process = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        process.wait()


@posix_only
@pytest.mark.usefixtures("heeded_interrupts")
def test_ctrl_c_keeps_the_network_and_says_where() -> None:
    save(Network((2, 2)), "model.safetensors")
    with subprocess.Popen(LONG, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(" 1/50 " in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "by Ctrl-C; what it had learned until then is in model.safetensors, replacing an older file" in err
    assert load("model.safetensors").record["epochs"] >= 1


def in_a_terminal(command: list[str], **variables: str) -> bytes:
    """What a command writes to a terminal of 80 columns."""
    import pty

    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "80", **variables}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        try:
            while chunk := os.read(ours, 2**16):
                written += chunk
        except OSError:  # so Linux says that the other end is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return written


@posix_only
def test_a_terminal_gets_a_bar_and_colors_unless_it_wants_none() -> None:
    command = [*PROGRAM, "train", "linear", "--data", "digits", "--epochs", "300"]
    color = re.compile(rb"\x1b\[[0-9;]*3[0-9]")
    colored, plain = in_a_terminal(command), in_a_terminal(command, NO_COLOR="1")
    assert color.search(colored)
    assert not color.search(plain)
    for written in (colored, plain):
        assert re.search(rb"epoch \d+/300 .*loss \d.*accuracy .*%.*rate \d.*/s.*(\d:\d\d|--:--)", written)
        assert b"300/300" in written
