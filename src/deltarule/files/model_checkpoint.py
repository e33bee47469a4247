"""ModelCheckpoint: a callback that saves the network after each epoch, or after each that is the best so far."""

import os
from dataclasses import replace
from pathlib import Path

from deltarule.errors import SettingError, closest
from deltarule.files.model_file import save
from deltarule.model import Model
from deltarule.nn.network import with_parameters
from deltarule.public import public
from deltarule.settings import check_path
from deltarule.training.callbacks import Callback, Monitor, TrainingState


@public()
class ModelCheckpoint(Callback):
    """Saves the network after each epoch, epoch 0 included, in a file that `load` reads.

    path: the file, which may hold columns of the history: "epoch{epoch:02d}-{validation_loss:.3f}.safetensors". An
        older model of that name is replaced, any other file only with `force`.
    monitor: the column that counts; a loss is to fall, an accuracy or r2 to rise, unless `mode` is "min" or "max".
    save_best_only: save only where the monitored figure is the best so far; else it is not looked at. The last file
        then holds what `fit` keeps, where that chooses by the same column.
    min_delta: by how much a new best must beat the old one.
    model: what the network's numbers mean (task, class names, scaling); by default what the network itself says.

    Saved are the parameters that are validated: with a moving average, that. As Keras's, which has no epoch 0.

    Raises SettingError, before the first step, where the history has no column of such a name; FileError where a file
    cannot be written.

    >>> best = ModelCheckpoint("best.safetensors", save_best_only=True)  # fit(network, X, y, callbacks=[best], ...)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "validation_loss",
        *,
        mode: str = "auto",
        save_best_only: bool = False,
        min_delta: float = 0.0,
        model: Model | None = None,
        force: bool = False,
    ) -> None:
        check_path("path of ModelCheckpoint", path)
        self.pattern, self.save_best_only, self.model, self.force = os.fspath(path), save_best_only, model, force
        self.monitor = Monitor(monitor, mode, min_delta)

    def train_begin(self, state: TrainingState) -> None:
        self.latest: Path | None = None
        self.monitor.begin(state.history)

    def epoch_end(self, state: TrainingState) -> None:
        path = self._path(state.history.rows[-1])
        if self.save_best_only and not self.monitor.improves(state.history):
            return
        network = with_parameters((self.model or state).network, state.average.parameters)
        save(network if self.model is None else replace(self.model, network=network), path, force=self.force)
        self.latest = path

    def _path(self, row: dict[str, float]) -> Path:
        try:
            return Path(self.pattern.format(**row))
        except KeyError as error:
            (name,) = error.args
            raise SettingError(f"{self.pattern}: the history has no column {name!r}: {closest(name, row)}") from error
        except (ValueError, IndexError, AttributeError) as error:
            raise SettingError(f"a path may hold columns, as in {{epoch:02d}}: got {self.pattern}: {error}") from error
