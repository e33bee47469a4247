"""What the page costs a run that it watches: the same training with nobody looking, and with the page open.

Both in one process, in turns, each in a thread of its own: where a process's memory lies makes it faster or slower than
another by as much as a page costs. "frames" is a client that reads every frame and asks for the next at once, as fast
as any page could; "Chromium" is the page itself in a real browser on the same machine, which paints and so takes time
of its own, for the stage on which the network learns, too; "Chromium, fast" lets that rest until the run is done.
A row's ratio is the seconds with it over those without: 1.05 is 5 % slower. Asked: 1.05, fast.
"""

import json
import subprocess
import sys
import time
from functools import cached_property, partial
from importlib.util import find_spec
from queue import Queue
from shutil import which
from threading import Thread
from typing import Any

from measuring import REST_SECONDS, Worker, comparison, interleaved, options, surroundings, write_rows

from deltarule.data.catalog import find_default, load
from deltarule.playground.playground import NetworkView, Playground, Start, prepare
from deltarule.playground.server import Service
from deltarule.training.trainer import Trainer

RUNS = "nielsen-30:20,quick:4,default:2,default:1"
CLIENT = """
import sys
from websockets.sync.client import connect
address, origin, order = sys.argv[1:]
with connect(address, origin=origin, max_size=None, compression=None) as line:
    line.send(order)
    for said in line:
        if '"type":"frame"' in said:
            line.send('{"type":"more"}')
        elif '"type":"end"' in said:
            break
"""


class Watched:
    """A run alone, and the same run started by a client over the socket, which reads every frame."""

    def __init__(self, recipe: str, data: str, epochs: int) -> None:
        self.order = Start(recipe, data, epochs=epochs)
        splits = load(data, offline=True)
        self.datasets = {data: lambda: splits}
        subject = NetworkView(prepare(self.order, self.datasets)[0].model, {"train": splits.train})
        self.service = Service(Playground(subject, self.datasets), 0)
        Thread(target=self.service.run, daemon=True).start()
        self.taken: Queue[float] = Queue()
        fit = Trainer.fit

        def timed(trainer: Trainer, *parts: Any, **weights: Any) -> Any:
            began = time.perf_counter()
            try:
                return fit(trainer, *parts, **weights)
            finally:
                self.taken.put(time.perf_counter() - began)

        Trainer.fit = timed  # type: ignore[method-assign]

    def engine(self) -> str:
        """Which engine such a run takes."""
        name: str = prepare(self.order, self.datasets)[0].trainer.engine.name
        return name

    def alone(self) -> float:
        """Seconds of the run with nobody looking."""
        time.sleep(REST_SECONDS)
        job = prepare(self.order, self.datasets)[0]
        thread = Thread(target=job.trainer.fit, args=(job.train, job.validation))
        thread.start()
        thread.join()
        return self.taken.get()

    def watched(self) -> float:
        """Seconds of the run that is watched."""
        time.sleep(REST_SECONDS)
        return self.watch()

    def watch(self) -> float:
        origin = f"http://127.0.0.1:{self.service.port}"
        address = f"{origin.replace('http', 'ws')}/ws?token={self.service.guard.token}"
        order = json.dumps(
            {"type": "start", "recipe": self.order.recipe, "data": self.order.data, "epochs": self.order.epochs}
        )
        subprocess.run([sys.executable, "-c", CLIENT, address, origin, order], check=True)
        return self.taken.get()


class InChromium(Watched):
    """The same, in a browser that has the page open, with the network on its stage meanwhile."""

    is_fast = False

    @cached_property
    def page(self) -> Any:
        from playwright.sync_api import sync_playwright

        browser = sync_playwright().start().chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{self.service.url}#train")
        page.wait_for_selector("#train-recipe")
        return page

    def watch(self) -> float:
        self.page.select_option("#train-recipe", self.order.recipe)
        self.page.set_checked("#train-fast", self.is_fast)
        self.page.fill("#train-epochs", str(self.order.epochs))
        self.page.click("#train button.primary")
        taken = self.taken.get(timeout=300.0)  # meanwhile nobody asks the browser: to answer would take it time, too
        self.page.wait_for_selector("#train .verdict:not(:empty)", timeout=300_000)
        return taken


class FastInChromium(InChromium):
    """The same, where the stage rests until the run is done."""

    is_fast = True


def main() -> None:
    """Measure, tell, and write a row for each run and each way to watch it."""
    parser = options(__doc__, "playground.json", repetitions=7)
    parser.add_argument("--runs", default=RUNS, metavar="RECIPE:EPOCHS,...", help=f"which runs ({RUNS})")
    parser.add_argument("--frames-only", action="store_true", help="no browser, even where there is one")
    given = parser.parse_args()
    ways = {"frames": "Watched"}
    if not given.frames_only and find_spec("playwright") and which("chromium"):
        ways |= {"Chromium": "InChromium", "Chromium, fast": "FastInChromium"}
    data = find_default(offline=True)[0].train.name
    rows = []
    for run in given.runs.split(","):
        recipe, epochs = run.split(":")
        arguments = {"recipe": recipe, "data": data, "epochs": int(epochs)}
        for way, kind in ways.items():
            with Worker(f"playground:{kind}", arguments) as worker:
                measures = {name: partial(worker.ask, name) for name in ("alone", "watched")}
                interleaved(measures, 1)  # so that everything is loaded
                engine = worker.ask("engine")
                taken = interleaved(measures, given.repetitions)
            row = comparison("playground", f"{run} on {data}", f"watched: {way}", taken["alone"], taken["watched"])
            row["engine"] = engine
            print(
                f"{run:13} {engine} {way:14} {row['ratio']:.3f} ({row['ratio_low']:.3f} to {row['ratio_high']:.3f}), "
                f"{row['ours_seconds']:.1f} s alone"
            )
            rows.append(row | surroundings("starlette", "uvicorn", "websockets"))
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
