"""`deltarule playground`, as a user starts it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from node import STATIC, run_node

from deltarule.data.catalog import load as load_data
from deltarule.errors import SettingError
from deltarule.files.model_file import load, save
from deltarule.nn.network import Network
from deltarule.training.evaluation import evaluate
from deltarule.training.trainer import Trainer

pytest.importorskip("uvicorn", reason="the page needs its extra: pip install 'deltarule-nn[page]'")


def started(*arguments: str | os.PathLike[str], browser: str = "false") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "deltarule", "playground", *map(os.fspath, arguments)]
    environment = {**os.environ, "BROWSER": browser}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def a_browser(folder: Path) -> tuple[str, Path]:
    """A program that notes its arguments, and the mode and content of the file that they name; and where it does so."""
    noted, program = folder / "noted.json", folder / "browser.py"
    program.write_text(f"""#!{sys.executable}
import json, os, pathlib, sys, urllib.parse
path = pathlib.Path(urllib.parse.urlsplit(sys.argv[1]).path)
noted = [sys.argv[1:], str(path), path.parent.stat().st_mode & 0o777, path.read_text()]
pathlib.Path({str(noted)!r} + ".new").write_text(json.dumps(noted))
os.replace({str(noted)!r} + ".new", {str(noted)!r})
""")
    program.chmod(0o755)
    return f"{program} %s", noted


@pytest.mark.usefixtures("heeded_interrupts")
@pytest.mark.skipif(os.name != "posix", reason="a browser that is a script")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_the_address_opens_it_serves_it_and_ends_cleanly(
    digits_model: Path, tmp_path: Path, signum: int
) -> None:
    """The token does not stand in the arguments of the browser: a file does that its owner alone can read."""
    browser, noted = a_browser(tmp_path)
    process = started(digits_model, "--port", "0", browser=browser)
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", process.stdout.readline())
        assert found is not None
        page = httpx.get(found[0])
        assert page.status_code == 200
        until = time.monotonic() + 30.0
        while not noted.exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signum)
        _, errors = process.communicate(timeout=30.0)
    finally:
        process.kill()
    assert process.returncode == 128 + signum
    assert "Traceback" not in errors
    assert "digits, to draw examples from and to find mistakes in" in errors
    arguments, path, mode, content = json.loads(noted.read_text())
    assert (arguments, mode) == ([Path(path).as_uri()], 0o700)
    assert content == f'<meta http-equiv="refresh" content="0; url={found[0]}">'
    assert not Path(path).parent.exists()


@pytest.mark.skipif(os.name != "posix", reason="a signal that is ignored")
def test_a_server_that_a_script_started_goes_on_after_ctrl_c(digits_model: Path) -> None:
    """Ctrl-C ends the script; what it has put into the background is told to ignore that, as nohup tells it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = started(digits_model, "--port", "0", "--no-browser")
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", process.stdout.readline())
        assert found is not None
        for _ in range(2):
            assert httpx.get(found[0]).status_code == 200
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        assert httpx.get(found[0]).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30.0)
    finally:
        process.kill()
    assert process.returncode == 143


@pytest.mark.usefixtures("heeded_interrupts")
def test_a_network_trained_in_python_on_images_gets_a_pad(tmp_path: Path) -> None:
    """The network says what its inputs are; the page asks what the server sends, and so does this test."""
    digits = load_data("digits")
    network = Network((784, 16, 10))
    Trainer(network=network, epochs=1).fit(digits.train)
    save(network, tmp_path / "digits.safetensors")
    process = started(tmp_path / "digits.safetensors", "--port", "0", "--no-browser")
    try:
        assert process.stdout is not None
        found = re.search(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)", process.stdout.readline())
        assert found is not None
        answers = {
            name: httpx.get(f"{found[1]}/api/{name}", headers={"Authorization": f"Bearer {found[2]}"}, timeout=20.0)
            for name in ("model", "example", "mistakes")
        }
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10.0)
    (tmp_path / "sent").write_bytes(answers["model"].content)
    model = load(tmp_path / "sent")
    assert (model.image_shape, model.pixels, model.task) == ((28, 28), True, "classes")
    assert answers["example"].json()["pixels"]
    right = evaluate(network, digits.test)[1] * digits.test.n_samples
    assert answers["mistakes"].json()["right"] == round(right)
    program = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ load }} from "{(STATIC / "engine" / "module.js").as_uri()}";
        import {{ readModel }} from "{(STATIC / "shared" / "model_file.js").as_uri()}";
        import {{ readsDrawings }} from "{(STATIC / "shared" / "store.js").as_uri()}";
        await load(readFileSync(process.env.ENGINE));
        const network = readModel(Uint8Array.from(readFileSync("{(tmp_path / "sent").as_posix()}")).buffer);
        console.log(readsDrawings(network), network.pixels, network.task);
    """
    assert run_node("--input-type=module", "--eval", program).split() == ["true", "true", "classes"]


def test_a_taken_port_is_wrong_use(deltarule: Any, digits_model: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = deltarule("playground", digits_model, "--port", str(port), "--no-browser")
    assert result.code == 2
    assert f"a free port was expected: got {port}, where another program listens (another playground?)" in result.err
    assert "--port 0 takes any that is free" in result.err


@pytest.mark.parametrize("module", ["starlette", "uvicorn", "websockets"])
def test_without_its_extra_it_says_what_to_install(
    deltarule: Any, digits_model: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = deltarule("playground", digits_model, "--no-browser")
    assert result.code == 1
    assert f'this needs {module}, which is not installed: run  pip install "deltarule-nn[page]"' in result.err


def test_a_model_that_is_none_is_refused(deltarule: Any, tmp_path: Path) -> None:
    (tmp_path / "no.safetensors").write_bytes(b"junk")
    assert "no.safetensors was not loaded" in deltarule("playground", "no.safetensors").err
    result = deltarule("playground", "quick")
    assert result.code == 2
    assert "is the name of a recipe; deltarule train quick  makes a model of it" in result.err


def test_wrong_data_and_ports_are_refused(deltarule: Any, digits_model: Path, arithmetic_model: Path) -> None:
    assert deltarule("playground", digits_model, "--port", "65536").code == 2
    assert deltarule("playground", digits_model, "--port", "-1").code == 2
    result = deltarule("playground", digits_model, "--data", "nowhere")
    assert result.code == 2
    assert "data must be a name or a path that exists: got 'nowhere'" in result.err
    assert deltarule("playground", arithmetic_model, "--data", "digits").code == 2


def test_a_learners_folder_without_a_network_names_the_next_command(deltarule: Any, tmp_path: Path) -> None:
    result = deltarule("playground", "--learn", tmp_path / "mine")
    assert result.code == 2
    assert " ".join(result.err.split()).endswith(
        f"so its network cannot be shown; run deltarule learn {tmp_path / 'mine'}"
    )
    assert not (tmp_path / "mine").exists()
    result = deltarule("playground", "--learn", tmp_path / "mine", "--html", "page.html")
    assert result.code == 2
    assert "leave out MODEL and --html" in result.err


def test_examples_are_the_model_s_own_or_others_that_fit(
    digits_model: Path, arithmetic_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from deltarule.cli.playground import examples_for
    from deltarule.files.model_file import load

    digits, arithmetic = load(digits_model), load(arithmetic_model)
    assert list(examples_for(digits, None, True)) == ["train", "test"]
    assert examples_for(arithmetic, None, True)["test"].name == "arithmetic"
    assert examples_for(replace(digits, record={}), None, True)["test"].name == "digits"
    assert examples_for(replace(arithmetic, record={}), None, True) == {}
    assert "none fit this network: name some with --data" in capsys.readouterr().err
    with pytest.raises(SettingError, match="this model reads 2 numbers per row: got 784 in digits"):
        examples_for(arithmetic, "digits", True)
    with pytest.raises(SettingError, match="this model reads 784 numbers per row: got 2 in arithmetic"):
        examples_for(digits, "arithmetic", True)


def test_the_page_is_written_as_one_file_of_at_most_900_kb(tmp_path: Path) -> None:
    for arguments in (
        ["playground", "--html", tmp_path / "page.html"],
        ["playground", "--html", tmp_path / "page.txt"],
    ):
        subprocess.run(
            [sys.executable, "-m", "deltarule", *map(os.fspath, arguments)], check=False, capture_output=True
        )
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    content = (tmp_path / "page.html").read_bytes()
    assert 500_000 < len(content) <= 900_000
    assert b'id="digits"' in content
    assert b'id="examples"' not in content  # which would be some of the digits once more
    assert content.count(b'id="tab-mistakes" hidden') == 0
