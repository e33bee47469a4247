"""How a run shows itself on stderr: a line an epoch, and a bar where a terminal can draw one."""

import sys
import time

from deltarule.cli.output import note, percent, score_words
from deltarule.data.dataset import Task
from deltarule.training.callbacks import Callback, History, TrainingState
from deltarule.training.evaluation import SCORE_NAMES

REFRESH_SECONDS = 0.1  # drawing takes longer than a small network's step
MOST_LINES = 50  # of a run of many epochs


class Lines(Callback):
    """A plain line an epoch, or every few where there are many; the first says what guessing looks like."""

    def __init__(self) -> None:
        self.history = History()

    def train_begin(self, state: TrainingState) -> None:
        self.history = state.history

    def epoch_end(self, state: TrainingState) -> None:
        if state.epoch % -(-state.n_epochs // MOST_LINES) == 0 or state.epoch == state.n_epochs:
            self.show(epoch_line(state))

    def show(self, line: str) -> None:
        note(line)


class Bar(Lines):
    """A bar that moves while an epoch runs, below the lines of the epochs before."""

    def __init__(self, n_samples: int) -> None:
        super().__init__()
        self.n_samples = n_samples

    def train_begin(self, state: TrainingState) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().train_begin(state)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            expand=True,
        )
        self.task = self.bar.add_task("epoch 0", total=state.n_steps, figures="")
        self.bar.start()
        self.drawn = time.perf_counter()

    def step_end(self, state: TrainingState) -> None:
        if time.perf_counter() - self.drawn < REFRESH_SECONDS:
            return
        score = state.history[f"train_{SCORE_NAMES[state.task]}"][-1]
        samples = state.step * self.n_samples * state.n_epochs / state.n_steps
        figures = [
            f"loss {state.batch_loss:.4f}",
            score_words(SCORE_NAMES[state.task], score),
            f"rate {state.learning_rate:.2g}",
            f"{samples / state.seconds:,.0f}/s",
        ]
        self.bar.update(
            self.task,
            description=f"epoch {state.epoch}/{state.n_epochs}",
            completed=state.step,
            figures="  ".join(figures),
            refresh=True,
        )
        self.drawn = time.perf_counter()

    def show(self, line: str) -> None:
        self.bar.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def train_end(self, state: TrainingState) -> None:
        self.bar.stop()


def progress(n_samples: int) -> Lines:
    """What suits stderr, for so many training samples: a bar on a terminal, else lines."""
    return Bar(n_samples) if sys.stderr.isatty() else Lines()


def epoch_line(state: TrainingState) -> str:
    """What an epoch brought, in a line."""
    row, score = state.history.rows[-1], SCORE_NAMES[state.task]
    words = [f"epoch {state.epoch:>{len(str(state.n_epochs))}}/{state.n_epochs}"]
    for which, title in (("train", ""), ("validation", "held out: ")):
        if f"{which}_loss" in row:
            words += [f"{title}loss {row[f'{which}_loss']:.4f}", score_words(score, row[f"{which}_{score}"])]
    if state.epoch == 0:
        words.append(f"guessing: {luck(state.task, state.network.layer_sizes[-1])}")
    else:
        words += [f"rate {row['learning_rate']:.2g}", f"{row['seconds']:.1f} s"]
    return "  ".join(words)


def luck(task: Task, n_outputs: int) -> str:
    """What a network that has learned nothing can be expected to reach."""
    if task == "values":
        return "to say the mean, always, is R2 0"
    return f"luck alone gets {percent(0.5 if task == 'labels' else 1.0 / n_outputs)}"
