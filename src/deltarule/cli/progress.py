"""The progress of a run on stderr: a line per epoch, and a bar if the terminal can draw one."""

import os
import time

from deltarule.cli.printing import note, percent, score_words, show_status, terminal_width
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.history import History
from deltarule.training.plan import SCORE_NAMES

REFRESH_SECONDS = 0.1  # drawing takes longer than a small network's step
ALONE = 19  # width of the column of training scores if there are no held-out scores
MOST_LINES = 50  # for epochs; with more epochs not all get a line


class Display(Callback):
    """Prints a heading and a line per epoch, or for every few if there are many; on a terminal also a progress bar.

    n_samples: the number of training samples. is_new: the weights are random, not those of a trained model.
    """

    every_step = False

    def __init__(self, n_samples: int, *, is_new: bool) -> None:
        self.n_samples, self.is_new = n_samples, is_new
        self.history = History()

    def train_begin(self, state: TrainingState) -> None:
        self.history, self.drawn = state.history, time.perf_counter()
        if state.history.rows:  # of a resumed run
            note(f"\n{heading(state)}\n{epoch_line(state)}")

    def epoch_end(self, state: TrainingState) -> None:
        if state.epoch == 0:
            note(f"\n{start_in_words(state, self.is_new)}\n{heading(state)}")
        if state.epoch % -(-state.n_epochs // MOST_LINES) == 0 or state.epoch == state.n_epochs:
            note(epoch_line(state))

    def step_end(self, state: TrainingState) -> None:
        if time.perf_counter() - self.drawn < REFRESH_SECONDS:
            return
        score, share = SCORE_NAMES[state.task], state.step / state.n_steps
        minutes, seconds = divmod(round(state.seconds * (1.0 / share - 1.0)), 60)
        figures = [
            f"loss {state.batch_loss:.3f}",
            score_words(score, state.history[f"train_{score}"][-1]),
            f"rate {state.learning_rate:.1g}",
            f"{state.step * self.n_samples * state.n_epochs / state.n_steps / state.seconds:,.0f}/s",
            f"{minutes}:{seconds:02}",
        ]
        before, after = f"epoch {state.epoch}/{state.n_epochs} ", f" {'  '.join(figures)}"
        width = max(terminal_width() - len(before + after) - 1, 0)
        done, ahead = "#" * round(share * width), "-" * (width - round(share * width))
        bar = f"{done}{ahead}" if os.environ.get("NO_COLOR") else f"\x1b[32m{done}\x1b[0m{ahead}"
        show_status(f"{before}{bar}{after}" if width else f"{before}{after}"[: terminal_width() - 1])
        self.drawn = time.perf_counter()

    def train_end(self, state: TrainingState) -> None:
        show_status("")


def start_in_words(state: TrainingState, is_new: bool) -> str:
    """The sentence that says what epoch 0 is: the given model, or random weights, with the score that chance gives."""
    if not is_new:
        return "Epoch 0 is the given model, before any step."
    n_outputs = state.network.layer_sizes[-1]
    chance = {
        "classes": f"Chance, one class in {n_outputs}, is {percent(1.0 / n_outputs)}.",
        "labels": f"Chance, a coin toss per label, is {percent(0.5)}.",
        "values": "Always answering the mean gives R2 0.",
    }
    return f"At epoch 0 the weights are random. {chance[state.task]}"


def heading(state: TrainingState) -> str:
    """The line with the names of the columns that `epoch_line` fills."""
    short, score = ("R2", "R2") if state.task == "values" else ("acc.", "accuracy")
    if "validation_loss" not in state.history.rows[-1]:
        return f"{'epoch':>9}{'loss':>9}{f'training {score}':>{ALONE}}{'rate':>10}{'seconds':>9}"
    learned, held_out = f"{'loss':>9}{f'train {short}':>12}", f"{'held-out loss':>15}{f'held-out {short}':>15}"
    return f"{'epoch':>9}{learned}{held_out}{'rate':>10}{'seconds':>9}"


def epoch_line(state: TrainingState) -> str:
    """The line for the newest epoch: its losses, scores, learning rate and seconds."""
    row, name = state.history.rows[-1], SCORE_NAMES[state.task]
    line = f"{state.epoch:>{8 - len(str(state.n_epochs))}}/{state.n_epochs}"
    beside = "validation_loss" in row
    for part, width, score_width in (("train", 9, 12 if beside else ALONE), ("validation", 15, 15)):
        if f"{part}_loss" in row:
            loss, score = row[f"{part}_loss"], row[f"{part}_{name}"]
            line += f"{loss:>{width}.{'4f' if loss < 1000 else '2g'}}"
            line += f"{percent(score) if name == 'accuracy' else f'{score:.4f}':>{score_width}}"
    return line if state.epoch == 0 else f"{line}{row['learning_rate']:>10.2g}{row['seconds']:>9.1f}"
