"""Debian's Firefox over WebDriver BiDi: the little that Playwright does for Chromium and these tests need."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from handwriting import Stroke

SIDE = 280  # of the pad, in the strokes' own pixels
PATIENCE = 120  # seconds, for a busy machine
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
FRAMES = "(async (n) => { while (n--) await new Promise(requestAnimationFrame); return n; })(2)"
WATCH = """(say) => addEventListener("securitypolicyviolation",
    ({ violatedDirective, blockedURI }) => say(`${violatedDirective} blocks ${blockedURI}`))"""
FIND = """((selector, text) => {
    const found = [...document.querySelectorAll(selector)].find(
        (each) => each.checkVisibility() && !each.disabled && each.textContent.includes(text));
    found?.scrollIntoView({ block: "nearest", behavior: "instant" });
    return found?.getBoundingClientRect() ?? null;
})"""


class Firefox:
    """One tab of a running Firefox, and what it complains of: errors, warnings, requests that the policy blocks."""

    def __init__(self, connection: Any) -> None:
        self.complaints: list[str] = []
        self._connection, self._ids = connection, count()
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "script.message"])
        channel = {"type": "channel", "value": {"channel": "policy"}}
        self.ask("script.addPreloadScript", functionDeclaration=WATCH, arguments=[channel])
        self.tab = self.ask("browsingContext.create", type="tab")["context"]
        self.ask("browsingContext.setViewport", context=self.tab, viewport={"width": 1366, "height": 768})

    def ask(self, method: str, **params: Any) -> Any:
        """The result of a command. Events that arrive before it may be complaints."""
        command = next(self._ids)
        self._connection.send(json.dumps({"id": command, "method": method, "params": params}))
        while (answer := json.loads(self._connection.recv(PATIENCE))).get("id") != command:
            if answer.get("method") == "script.message":
                self.complaints.append(answer["params"]["data"]["value"])
            elif answer.get("method") == "log.entryAdded" and answer["params"]["level"] in ("error", "warn"):
                self.complaints.append(answer["params"]["text"])
        assert answer["type"] == "success", f"{method}: {answer}"
        return answer["result"]

    def open(self, address: str) -> None:
        """Open a page of deltarule, and wait until it is ready."""
        for url in ("about:blank", address):  # another part after # alone would not load the page anew
            self.ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")
        self.until("document.querySelector('main:not([aria-busy])') !== null")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, or of its promise: anything that JSON can hold."""
        answer = self.ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert answer["type"] == "success", f"{expression}: {answer['exceptionDetails']['text']}"
        return json.loads(answer["result"]["value"])

    def until(self, expression: str) -> Any:
        """The value of an expression, as soon as it is true."""
        end = time.monotonic() + PATIENCE
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < end, f"{expression} did not become true within {PATIENCE} s"
            time.sleep(0.05)
        return value

    def text(self, selector: str, pattern: str = "") -> str:
        """What an element shows, as soon as that matches a pattern."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.until(f"RegExp({json.dumps(pattern)}).test({element}?.innerText ?? '')")
        return str(self.evaluate(f"{element}.innerText"))

    def box(self, selector: str, text: str = "") -> dict[str, float]:
        """The place in the window of the first element that shows this text, once it is there and enabled."""
        return dict(self.until(f"{FIND}({json.dumps(selector)}, {json.dumps(text)})"))

    def click(self, selector: str, text: str = "") -> None:
        box = self.box(selector, text)
        self.stroke([(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)])

    def stroke(self, points: Stroke) -> None:
        """Press at the first of these points of the window, move along the others, and release."""
        first, *others = [{"type": "pointerMove", "x": round(x), "y": round(y)} for x, y in points]
        actions = [first, {"type": "pointerDown", "button": 0}, *others, {"type": "pointerUp", "button": 0}]
        pointer = {"type": "pointer", "id": "mouse", "actions": actions}
        self.ask("input.performActions", context=self.tab, actions=[pointer])
        self.evaluate(FRAMES)  # the page shows what came of it

    def draw(self, strokes: list[Stroke]) -> None:
        """Draw on the pad."""
        box = self.box("#stage .pad")
        scale = box["width"] / SIDE
        for stroke in strokes:
            self.stroke([(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke])

    def choose(self, **fields: str) -> None:
        """Fill in fields of Train by their ids."""
        for name, value in fields.items():
            field = f"document.querySelector('#train-{name}')"
            change = "new Event('change', { bubbles: true })"
            self.evaluate(f"Object.assign({field}, {{ value: {json.dumps(value)} }}).dispatchEvent({change})")


@contextmanager
def running(folder: Path) -> Iterator[Firefox]:
    """Firefox without windows, whose new profile lies in this folder."""
    program = shutil.which("firefox-esr")
    if program is None:
        pytest.skip("Firefox is not here: install it (apt-get install firefox-esr) to test the page in it")
    client = pytest.importorskip("websockets.sync.client", reason="pip install websockets, for WebDriver BiDi")
    command = [program, "--headless", "--no-remote", "--profile", os.fspath(folder), "--remote-debugging-port=0"]
    environment = {**os.environ, "HOME": os.fspath(folder)}
    log = folder / "log.txt"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
    ):
        try:
            address = listening(log, process)
            ours = socket.create_connection((urlsplit(address).hostname, urlsplit(address).port))  # without a proxy
            with client.connect(f"{address}/session", sock=ours, max_size=None) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def listening(log: Path, process: "subprocess.Popen[bytes]") -> str:
    """The address of its WebSocket, which Firefox prints."""
    end = time.monotonic() + PATIENCE
    while not (found := LISTENS.search(text := log.read_text(encoding="utf-8"))):
        assert process.poll() is None, f"Firefox ended: {text}"
        assert time.monotonic() < end, f"Firefox does not listen after {PATIENCE} s: {text}"
        time.sleep(0.05)
    return found[1]
