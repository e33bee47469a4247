"""Engine: takes the steps of a run, either one by one in NumPy, or many in one call of the library in C."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from deltarule.data.augment import deform
from deltarule.errors import FileError
from deltarule.native import engine_call
from deltarule.native.loader import library, most_threads
from deltarule.nn.arrays import Array, blocks
from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.randomness import generator
from deltarule.settings import ENGINES, check_choice
from deltarule.training.clip_and_average import ClipNorm, Latest, MovingAverage, NoClipping
from deltarule.training.plan import Buffers, Outcome, Plan, gather


@dataclass(frozen=True)
class Engine:
    """Takes training steps: in NumPy, or, if its name is "native", in C where possible. says: why this engine."""

    name: str
    says: str = field(default="", repr=False)

    def run_steps(self, network: Network, optimizer: Optimizer, plan: Plan) -> Outcome:
        """Take the steps of a plan, which change the network's parameters, the optimizer and the average in place.

        Gradient descent as in textbooks: for each batch its loss, the gradient, and a step against the gradient.
        """
        buffers = plan.buffers or Buffers(network, plan.batch_size)
        if self.can_run_in_one_call(network, optimizer, plan):
            return run_in_one_call(network, optimizer, plan, buffers)
        params, ws, grads = network.parameters, buffers.workspace, buffers.grads
        outcome, penalty = Outcome(None if plan.score is None else plan.score.copy()), plan.penalty
        steps = zip(plan.learning_rates.tolist(), plan.batch_weights().tolist(), strict=False)
        for index, (learning_rate, divisor) in enumerate(steps):
            if plan.stop is not None and plan.stop[0]:
                break
            rows, loss = plan.batch(index), 0.0
            for start in range(0, len(rows), ws.capacity):  # a large batch is processed in pieces
                piece = rows[start : start + ws.capacity]
                targets = plan.targets[piece]
                if isinstance(plan.inputs, np.ndarray):
                    inputs = gather(plan.inputs, piece, ws.input_buffer(len(piece)))
                else:  # for example rows of a sparse matrix, which stay sparse
                    inputs = plan.inputs[piece]
                self.deform_images(plan, inputs, plan.first_step + index, start)
                if any(network.dropout):
                    ws.draw_masks(plan.seed, plan.epoch, plan.first_step + index, start)
                outputs = forward(network, inputs, ws)
                weight = None if plan.sample_weight is None else plan.sample_weight[piece]
                weighed: dict[str, Any] = {"sample_weight": weight, "divisor": divisor}
                loss += loss_value(network, targets, ws, **weighed)
                into = grads if start == 0 else buffers.piece_grads
                backward(network, targets, ws, into, **weighed)
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
                optimizer.step(params, grads, learning_rate)
                if before is not None:
                    scale_change(params, before, plan.rate_factors)
                plan.average.update(params)
            outcome.weights.append(divisor)
        return outcome

    def can_run_in_one_call(self, network: Network, optimizer: Optimizer, plan: Plan) -> bool:
        """Whether the library in C can take the steps of such a plan in one call, without returning to Python."""
        return (
            self.name == NATIVE
            and isinstance(plan.inputs, np.ndarray)
            and plan.rate_factors is None
            and not engine_call.missing(network, optimizer, plan.penalty)
            and type(plan.average) in (Latest, MovingAverage)
            and type(plan.clip) in (NoClipping, ClipNorm)
            and (plan.deformation is None or plan.batch_size <= engine_call.PIECE_ROWS)
        )

    def deform_images(self, plan: Plan, X: Array, step: int, start: int) -> None:
        """If the plan has a deformation, deform X in place: the images of the step's batch from number `start` on."""
        if plan.deformation is not None and plan.image_shape is not None:
            rng = generator(plan.seed, f"augment {start}", plan.epoch, step)
            (engine_call.deform if self.name == NATIVE else deform)(X, plan.image_shape, plan.deformation, rng, X)


NATIVE = "native"
REFERENCE = Engine("numpy")


def scale_change(params: Parameters, before: Parameters, factors: Any) -> None:
    """Multiply what each array of `params` changed since `before` by its factor, as if its learning rate had it."""
    sizes = [array.size for array in (*params.weights, *params.biases)]
    params.vector[:] = before.vector + np.repeat(factors, sizes) * (params.vector - before.vector)


def run_in_one_call(network: Network, optimizer: Optimizer, plan: Plan, buffers: Buffers) -> Outcome:
    """Take the steps of a plan in one call of the library in C; any deformation of images is done beforehand."""
    given = plan if plan.deformation is None else with_images(network, plan)
    buffers.is_changing = True
    call = engine_call.take_steps(network, optimizer, given, buffers)
    n_seen, n_taken = call.n_losses, call.n_taken
    buffers.is_changing = n_taken > 0
    if n_seen:
        draws = (plan.seed, plan.epoch, plan.first_step + n_seen - 1)
        buffers.show = partial(engine_call.show, network, call, given.inputs, given.batch(n_seen - 1), draws)
    if plan.epsilons is not None and n_taken:
        vars(optimizer)["epsilon"] = plan.epsilons[n_taken - 1].item()
    samples, score = plan.order[: n_seen * plan.batch_size], None if plan.score is None else plan.score.copy()
    if score is not None and call.held.get("outputs") is None:
        score.count(int(call.held["n_right"][:n_seen].sum()), len(samples))
    elif score is not None:
        for rows in blocks(len(samples), plan.targets.shape[1]):
            score.add(call.held["outputs"][rows], plan.targets[samples[rows]])
    losses, weights, penalties = (call.held[name].tolist() for name in ("losses", "weights", "penalties"))
    return Outcome(score, losses[:n_seen], weights[:n_taken], [] if plan.strengths is None else penalties[:n_taken])


def with_images(network: Network, plan: Plan) -> Plan:
    """The plan with copies of its samples, in the order of its steps, already deformed as its steps would do it."""
    X = np.empty((len(plan.order), plan.inputs.shape[1]), network.dtype)

    def fill(index: int) -> None:
        rows = slice(index * plan.batch_size, (index + 1) * plan.batch_size)
        gather(plan.inputs, plan.order[rows], X[rows])
        Engine(NATIVE).deform_images(plan, X[rows], plan.first_step + index, 0)

    with ThreadPoolExecutor(most_threads()) as pool:
        list(pool.map(fill, range(len(plan.learning_rates))))
    weights = None if plan.sample_weight is None else plan.sample_weight[plan.order]
    return replace(plan, inputs=X, targets=plan.targets[plan.order], sample_weight=weights, order=np.arange(len(X)))


def engine(name: str, *run: Any) -> Engine:
    """The engine called `name`: "numpy"; "native"; or "auto", the native one if the library in C loads.

    run: the run's network, optimizer and penalty; if the library has no kernel for one of them, the result is the NumPy
        engine, and its `says` gives the reason.
    Raises SettingError for another name, and FileError for "native" if the library is not available.
    """
    check_choice("engine", name, ENGINES)
    if name == "numpy":
        return REFERENCE
    try:
        library()
    except FileError as error:
        if name == NATIVE:
            raise
        return replace(REFERENCE, says=str(error))
    without = engine_call.missing(*run) if run else []
    return replace(REFERENCE, says="; ".join(without)) if without else Engine(NATIVE)
