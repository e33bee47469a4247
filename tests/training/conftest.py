"""Runs whose figures are given, for callbacks that look at nothing else."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import Latest
from deltarule.training.plan import Buffers, Score


@pytest.fixture
def told() -> Callable[..., Iterator[TrainingState]]:
    """Tells a callback of a run with these figures in a column, epoch by epoch, and gives the state after each.

    known: how many epochs the history holds already, as in a run that goes on.
    """

    def telling(
        listener: Callback, figures: Sequence[float], column: str = "validation_loss", known: int = 0
    ) -> Iterator[TrainingState]:
        network = Network((2, 2))
        state = TrainingState(
            network=network,
            buffers=Buffers(network, 1),
            optimizer=SGD(),
            average=Latest(),
            best=network.parameters,
            train=Dataset(np.eye(2), np.arange(2)),
            validation=None,
            tally=Score("classes"),
            n_epochs=100,
            n_steps=100,
        )
        rows = [{"epoch": epoch, column: figure} for epoch, figure in enumerate(figures)]
        state.history.rows += rows[:known]
        listener.train_begin(state)
        for row in rows[known:]:
            state.history.rows.append(row)
            state.epoch = len(state.history) - 1
            listener.epoch_end(state)
            yield state

    return telling
