"""Engines: the functions that do the work of a step, as one object, so that faster twins can take their place."""

import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.augment import deform
from deltarule.errors import DeltaruleError, FileError, MissingExtraError, install_command, require
from deltarule.nn.network import backward, forward, loss_value
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.parts import missing_kernels
from deltarule.settings import ENGINES, check_choice
from deltarule.training.batches import gather, steps_per_epoch

if TYPE_CHECKING:
    from deltarule.training.trainer import Trainer

WORTH_COMPILING_SECONDS = 5.0  # a run that NumPy ends sooner is over before its kernels would be compiled
SECONDS_PER_STEP, OPERATIONS_PER_SECOND = 4e-4, 5e10  # of NumPy's engine, on two cores


@dataclass(frozen=True)
class Engine:
    """The functions, with the signatures of their originals.

    forward(network, X, ws), loss_value(network, y, ws, ...), backward(network, y, ws, grads, ...),
    step(optimizer, params, grads, learning_rate), or None for the optimizer's own, gather(inputs, indices, out),
    deform(images, image_shape, deformation, rng, out).

    take_steps: many steps in one call, where there is such a function; can_take_steps says for which networks.
    each(function, items): what the function says of every item, in order; by several threads, if the engine has them.
    one_thread_each(): while it is entered, matrix products keep to the thread that asks for them, callbacks' included;
        a BLAS's own threads would go on spinning after one, beside those that take steps.
    says: why it is this engine, where another was to be expected.
    """

    name: str
    forward: Callable[..., Any]
    loss_value: Callable[..., float]
    backward: Callable[..., None]
    step: Callable[..., None] | None
    gather: Callable[..., None]
    deform: Callable[..., Any]
    can_take_steps: Callable[..., bool] = lambda *arguments: False
    take_steps: Callable[..., Any] = lambda *arguments: None
    each: Callable[..., list[Any]] = lambda function, items: list(map(function, items))
    one_thread_each: Callable[[], AbstractContextManager[None]] = nullcontext
    says: str = ""

    def step_of(self, optimizer: Optimizer) -> Callable[[Parameters, Parameters, float], None]:
        """The function of (params, grads, learning_rate) that takes this optimizer's step."""
        return optimizer.step if self.step is None else partial(self.step, optimizer)

    def __repr__(self) -> str:
        return f"Engine({self.name!r})"


REFERENCE = Engine("numpy", forward, loss_value, backward, None, gather, deform)


def seconds_with_numpy(n_parameters: int, n_samples: int, batch_size: int | None, epochs: int) -> float:
    """How long NumPy's engine takes for a run, roughly: six operations a weight and sample, and Python's part."""
    steps = epochs * steps_per_epoch(n_samples, batch_size)
    operations = 6.0 * n_parameters * n_samples * epochs
    return SECONDS_PER_STEP * steps + operations / OPERATIONS_PER_SECOND


def engine(name: str, numpy_seconds: float = math.inf) -> Engine:
    """The engine of that name: "numpy"; "numba"; or "auto", Numba's where it is there and worth its compilation.

    numpy_seconds: how long the work would take with NumPy, roughly.

    Raises SettingError for another name, and what `compiled` raises for "numba".
    """
    check_choice("engine", name, ENGINES)
    if name == "numpy" or (name == "auto" and numpy_seconds < WORTH_COMPILING_SECONDS):
        return REFERENCE
    try:
        return compiled_engine()
    except DeltaruleError as error:
        if name == "numba":
            raise
        return replace(REFERENCE, says=str(error))


def engine_for(trainer: "Trainer", n_samples: int, name: str) -> Engine:
    """The engine of that name for a run on so many samples.

    "auto" is NumPy's where a part of the run has no kernel; "numba" leaves that part to NumPy. Either says so.
    """
    network = trainer.network
    seconds = seconds_with_numpy(network.parameters.size, n_samples, trainer.batch_size, trainer.epochs)
    found = engine(name, seconds)
    without = missing_kernels(*network.activations, network.loss, trainer.optimizer)
    if network.dtype not in (np.float32, np.float64):
        without.append(f"kernels compute in float32 and float64, the network in {network.dtype}")
    if found.name == REFERENCE.name or not without:
        return found
    return replace(REFERENCE if name == "auto" else found, says="; ".join(without))


@cache
def compiled_engine() -> Engine:
    """Numba's engine.

    Raises MissingExtraError where Numba is absent or broken, and FileError where it finds no folder for its kernels.
    """
    try:
        require("numba", "fast")
        from deltarule.compiled import augment, blas, kernels, memory, network, optimizers, steps, team

        kernels.announce_compilation(logging.getLogger("deltarule").warning)
        ours = network.forward, network.loss_value, network.backward, optimizers.step, memory.gather, augment.deform
        found = Engine("numba", *ours, steps.can_take_steps, steps.take_steps, team.each, blas.one_thread)
        one_pixel = np.zeros((1, 1), np.uint8), np.zeros(1, np.int64), np.empty((1, 1), np.float32)
        found.gather(*one_pixel)  # which shows whether kernels can be kept
    except DeltaruleError:
        raise
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        if "cannot cache" in str(error):
            advice = "make the home folder writable, or set NUMBA_CACHE_DIR to a folder that is"
            raise FileError(f"Numba finds no folder in which it may keep compiled kernels: {advice}") from error
        advice = install_command("fast", "--force-reinstall")
        raise MissingExtraError(f"Numba is installed and does not work ({error}): run  {advice}") from error
    return found
