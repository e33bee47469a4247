"""Many steps, or an evaluation, in one call of the library: a Plan written down as the C structure Call."""

import ctypes
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from deltarule.native import codes
from deltarule.native.codes import POINTER
from deltarule.native.loader import call_interruptibly, function, instructions, threads_for
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.parts import kernel_values, missing_kernels
from deltarule.randomness import stream_key

LONG_CALL = 5e8  # operations: for a few milliseconds no thread is started that Ctrl-C can wait for
MOST_LAYERS = 64  # LAYERS_MOST of step.c
PIECE_ROWS = 1024  # PIECE of step.c
_RULE = ("rule", "beta_1", "beta_2", "epsilon", "weight_decay")


class StepCall(ctypes.Structure):
    """call.h's Call: numbers, and pointers for all else. `set` keeps alive what it points to."""

    _fields_ = list(codes.FIELDS.items())

    def set(self, **values: Any) -> None:
        """Set fields: numbers, arrays, lists of arrays, or None."""
        for name, value in values.items():
            if isinstance(value, list):
                value = (POINTER * len(value))(*[each.ctypes.data for each in value])
            vars(self)[f"_{name}"] = value
            if isinstance(value, np.ndarray):
                value = value.ctypes.data
            setattr(self, name, ctypes.addressof(value) if isinstance(value, ctypes.Array) else value)


class Taken(NamedTuple):
    """What came of some steps: of each its loss, the weight of its batch, the penalty, how many answers were right.

    outputs: a^L of all samples that they took, (samples, outputs), where there are no classes. n_taken: how many steps
    were taken; a last one that was not has a loss all the same. n_updates: how many of them were updates.
    """

    losses: Array
    weights: Array
    penalties: Array
    n_right: Array
    outputs: Array | None
    n_taken: int
    n_updates: int


def missing(network: Network, optimizer: Optimizer | None = None, penalty: Penalty | None = None) -> list[str]:
    """Why the library cannot train such a network, or evaluate it; nothing where it can."""
    parts = [*network.activations, network.loss, *([] if optimizer is None else [optimizer])]
    parts += [] if penalty is None or type(penalty) is Penalty else [penalty]
    reasons = missing_kernels(*parts)
    if network.dtype not in (np.float32, np.float64):
        reasons.append(f"the native engine computes in float32 and float64, the network in {network.dtype}")
    if len(network.weights) > MOST_LAYERS:
        reasons.append(f"the native engine takes {MOST_LAYERS} layers, the network has {len(network.weights)}")
    return reasons


def take_steps(network: Network, optimizer: Optimizer, plan: Any) -> Taken:
    """Take the steps of the training room's Plan, in its buffers; stop before one whose loss is too high."""
    params, grads, n_steps = network.parameters, plan.buffers.grads, len(plan.learning_rates)
    call, rule, order = call_for(network), kernel_values(optimizer) or (), np.ascontiguousarray(plan.order, np.int64)
    vectors = [*optimizer.moment_vectors(params, grads), None, None]
    moving = plan.average.moving_vector(params)
    call.set(gradient=grads.vector, first=vectors[0], second=vectors[1], average=moving if moving.size else None)
    set_samples(call, network, plan.inputs, plan.targets, plan.sample_weight, order)
    call.set(batch_size=plan.batch_size, n_steps=n_steps, highest_loss=plan.highest_loss)
    call.set(rates=np.ascontiguousarray(plan.learning_rates, np.float64), paces=plan.average.paces(n_steps))
    call.set(epsilons=_doubles(plan.epsilons), clip=getattr(plan.clip, "limit", np.inf))
    call.set(steps=optimizer.steps, **dict(zip(_RULE, rule, strict=True)))
    if plan.stop is not None:
        call.set(stop=plan.stop)
    kind = codes.L1 if isinstance(plan.penalty, L1) else codes.L2 if isinstance(plan.penalty, L2) else codes.NO_PENALTY
    call.set(penalty=kind, strength=plan.penalty.strength)
    call.set(strengths=None if kind == codes.NO_PENALTY else _doubles(plan.strengths))
    if any(network.dropout):
        call.set(keys=dropout_keys(len(network.dropout), n_steps, plan), dropout=_doubles(network.dropout))
    ws = plan.buffers.workspace
    ws.take_rows(min(ws.capacity, PIECE_ROWS))
    call.set(z=ws.z, a=ws.a, delta=ws.delta)
    try:
        results = run(call, network, plan.buffers)
    finally:
        optimizer.steps += call.n_updates
        plan.average.steps += call.n_updates
        ws.take_rows(max(call.n_last, 1))
    return results


def evaluate(
    network: Network, inputs: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[float, Array]:
    """The mean loss on samples, and a^L, (n_samples, outputs); nothing is dropped, no penalty is added."""
    call, order = call_for(network), np.arange(len(targets))
    set_samples(call, network, inputs, targets, sample_weight, order)
    outputs = np.empty((len(order), network.layer_sizes[-1]), network.dtype)
    call.set(batch_size=len(order), n_steps=1, is_evaluation=1, highest_loss=np.inf, clip=np.inf, outputs=outputs)
    taken = run(call, network, None)
    return float(taken.losses[0]), outputs


def call_for(network: Network) -> StepCall:
    """A call that knows the network, and nothing else."""
    call, parts = StepCall(), [kernel_values(each) for each in (*network.activations, network.loss)]
    values = [(code, *settings) for code, *settings in filter(None, parts)]
    kinds, settings = np.array([v[0] for v in values], np.int64), np.array([v[1] for v in values])
    call.set(n_layers=len(values) - 1, sizes=np.array(network.layer_sizes), activations=kinds, settings=settings)
    call.set(loss=int(kinds[-1]), smoothing=float(settings[-1]), has_shortcut=int(network.has_shortcut))
    call.set(parameters=network.parameters.vector)
    return call


def set_samples(
    call: StepCall, network: Network, inputs: Array, targets: Array, sample_weight: Array | None, order: Array
) -> None:
    """Tell a call where the samples lie; other numbers than the library reads are copied into such as it does."""
    inputs = np.asarray(inputs)
    kind = {"uint8": codes.PIXELS, "float32": codes.FLOATS, "float64": codes.DOUBLES}.get(inputs.dtype.name)
    if kind is None or not inputs.dtype.isnative:
        inputs, kind = inputs.astype(np.float64), codes.DOUBLES
    call.set(inputs=inputs, input_kind=kind, input_row=inputs.strides[0], input_column=inputs.strides[1])
    known = {"uint8": codes.BYTES, "float32": codes.FLOAT_TARGETS, "float64": codes.DOUBLE_TARGETS}
    if targets.ndim == 1:
        targets, kind = targets.astype(np.int64, copy=False), codes.CLASSES
    else:
        targets = targets if targets.dtype.name in known else targets.astype(np.float64)
        kind = known[targets.dtype.name]
    call.set(targets=targets, target_kind=kind, target_row=targets.strides[0], target_column=targets.strides[-1])
    call.set(sample_weight=_doubles(sample_weight), order=order, n_order=len(order))


def _doubles(values: Sequence[float] | Array | None) -> Array | None:
    return None if values is None else np.ascontiguousarray(values, np.float64)


def dropout_keys(n_layers: int, n_steps: int, plan: Any) -> Array:
    """The key of each hidden layer's stream at each step, as randomness.generator_at has it: (steps, layers, 2)."""
    places = product(range(n_steps), range(n_layers))
    names = [stream_key(plan.seed, f"dropout {l}", plan.epoch, plan.first_step + step) for step, l in places]
    keys = [np.random.SeedSequence(name).generate_state(2, np.uint64) for name in names]
    return np.concatenate(keys)


def run(call: StepCall, network: Network, buffers: Any) -> Taken:
    """Make the call."""
    n_steps, batch_size = call.n_steps, call.batch_size
    losses, weights, penalties = np.zeros((3, n_steps))
    n_right, stop = np.zeros(n_steps, np.int64), vars(call).get("_stop", np.zeros(1, np.uint8))
    outputs = vars(call).get("_outputs")
    if outputs is None and call.target_kind != codes.CLASSES:
        outputs = np.empty((call.n_order, network.layer_sizes[-1]), network.dtype)
        call.set(outputs=outputs)
    call.set(losses=losses, weights=weights, penalties=penalties, n_right=n_right, stop=stop)
    flops = 6.0 * network.parameters.size * min(batch_size, 1024)
    with threads_for(flops) as n_threads:
        call.n_threads = n_threads
        sizes = (function("room_bytes", network.dtype)(ctypes.byref(call)), instructions(), n_threads)
        call.set(room=np.zeros(sizes[0], np.uint8) if buffers is None else buffers.scratch(*sizes))
        called = function("run", network.dtype)
        if flops / batch_size * call.n_order < LONG_CALL:
            called(ctypes.byref(call))
        else:
            call_interruptibly(called, ctypes.byref(call), stop)
    n = call.n_losses
    return Taken(losses[:n], weights[:n], penalties[:n], n_right[:n], outputs, call.n_taken, call.n_updates)
