"""Shows a run on the page: a callback sends a frame when the page asks for one, and pauses when the page says so."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.inspection.diagnosis.static_findings import dead_share, saturation
from deltarule.nn.network import Network, forward, loss_value
from deltarule.nn.workspace import as_floats
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.plan import SCORE_NAMES, Score

PROBE = 128  # examples on which a curve's point is measured
MOST_POINTS = 400  # of a curve; when it has more, every other one is dropped
FRAME_SECONDS = 0.75  # at least between two frames: a browser takes some 20 ms of a core to paint one
SHARE = 0.01  # of the time of a run may go into frames, and as much into points of the curves between them


def message(kind: str, **facts: Any) -> str:
    """A message to the page: {"type": kind, ...}; a number that is not finite becomes null."""
    return msgspec.json.encode({"type": kind} | facts).decode()


class Control:
    """The page's orders to a run: the page's thread gives them, the run's thread follows them."""

    def __init__(self, *, paused: bool = False) -> None:
        self._changed = threading.Condition()
        self.steps = 0.0 if paused else math.inf  # the number that the run may still take
        self.stopped, self.wants_frame = False, True

    @property
    def is_held(self) -> bool:
        """Whether the run is paused, or takes single steps."""
        return self.steps < math.inf

    def obey(self, command: str) -> None:
        """Take an order: "more" (make a frame), "pause", "resume", "step" (take one, then pause), or "stop" (end)."""
        with self._changed:
            if command == "more":
                self.wants_frame = True
            elif command == "stop":
                self.stopped = True
            elif command == "step":
                self.steps = self.steps + 1.0 if self.is_held else 1.0
            else:
                self.steps = math.inf if command == "resume" else 0.0
            self._changed.notify()

    def wait(self) -> None:
        """Wait until the run may take a step, and count that step; return at once if the run must end."""
        with self._changed:
            self._changed.wait_for(lambda: self.steps > 0.0 or self.stopped)
            self.steps = max(0.0, self.steps - 1.0)


class Probe:
    """A few examples, spread over a dataset, on which a network is measured, without dropout or deformation."""

    def __init__(self, dataset: Dataset, network: Network) -> None:
        self.dataset, self.ws = dataset.spread(PROBE), network.workspace(PROBE)
        self.inputs = as_floats(self.dataset.inputs, network.dtype)  # scaled once, not for every frame

    def measure(self, network: Network) -> tuple[float, float]:
        """(loss, score) of a network on these examples; its activations stay in `ws`."""
        y, score = self.dataset.targets, Score(self.dataset.task)
        score.add(forward(network, self.inputs, self.ws), y)
        return loss_value(network, y, self.ws), score.value


class Watcher(Callback):
    """Callback that calls `show` with a frame of a run when the page has asked for one; it does not affect training.

    A frame shows the newest state after a step; frames take at most SHARE of the run's time. A slow or hidden page
    asks less often: it gets fewer frames, never old ones. Between two frames the curves still get points, also
    at steps 1, 2, 4, 8 and so on, since the network learns most at first.
    """

    every_step = False

    def __init__(self, control: Control, show: Callable[[str], None]) -> None:
        self.control, self.show = control, show
        self.points: list[list[float]] = []
        self.next_frame, self.next_point = 0.0, 0.0

    def train_begin(self, state: TrainingState) -> None:
        self.probes = [Probe(each, state.network) for each in (state.train, state.validation) if each is not None]

    def step_end(self, state: TrainingState) -> None:
        is_held, now = self.control.is_held, time.perf_counter()
        is_frame = is_held or (self.control.wants_frame and now >= self.next_frame)
        if is_frame or now >= self.next_point or state.step.bit_count() == 1:
            self.look(state, is_frame)
        self.obey(state, is_held)

    def epoch_end(self, state: TrainingState) -> None:
        if state.epoch == 0:
            self.look(state)
            self.obey(state, self.control.is_held)

    def train_end(self, state: TrainingState) -> None:
        self.control.obey("resume")  # a run that has ended is not paused
        self.look(state)

    def obey(self, state: TrainingState, is_held: bool) -> None:
        """Wait if the run is paused, set how many steps pass between calls, and end the run if the page says so."""
        if is_held:
            self.control.wait()
        self.every_steps = 1 if self.control.is_held else 1 << max(0, state.step.bit_length() - 1)
        if self.control.stopped:
            state.stop_reason = "stopped on the page"

    def look(self, state: TrainingState, is_frame: bool = True) -> None:
        """Measure the network, add a point to the curves, and show a frame if is_frame is True."""
        began = time.perf_counter()
        with np.errstate(all="ignore"):  # a run is shown even as it diverges
            figures = [figure for probe in self.probes for figure in probe.measure(state.network)]
            if not self.points or self.points[-1][0] != state.step:
                self.points.append([state.step, *figures])
            if len(self.points) > MOST_POINTS:
                self.points = self.points[::-2][::-1]  # the newest stays
            self.next_point = began + (time.perf_counter() - began) / SHARE
            if is_frame:
                self.control.wants_frame = False
                self.show(message("frame", **self.facts(state), arrays=self.arrays(state)))
                self.next_frame = began + max(FRAME_SECONDS, (time.perf_counter() - began) / SHARE)

    def facts(self, state: TrainingState) -> dict[str, Any]:
        """The state of the run as numbers, for a frame."""
        facts = {name: getattr(state, name) for name in ("epoch", "step", "seconds", "batch_loss")}
        facts |= {"epochs": state.n_epochs, "steps": state.n_steps, "rate": state.learning_rate}
        facts |= {"paused": self.control.is_held, "layers": layer_facts(state, self.probes[0])}
        return facts | {"score": SCORE_NAMES[state.task], "probe": [probe.dataset.n_samples for probe in self.probes]}

    def arrays(self, state: TrainingState) -> dict[str, dict[str, Any]]:
        """The curves for a frame, {"points": ..., "epochs": ...}: of each the shape, and the numbers row by row."""
        names = [f"{part}_{what}" for part in ("train", "validation") for what in ("loss", SCORE_NAMES[state.task])]
        rows = state.history.rows[:: len(state.history) // MOST_POINTS + 1]
        epochs = [[row["step"], *(row[name] for name in names if name in row)] for row in rows]
        arrays = {"points": np.array(self.points), "epochs": np.array(epochs)}
        return {name: {"shape": array.shape, "data": array.ravel().tolist()} for name, array in arrays.items()}


def layer_facts(state: TrainingState, probe: Probe) -> list[dict[str, Any]]:
    """The state of each layer: number of neurons, activation, norm of dC/dW, shares of dead and saturated neurons."""
    z, last = probe.ws.z, len(state.network.weights) - 1
    return [
        {
            "neurons": state.network.layer_sizes[l + 1],
            "activation": type(activation).__name__,
            "gradient": float(np.linalg.norm(state.grads.weights[l])),
            "dead": dead_share(activation, z[l]) if l < last else None,
            "saturated": saturation(activation, z[l]) if l < last else None,
        }
        for l, activation in enumerate(state.network.activations)
    ]
