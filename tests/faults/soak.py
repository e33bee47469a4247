#!/usr/bin/env python3
"""Hours of trouble in minutes: a page's server with clients of every kind, and a run on a bad disk.

    SOAK_MINUTES=60 python tests/faults/soak.py

Both run at once, for 15 minutes by default. The server's clients come, draw, train and vanish; some are slow, idle or
hostile. The run keeps a checkpoint each second, while its disk fills, its clock jumps and both processes are stopped
and woken. Then memory and descriptors are compared with those after a third of the time. The exit code is 1 where
memory grew by more than 5 %, a descriptor is left, there was a traceback, or the run's files do not belong together.
"""

import argparse
import errno
import json
import logging
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from unittest.mock import patch

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "benchmarks")]

import httpx  # noqa: E402
import measuring  # noqa: E402
import numpy as np  # noqa: E402
from counting import fresh_folder, litter, newest_step  # noqa: E402
from injection import Operation, watched  # noqa: E402
from shared_folders import Process, model_and_history  # noqa: E402
from websockets.exceptions import WebSocketException  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "soak.json"
MINUTES = float(os.environ.get("SOAK_MINUTES", "15"))
WARM_UP = 1 / 3  # of the time: what is made once has been made
MOST_GROWTH = 0.05
CALM_SECONDS = 45.0  # in which the server lets go of the last clients: more than its limits for any of them
TROUBLE_EVERY = 10.0  # seconds between the troubles of the run
CLIENTS = 4


class Weight(NamedTuple):
    """What a process holds."""

    megabytes: float
    descriptors: int

    @classmethod
    def of(cls, process: int) -> "Weight":
        """As Linux counts it."""
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return cls(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list(Path(f"/proc/{process}/fd").iterdir())))


# the page's server, and its clients


class Server:
    """`deltarule playground` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.said = (folder / "server.txt").open("w+")
        command = [sys.executable, "-m", "deltarule", "playground", "--port", "0", "--no-browser", "--offline"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.said, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://(\S+)/\?token=(\S+)", self.process.stdout.readline())
        assert found is not None
        self.host, self.token = found.groups()
        self.visits: dict[str, int] = {}

    def get(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.get(f"http://{self.host}{path}", headers=headers, timeout=30)

    def draw(self, rng: random.Random) -> None:
        """As the page does when it is opened and drawn on."""
        self.get("/api/model")
        self.get("/api/example")
        self.get("/api/mistakes")

    def talk(self) -> Any:
        origin = f"http://{self.host}"
        return connect(f"ws://{self.host}/ws?token={self.token}", origin=origin, compression=None, max_size=2**24)

    def train(self, rng: random.Random) -> None:
        """A run that is watched for a while, and left in one of three ways."""
        with self.talk() as line:
            line.send(json.dumps({"type": "start", "recipe": "quick", "data": "digits", "epochs": 50}))
            for _ in range(rng.randrange(1, 12)):
                line.recv(timeout=30)
                line.send('{"type": "more"}')
            if rng.random() < 0.5:
                line.send('{"type": "stop"}')
            if rng.random() < 0.5:
                line.socket.close()  # and not a word

    def warm_up(self) -> None:
        """A run to its end, and a visit to what it leaves: what is made once is made."""
        for _ in range(3):
            with self.talk() as line:
                line.send(json.dumps({"type": "start", "recipe": "quick", "data": "digits", "epochs": 2}))
                while '"type":"end"' not in str(line.recv(timeout=60)):
                    line.send('{"type": "more"}')
            self.get("/api/mistakes?of=trained")
            self.draw(random.Random(0))

    def idle(self, rng: random.Random) -> None:
        """A socket over which nothing is said."""
        with self.talk():
            time.sleep(rng.uniform(0.5, 5.0))

    def slow(self, rng: random.Random) -> None:
        """A request that comes byte by byte, and breaks off."""
        with self.line() as line:
            for byte in b"GET /api/model HTTP/1.1\r\nHost:"[: rng.randrange(5, 30)]:
                line.sendall(bytes([byte]))
                time.sleep(0.05)

    def be_hostile(self, rng: random.Random) -> None:
        """Junk, another's name, a wrong token, orders that are none."""
        with self.line() as line:
            line.sendall(rng.randbytes(rng.randrange(1, 40_000)))
        httpx.get(f"http://{self.host}/api/model", headers={"Host": "evil.example"}, timeout=30)
        httpx.get(f"http://{self.host}/?token=wrong", timeout=30)
        with self.talk() as line:
            line.send(rng.choice(["{", '{"type": "start", "recipe": "../x", "data": "digits"}', "x" * 20_000]))
            line.recv(timeout=30)

    def line(self) -> socket.socket:
        host, port = self.host.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=30)

    def churn(self, until: float, seed: int) -> None:
        """One client after the other, of every kind; what the server refuses, or cuts, is its right."""
        rng = random.Random(seed)
        kinds: list[Callable[[random.Random], None]] = [self.draw, self.train, self.idle, self.slow, self.be_hostile]
        while time.monotonic() < until:
            kind = rng.choice(kinds)
            with suppress(OSError, httpx.HTTPError, WebSocketException, TimeoutError):
                kind(rng)
            self.visits[kind.__name__] = self.visits.get(kind.__name__, 0) + 1
            time.sleep(0.05)


def settled(processes: dict[str, int]) -> dict[str, Weight]:
    """What processes hold when nobody disturbs them: their descriptors at the least, and the median of their memory."""
    seen: dict[str, list[Weight]] = {name: [] for name in processes}
    until = time.monotonic() + CALM_SECONDS
    while time.monotonic() < until:
        time.sleep(0.5)
        for name, process in processes.items():
            seen[name].append(Weight.of(process))
    late = {name: weights[len(weights) // 2 :] for name, weights in seen.items()}
    return {
        name: Weight(median(each.megabytes for each in weights), min(each.descriptors for each in weights))
        for name, weights in late.items()
    }


# the run, its disk and its clock


def troubled(folder: Path) -> list[Any]:
    """A disk that is full for a third of the time, and a clock that jumps by a day and back, once a run has begun."""
    began, real = time.monotonic(), time.time

    def phase() -> int:
        is_calm = (folder.parent / "calm").exists() or not (
            folder / "history.jsonl"
        ).exists()  # what begins needs a disk
        return 0 if is_calm else int((time.monotonic() - began) / TROUBLE_EVERY) % 3

    def full(operation: Operation) -> None:
        if phase() == 1 and operation.kind in ("write", "fsync"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), operation.path)

    return [watched(folder, full), patch("time.time", lambda: real() + 86_400 * (phase() - 1))]


def begun_run(folder: Path) -> Process:
    """`deltarule train` on images enough for epochs of a second or more, so that its history stays small."""
    rng = np.random.default_rng(0)
    inputs = rng.integers(256, size=(20_000, 784), dtype=np.uint8)
    np.savez(folder / "data.npz", X=inputs, y=rng.integers(10, size=20_000))
    (folder / "run").mkdir()
    arguments = [
        "train",
        "--data",
        "data.npz",
        "--epochs",
        "100000",
        "--learning-rate",
        "1e-4",
        "--set",
        "schedule=constant",
    ]
    return Process(folder, [*arguments, "--run", "run", "--every-seconds", "1"], *troubled(folder / "run"))


def stop_and_wake(processes: list[int], until: float) -> int:
    """SIGSTOP and SIGCONT, now and then; how often."""
    rng, times = random.Random(0), 0
    while time.monotonic() < until:
        time.sleep(min(rng.uniform(1.0, 6.0), max(0.0, until - time.monotonic())))
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        time.sleep(rng.uniform(0.1, 1.5))
        for process in processes:
            os.kill(process, signal.SIGCONT)
        times += 1
    return times


def spent(seconds: float, server: Server, run: Process, seed: int) -> int:
    """So many seconds of trouble for both; how often they were stopped."""
    until = time.monotonic() + seconds
    clients = [threading.Thread(target=server.churn, args=(until, seed + k)) for k in range(CLIENTS)]
    for each in clients:
        each.start()
    times = stop_and_wake([server.process.pid, run.id], until)
    for each in clients:
        each.join()
    return times


def disturbed(folder: Path) -> tuple[dict[str, Any], str]:
    """The figures of a soak, and what the two processes have said."""
    server, run = Server(folder), begun_run(folder)
    server.warm_up()
    seconds, weights, times = MINUTES * 60 - 2 * CALM_SECONDS, list[dict[str, Weight]](), 0
    for share, seed in ((WARM_UP, 0), (1 - WARM_UP, 100)):
        times += spent(max(seconds * share, 10.0), server, run, seed)
        (folder / "calm").touch()
        weights.append(settled({"server": server.process.pid, "run": run.id}))
        (folder / "calm").unlink()
    (folder / "calm").touch()
    step = newest_step(folder / "run" / "checkpoints")
    os.kill(run.id, signal.SIGTERM)
    ended = run.end()
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(timeout=60)
    server.said.seek(0)
    said = server.said.read() + ended.err
    kept = newest_step(folder / "run" / "checkpoints")
    harm = grown(*weights) | {
        "a traceback": "Traceback" in said,
        f"the server ended with {code}": code != 143,
        f"the run ended with {ended.code}": ended.code != 143,
        f"step {kept} is kept, after {step}": not kept >= step > 0,
        "litter": bool(litter(folder / "run")),
        "the files of the run do not belong together": model_and_history(folder / "run") is None,
    }
    row = {"benchmark": "soak", "workload": "server and run", "minutes": MINUTES, "stops": times, "step": kept}
    row |= {"visits": server.visits, "full_disk_warnings": said.count("disk is full")}
    row |= {f"{name}_{k}": weight._asdict() for k, each in enumerate(weights) for name, weight in each.items()}
    return row | {"harm": [what for what, is_so in harm.items() if is_so]}, said


def grown(before: dict[str, Weight], after: dict[str, Weight]) -> dict[str, bool]:
    """What two processes hold, and whether it is more than it may be."""
    harm = {}
    for name, was in before.items():
        now = after[name]
        harm[f"memory of the {name}: {was.megabytes:.1f} MB and then {now.megabytes:.1f}"] = (
            now.megabytes > was.megabytes * (1 + MOST_GROWTH)
        )
        harm[f"descriptors of the {name}: {was.descriptors} and then {now.descriptors}"] = (
            now.descriptors != was.descriptors
        )
    return harm


def main() -> None:
    """Soak, print the figures, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="benchmarks/results/soak.json")
    given = parser.parse_args()
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # of clients that vanish
    with fresh_folder() as folder:
        row, said = disturbed(folder)
    print(json.dumps(row, indent=2))
    if row["harm"]:
        print(said[-3000:])
    measuring.write_rows(given.json, [row | measuring.surroundings("deltarule")])
    sys.exit(bool(row["harm"]))


if __name__ == "__main__":
    main()
