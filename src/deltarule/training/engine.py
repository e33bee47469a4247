"""Engine: who does the arithmetic of a run; and the loop over steps, which all engines share.

An engine is a record of functions, so that faster twins can take the place of those of nn/ and data/.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from deltarule.data.augment import deform
from deltarule.errors import DeltaruleError, FileError, MissingExtraError, install_command, require
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.randomness import generator
from deltarule.settings import ENGINES, BatchSize, check_choice
from deltarule.training.batches import gather, steps_per_epoch
from deltarule.training.clip_and_average import Latest, MovingAverage, NoClipping
from deltarule.training.plan import Buffers, Outcome, Plan

WORTH_COMPILING_SECONDS = 5.0  # a run that NumPy ends sooner is over before its kernels would be compiled
SECONDS_PER_STEP, OPERATIONS_PER_SECOND = 4e-4, 5e10  # of NumPy's engine, on two cores
LARGEST_BATCH = 1024  # samples that a step of many in one call takes


@dataclass(frozen=True)
class Engine:
    """The functions, with the signatures of their originals.

    forward(network, X, ws), loss_value(network, y, ws, ...), backward(network, y, ws, grads, ...),
    step(optimizer, params, grads, learning_rate), or None for the optimizer's own, gather(inputs, indices, out),
    deform(images, image_shape, deformation, rng, out).

    take_steps(network, optimizer, plan): many steps in one call, where there is such a function; for which parts, says
        can_take_steps(network, optimizer, penalty).
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
    gather: Callable[..., Any]
    deform: Callable[..., Any]
    can_take_steps: Callable[..., bool] = lambda *arguments: False
    take_steps: Callable[..., Any] = lambda *arguments: None
    each: Callable[..., list[Any]] = lambda function, items: list(map(function, items))
    one_thread_each: Callable[[], AbstractContextManager[None]] = nullcontext
    says: str = ""

    def run_steps(self, network: Network, optimizer: Optimizer, plan: Plan) -> Outcome:
        """Take the steps of a plan: change the network's parameters, the optimizer and the average in place.

        Gradient descent as textbooks have it: for each batch its loss, the gradient, and a step against the gradient.
        """
        if self.can_run_in_one_call(network, optimizer, plan):
            return run_in_one_call(self, network, optimizer, plan)
        params, buffers = network.parameters, plan.buffers or Buffers(network, plan.batch_size)
        ws, grads = buffers.workspace, buffers.grads
        outcome = Outcome(None if plan.score is None else plan.score.copy())
        penalty = plan.penalty
        step = optimizer.step if self.step is None else partial(self.step, optimizer)
        for index, learning_rate in enumerate(plan.learning_rates.tolist()):
            if plan.stop is not None and plan.stop[0]:
                break
            rows, loss = plan.batch(index), 0.0
            divisor = plan.weight(rows)
            for start in range(0, len(rows), ws.capacity):  # a large batch is worked through in pieces
                piece = rows[start : start + ws.capacity]
                targets = plan.targets[piece]
                if plan.takes_rows:
                    inputs = plan.inputs[piece]
                else:
                    inputs = self.gather(plan.inputs, piece, ws.input_buffer(len(piece)))
                deform_images(self, plan, inputs, plan.first_step + index, start)
                if any(network.dropout):
                    ws.draw_masks(plan.seed, plan.epoch, plan.first_step + index, start)
                outputs = self.forward(network, inputs, ws)
                weighed = {"sample_weight": plan.weights(piece), "divisor": divisor}
                loss += self.loss_value(network, targets, ws, **weighed)
                into = grads if start == 0 else buffers.piece_grads
                self.backward(network, targets, ws, into, **weighed)
                if start > 0:
                    np.add(grads.vector, into.vector, out=grads.vector)
                if outcome.score is not None:
                    outcome.score.add(outputs, targets)
            outcome.losses.append(loss)
            if not loss <= plan.highest_loss:
                break
            if plan.strengths is not None:
                vars(penalty)["strength"] = plan.strengths[index].item()
                outcome.penalties.append(penalty.value(params))
            if divisor > 0.0:
                penalty.add_gradient(params, grads)
                plan.clip.apply(grads)
                if plan.epsilons is not None:
                    vars(optimizer)["epsilon"] = plan.epsilons[index].item()
                buffers.is_changing = True
                before = None if plan.rate_factors is None else params.copy()
                step(params, grads, learning_rate)
                if before is not None:
                    scale_change(params, before, plan.rate_factors)
                plan.average.update(params)
            outcome.weights.append(divisor)
        return outcome

    def can_run_in_one_call(self, network: Network, optimizer: Optimizer, plan: Plan) -> bool:
        """Whether a compiled function takes all steps of such a plan: Python then sees none of them."""
        return (
            self.can_take_steps(network, optimizer, plan.penalty)
            and plan.batch_size <= LARGEST_BATCH
            and network.task == "classes"
            and type(plan.average) in (Latest, MovingAverage)
            and type(plan.clip) is NoClipping
            and all(each is None for each in (plan.strengths, plan.epsilons, plan.rate_factors, plan.stop))
        )

    @property
    def one_by_one(self) -> "Engine":
        """The same functions, without that of many steps, and with a BLAS's own threads."""
        return replace(self, can_take_steps=REFERENCE.can_take_steps, one_thread_each=nullcontext)

    def __repr__(self) -> str:
        return f"Engine({self.name!r})"


REFERENCE = Engine("numpy", forward, loss_value, backward, None, gather, deform)


def scale_change(params: Parameters, before: Parameters, factors: Any) -> None:
    """Multiply how far each array has come from `before` by its factor: as if that had stood at its learning rate."""
    arrays = zip((*params.weights, *params.biases), (*before.weights, *before.biases), factors, strict=True)
    for array, start, factor in arrays:
        array[:] = start + float(factor) * (array - start)


def deform_images(engine: Engine, plan: Plan, X: Array, step: int, start: int) -> None:
    """Deform, in place, a batch's images from number `start` on, where the plan says so."""
    if plan.deformation is not None:
        rng = generator(plan.seed, f"augment {start}", plan.epoch, step)
        engine.deform(X, plan.image_shape, plan.deformation, rng, X)


def run_in_one_call(engine: Engine, network: Network, optimizer: Optimizer, plan: Plan) -> Outcome:
    """The same, by the engine's function for many steps, on images that are all deformed before."""
    buffers = plan.buffers or Buffers(network, plan.batch_size)
    given = replace(plan if plan.deformation is None else with_images(engine, network, plan), buffers=buffers)
    buffers.is_changing = True
    losses, n_right, n_updates = engine.take_steps(network, optimizer, given)
    plan.average.steps += n_updates
    n_taken = int(np.count_nonzero(losses <= plan.highest_loss))
    if n_taken < len(losses):  # show the workspace what broke it
        broken = replace(plan, order=plan.batch(n_taken), first_step=plan.first_step + n_taken, score=None)
        broken.sample_weight, broken.highest_loss, broken.buffers = None, -math.inf, buffers
        engine.one_by_one.run_steps(network, optimizer, broken)
    samples = plan.order[: n_taken * plan.batch_size]
    score = None if plan.score is None else plan.score.copy()
    if score is not None:
        score.count(n_right, len(samples))
    return Outcome(score, losses.tolist(), plan.batch_weights()[:n_taken].tolist())


def with_images(engine: Engine, network: Network, plan: Plan) -> Plan:
    """The plan with its samples in their order, and the images deformed as its steps would deform them."""
    X = np.empty((len(plan.order), plan.inputs.shape[1]), network.dtype)

    def fill(index: int) -> None:
        rows = slice(index * plan.batch_size, (index + 1) * plan.batch_size)
        engine.gather(plan.inputs, plan.order[rows], X[rows])
        deform_images(engine, plan, X[rows], plan.first_step + index, 0)

    engine.each(fill, range(len(plan.learning_rates)))
    weights = None if plan.sample_weight is None else plan.sample_weight[plan.order]
    return replace(plan, inputs=X, targets=plan.targets[plan.order], sample_weight=weights, order=np.arange(len(X)))


def seconds_with_numpy(n_parameters: int, n_samples: int, batch_size: BatchSize, epochs: int) -> float:
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


@cache
def compiled_engine() -> Engine:
    """Numba's engine.

    Raises MissingExtraError where Numba is absent or broken, and FileError where it finds no folder for its kernels.
    """
    try:
        require("numba", "fast")
        from deltarule.compiled import augment, blas, kernels, memory, network, optimizers, steps, team

        kernels.announce_compilation()
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
