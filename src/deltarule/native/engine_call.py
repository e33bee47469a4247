"""Many steps, or an evaluation, in one call of the library: a Plan written down as the C structure Call."""

import ctypes
from collections.abc import Sequence
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from deltarule.native import codes
from deltarule.native.loader import call_interruptibly, function, threads_for
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.nn.workspace import Workspace
from deltarule.parts import kernel_values, missing_kernels
from deltarule.randomness import stream_key

LONG_CALL = 5e8  # operations: for a few milliseconds no thread is started that Ctrl-C can wait for
MOST_LAYERS = 64  # LAYERS_MOST of step.c
PIECE_ROWS = 1024  # PIECE of step.c
WHOLE, POINTER, REAL = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
_FIELDS = {
    WHOLE: "n_layers loss has_shortcut input_kind input_row input_column target_kind target_row target_column n_order "
    "batch_size n_steps is_evaluation rule penalty steps n_threads n_losses n_taken n_updates n_last",
    REAL: "smoothing beta_1 beta_2 epsilon weight_decay strength clip highest_loss",
}
_KINDS: dict[str, Any] = {name: kind for kind, names in _FIELDS.items() for name in names.split()}
_ORDER = """n_layers sizes activations settings dropout loss has_shortcut smoothing parameters gradient first second
    average inputs input_kind input_row input_column targets target_kind target_row target_column sample_weight order
    n_order batch_size n_steps is_evaluation keys rule penalty steps beta_1 beta_2 epsilon weight_decay strength clip
    highest_loss rates paces strengths epsilons n_threads stop losses weights penalties n_right outputs z a delta room
    n_losses n_taken n_updates n_last"""

_RULE = ("rule", "beta_1", "beta_2", "epsilon", "weight_decay")
_RESULTS = ("losses", "weights", "penalties", "n_right")


class StepCall(ctypes.Structure):
    """call.h's Call: numbers, and pointers for all else. `set` keeps alive what it points to."""

    _fields_ = [(name, _KINDS.get(name, POINTER)) for name in _ORDER.split()]

    def __init__(self, **values: Any) -> None:
        super().__init__()
        self.held: dict[str, Any] = {}  # what the fields were set to
        self.given: tuple[Any, ...] = ()  # what call_for made it of
        self.layout: tuple[Any, ...] = ()  # what the size of its room depends on
        self.set(**values)

    def set(self, **values: Any) -> None:
        """Set fields: numbers, arrays, lists of arrays, or None. What is there already takes no time."""
        for name, value in values.items():
            if name in _KINDS:
                setattr(self, name, value)
            elif self.held.get(name) is not value:
                self.held[name] = value
                if isinstance(value, list):
                    self.held[f"{name} as pointers"] = (POINTER * len(value))(*[each.ctypes.data for each in value])
                    setattr(self, name, ctypes.addressof(self.held[f"{name} as pointers"]))
                else:
                    setattr(self, name, None if value is None else value.ctypes.data)


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
    call = plan.buffers.call = call_for(network, plan.inputs, plan.targets, plan.sample_weight, plan.buffers.call)
    vectors, moving = [*optimizer.moment_vectors(params, grads), None, None], plan.average.moving_vector(params)
    rule = dict(zip(_RULE, kernel_values(optimizer) or (), strict=True))
    kind = codes.L1 if isinstance(plan.penalty, L1) else codes.L2 if isinstance(plan.penalty, L2) else codes.NO_PENALTY
    dropped = (dropout_keys(plan, network.dropout), _doubles(network.dropout)) if any(network.dropout) else (None, None)
    call.set(gradient=grads.vector, first=vectors[0], second=vectors[1], average=moving if moving.size else None)
    call.set(order=np.ascontiguousarray(plan.order, np.int64), n_order=len(plan.order), batch_size=plan.batch_size)
    call.set(n_steps=n_steps, highest_loss=plan.highest_loss, clip=getattr(plan.clip, "limit", np.inf))
    call.set(rates=_doubles(plan.learning_rates), paces=plan.average.paces(n_steps), epsilons=_doubles(plan.epsilons))
    call.set(penalty=kind, strength=plan.penalty.strength, steps=optimizer.steps, **rule)
    call.set(strengths=None if kind == codes.NO_PENALTY else _doubles(plan.strengths))
    call.set(stop=np.zeros(1, np.uint8) if plan.stop is None else plan.stop)
    call.set(keys=dropped[0], dropout=dropped[1])
    has_outputs = plan.score is not None and call.target_kind != codes.CLASSES
    call.set(outputs=np.empty((call.n_order, network.layer_sizes[-1]), network.dtype) if has_outputs else None)
    try:
        return run(call, network)
    finally:
        optimizer.steps += call.n_updates
        plan.average.steps += call.n_updates


def show(call: StepCall, dtype: np.dtype[Any], ws: Workspace) -> None:
    """Bring a workspace to what the last piece of a call's last step came to."""
    ws.take_rows(max(call.n_last, 1))
    call.set(z=ws.z, a=ws.a, delta=ws.delta)
    function("show", dtype)(ctypes.byref(call))


def evaluate(
    network: Network, inputs: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[float, Array]:
    """The mean loss on samples, and a^L, (n_samples, outputs); nothing is dropped, no penalty is added."""
    call, n = call_for(network, inputs, targets, sample_weight), len(targets)
    outputs = np.empty((n, network.layer_sizes[-1]), network.dtype)
    call.set(order=np.arange(n), n_order=n, batch_size=n, n_steps=1, outputs=outputs, stop=np.zeros(1, np.uint8))
    call.set(is_evaluation=1, highest_loss=np.inf, clip=np.inf)
    return float(run(call, network).losses[0]), outputs


def call_for(
    network: Network, inputs: Array, targets: Array, sample_weight: Array | None, held: StepCall | None = None
) -> StepCall:
    """A call that knows the network and the samples: `held`, where it is one for these very objects."""
    given = (network.activations, network.loss, network.parameters.vector, inputs, targets, sample_weight)
    if held is not None and all(map(is_, held.given, given)):
        return held
    call, parts = StepCall(), [kernel_values(each) for each in (*network.activations, network.loss)]
    call.given = given
    values = [(code, *settings) for code, *settings in filter(None, parts)]
    kinds, settings = np.array([v[0] for v in values], np.int64), np.array([v[1] for v in values])
    call.set(n_layers=len(values) - 1, sizes=np.array(network.layer_sizes), activations=kinds, settings=settings)
    call.set(loss=int(kinds[-1]), smoothing=float(settings[-1]), has_shortcut=int(network.has_shortcut))
    call.set(parameters=network.parameters.vector)
    set_samples(call, inputs, targets, sample_weight)
    return call


def set_samples(call: StepCall, inputs: Array, targets: Array, sample_weight: Array | None) -> None:
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
    call.set(sample_weight=_doubles(sample_weight))


def _doubles(values: Sequence[float] | Array | None) -> Array | None:
    return None if values is None else np.ascontiguousarray(values, np.float64)


def dropout_keys(plan: Any, rates: Sequence[float]) -> Array:
    """The key of each hidden layer's stream at each step, as randomness.generator_at has it: (steps, layers, 2)."""
    steps = range(plan.first_step, plan.first_step + len(plan.learning_rates))
    names = (stream_key(plan.seed, f"dropout {l}", plan.epoch, step) for step in steps for l in range(len(rates)))
    return np.concatenate([np.random.SeedSequence(name).generate_state(2, np.uint64) for name in names])


def run(call: StepCall, network: Network) -> Taken:
    """Make the call. What it returns lies where the next one with this StepCall writes again."""
    n_steps, dtype, held = call.n_steps, network.dtype, call.held
    call.set(n_losses=0, n_taken=0, n_updates=0, n_last=0)
    if len(held.get("losses", ())) != n_steps:
        call.set(**{name: np.zeros(n_steps, np.int64 if name == "n_right" else np.float64) for name in _RESULTS})
    flops = 6.0 * network.parameters.size * min(call.batch_size, PIECE_ROWS)
    with threads_for(flops) as n_threads:
        called = function("run", dtype)
        layout = (called, n_threads, call.batch_size, call.keys is None)
        if call.layout != layout:
            call.n_threads, call.layout = n_threads, layout
            call.set(room=np.zeros(function("room_bytes", dtype)(ctypes.byref(call)), np.uint8))
        if flops / call.batch_size * call.n_order < LONG_CALL:
            called(ctypes.byref(call))
        else:
            call_interruptibly(called, ctypes.byref(call), held["stop"])
    losses, weights, penalties, n_right = (held[name][: call.n_losses] for name in _RESULTS)
    return Taken(losses, weights, penalties, n_right, held.get("outputs"), call.n_taken, call.n_updates)
