"""Calls the library in C: many training steps, an evaluation, or the deformation of images in one call."""

import ctypes
from collections.abc import Sequence
from functools import partial
from operator import is_
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from deltarule.data.augment import Deformation, affine_maps, check_images, elastic_noise, gaussian_matrix, pen_widths
from deltarule.native import codes
from deltarule.native.codes import POINTER, WHOLE
from deltarule.native.loader import call_interruptibly, function, is_compiled, library, threads_for
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.nn.workspace import Workspace, as_floats
from deltarule.parts import kernel_values, missing_kernels
from deltarule.randomness import stream_key

_READ = [np.dtype(each) for each in (np.uint8, np.float32, np.float64)]
PIXELS = codes.PIXELS
INPUTS = dict(zip(_READ, (PIXELS, codes.FLOATS, codes.DOUBLES), strict=True))
TARGETS = dict(zip(_READ, (codes.BYTES, codes.FLOAT_TARGETS, codes.DOUBLE_TARGETS), strict=True))
FEW_PRODUCTS = 1e6  # operations: up to some 0.05 milliseconds, a call runs without other threads
LONG_CALL = 5e8  # operations: below a few milliseconds no thread is started for the sake of Ctrl-C
MOST_LAYERS = 64  # LAYERS_MOST of step.c
PIECE_ROWS = 1024  # PIECE of step.c
LANES = 32  # a multiple of two vectors of any instruction set
_RULE = ("rule", "beta_1", "beta_2", "epsilon", "weight_decay")
_RESULTS = ("losses", "weights", "penalties", "n_right")


class StepCall(ctypes.Structure):
    """The structure Call of call.h: numbers, and pointers to arrays, which `set` keeps alive."""

    _fields_ = list(codes.FIELDS.items())

    held: dict[str, Any]  # the arrays that the fields point to
    given: tuple[Any, ...]  # the objects that `call_for` made the call for
    layout: tuple[Any, ...]  # what the size of the call's memory, `room`, depends on

    def set(self, **values: Any) -> None:
        """Set fields to numbers, arrays or None. Setting a field to the array that it has already takes no time."""
        for name, value in values.items():
            if codes.FIELDS[name] is not POINTER:
                setattr(self, name, value)
            elif self.held.get(name) is not value:
                self.held[name] = value
                setattr(self, name, None if value is None else address(value))


def address(array: Any) -> int:
    """The address in memory of an array's data; NumPy's own attribute for it takes four times as long."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    except (TypeError, ValueError, BufferError):  # it is empty, read-only, or its numbers do not lie side by side
        return int(array.ctypes.data)


_Quick = ctypes.PYFUNCTYPE(None, POINTER, POINTER, WHOLE, WHOLE, POINTER)  # a call during which no other thread runs
_answering: WeakKeyDictionary[Parameters, tuple[Any, Any]] = WeakKeyDictionary()  # activations, a predictor


def missing(network: Network, optimizer: Optimizer | None = None, penalty: Penalty | None = None) -> list[str]:
    """The reasons, in words, why the library cannot train or evaluate such a network; [] if it can."""
    parts = [*network.activations, network.loss, *([] if optimizer is None else [optimizer])]
    parts += [] if penalty is None or type(penalty) is Penalty else [penalty]
    reasons = missing_kernels(*parts)
    if network.dtype.char not in "fd":
        reasons.append(f"the native engine computes in float32 and float64, the network in {network.dtype}")
    if len(network.weights) > MOST_LAYERS:
        reasons.append(f"the native engine takes {MOST_LAYERS} layers, the network has {len(network.weights)}")
    return reasons


def take_steps(network: Network, optimizer: Optimizer, plan: Any, buffers: Any) -> StepCall:
    """Take the training steps of a Plan, in these Buffers; stop before a step whose loss is too high.

    Returns the call, which the buffers keep: it has the results, and the outputs of all samples if a score needs them.
    """
    params, grads, n_steps = network.parameters, buffers.grads, len(plan.learning_rates)
    call = buffers.call = call_for(network, plan.inputs, plan.targets, plan.sample_weight, held=buffers.call)
    vectors, average = [*optimizer.moment_vectors(params, grads), None, None], plan.average
    rule = dict(zip(_RULE, kernel_values(optimizer) or (), strict=True))
    kind = codes.L1 if isinstance(plan.penalty, L1) else codes.L2 if isinstance(plan.penalty, L2) else codes.NO_PENALTY
    dropped = (dropout_keys(plan, network.dropout), _doubles(network.dropout)) if any(network.dropout) else (None, None)
    call.set(gradient=grads.vector, first=vectors[0], second=vectors[1])
    call.set(average=average.parameters.vector if hasattr(average, "decay") else None, paces=average.paces(n_steps))
    call.set(order=np.ascontiguousarray(plan.order, np.int64), n_order=len(plan.order), batch_size=plan.batch_size)
    call.set(n_steps=n_steps, highest_loss=plan.highest_loss, clip=getattr(plan.clip, "limit", np.inf))
    call.set(rates=_doubles(plan.learning_rates), epsilons=_doubles(plan.epsilons))
    call.set(penalty=kind, strength=plan.penalty.strength, steps=optimizer.steps, **rule)
    call.set(strengths=None if kind == codes.NO_PENALTY else _doubles(plan.strengths))
    call.set(stop=np.zeros(1, np.uint8) if plan.stop is None else plan.stop, keys=dropped[0], dropout=dropped[1])
    has_outputs = plan.score is not None and call.target_kind != codes.CLASSES
    call.set(outputs=np.empty((call.n_order, network.layer_sizes[-1]), network.dtype) if has_outputs else None)
    try:
        run(call, network)
    finally:
        for each in (optimizer, average):
            vars(each)["steps"] = each.steps + call.n_updates
    return call


def show(network: Network, call: StepCall, inputs: Array, rows: Array, draws: tuple[int, ...], ws: Workspace) -> None:
    """Copy what a call computed for its last rows to workspace `ws`: z, a, delta, layers' inputs and dropout masks.

    rows: the indices of the last step's samples. draws: the key of that step's random numbers: seed, epoch, step.
    """
    ws.take_rows(call.n_last)
    call.set(**{name: np.array([each.ctypes.data for each in vars(ws)[name]]) for name in ("z", "a", "delta")})
    function("show", network.dtype)(ctypes.byref(call))
    start = (len(rows) - 1) // ws.capacity * ws.capacity
    if any(network.dropout):
        ws.draw_masks(draws[0], draws[1], draws[2], start)
    ws.begin(as_floats(inputs[rows[start:]], network.dtype))
    for l in range(len(network.dropout)):
        ws.drop(l)


def outputs(network: Network, X: Array) -> Array | None:
    """The outputs for X, (n_samples, outputs), as nn.network's outputs_of gives them; None if the library cannot.

    A row gives the same bits in any batch. The library is not compiled for this. A few rows take no threads.
    """
    activations, answer = _answering.get(network.parameters, (None, None))
    if activations is not network.activations:
        has_kernel = is_compiled() and not missing(network)
        quick = _Quick((function("answer", network.dtype).__name__, library())) if has_kernel else None
        answer = quick and partial(quick, ctypes.byref(call_for(network)))
        _answering[network.parameters] = network.activations, answer
    if answer is None or X.ndim != 2 or X.shape[1] != network.layer_sizes[0]:
        return None
    vector, kind = network.parameters.vector, INPUTS.get(X.dtype)
    if kind is None or (kind == PIXELS and not network.pixels):
        X, kind = X.astype(vector.dtype), INPUTS[vector.dtype]
    if len(X) * vector.size > FEW_PRODUCTS:
        return evaluate(network, X)[1]
    a, X = np.empty((len(X), network.layer_sizes[-1]), vector.dtype), np.ascontiguousarray(X)
    answer(address(X), kind, len(X), address(a))
    return a


def evaluate(network: Network, inputs: Array, targets: Any = None, weights: Any = None) -> tuple[float, Array]:
    """The mean loss on samples, and the outputs for them, (n_samples, outputs); without dropout or penalty."""
    call, n = call_for(network, inputs, targets, weights), len(inputs)
    a = np.empty((n, network.layer_sizes[-1]), network.dtype)
    call.set(order=np.arange(n), n_order=n, batch_size=n, n_steps=1, outputs=a, stop=np.zeros(1, np.uint8))
    call.set(is_evaluation=1, highest_loss=np.inf, clip=np.inf)
    run(call, network)
    return float(call.held["losses"][0]), a


def call_for(network: Network, *samples: Any, held: StepCall | None = None) -> StepCall:
    """A call for this network and `samples`: inputs, targets, weights. `held` itself if it was made for the same."""
    given = (network.activations, network.loss, network.parameters.vector, *samples)
    if held is not None and all(map(is_, held.given, given)):
        return held
    call, parts = StepCall(), [kernel_values(each) for each in (*network.activations, network.loss)]
    call.held, call.given, call.layout = {}, given, ()
    values = [(code, *settings) for code, *settings in filter(None, parts)]
    kinds, settings = np.array([v[0] for v in values], np.int64), np.array([v[1] for v in values])
    call.set(n_layers=len(values) - 1, sizes=np.array(network.layer_sizes), activations=kinds, settings=settings)
    call.set(loss=int(kinds[-1]), smoothing=float(settings[-1]), has_shortcut=int(network.has_shortcut))
    call.set(parameters=network.parameters.vector)
    if not samples:
        return call
    inputs, targets, weights = samples  # other dtypes are copied to one that the library reads
    inputs = inputs if inputs.dtype in INPUTS else inputs.astype(np.float64)
    call.set(inputs=inputs, input_kind=INPUTS[inputs.dtype], sample_weight=_doubles(weights))
    call.set(input_row=inputs.strides[0], input_column=inputs.strides[1])
    if targets is None:
        call.set(target_kind=codes.NO_TARGETS)
        return call
    if targets.ndim == 1:
        targets, kind = targets.astype(np.int64, copy=False), codes.CLASSES
    else:
        targets = targets if targets.dtype in TARGETS else targets.astype(np.float64)
        kind = TARGETS[targets.dtype]
    call.set(targets=targets, target_kind=kind, target_row=targets.strides[0], target_column=targets.strides[-1])
    return call


def _doubles(values: Sequence[float] | Array | None) -> Array | None:
    return None if values is None else np.ascontiguousarray(values, np.float64)


def dropout_keys(plan: Any, rates: Sequence[float]) -> Array:
    """The keys of random numbers, two uint64 for each hidden layer at each step, as in generator_at: one flat array."""
    steps = range(plan.first_step, plan.first_step + len(plan.learning_rates))
    names = (stream_key(plan.seed, f"dropout {l}", plan.epoch, step) for step in steps for l in range(len(rates)))
    return np.concatenate([np.random.SeedSequence(name).generate_state(2, np.uint64) for name in names])


def run(call: StepCall, network: Network) -> None:
    """Call the library's `run`. The results are in `call.held`, until the next time overwrites them."""
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


class Deform(ctypes.Structure):
    """The structure Deform of deform.c."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("images", "out")),
        *((name, ctypes.c_int64) for name in ("images_row", "out_row", "n", "height", "width")),
        *((name, ctypes.c_void_p) for name in ("maps", "widths", "noise", "down", "across", "room")),
    ]


def deform(
    images: Array, image_shape: tuple[int, int], deformation: Deformation, rng: np.random.Generator, out: Array
) -> Array:
    """Deform images in C as `data.augment.deform` does. Each row of `out` must be contiguous; it may be `images`."""
    check_images(images, image_shape)
    n, (height, width), dtype = len(images), image_shape, images.dtype
    maps = affine_maps(n, image_shape, deformation, rng).astype(dtype)
    noise = elastic_noise(n, image_shape, deformation, rng)
    widths = pen_widths(n, deformation, rng).astype(dtype)
    pixels = images if images.strides[1] == images.itemsize else np.ascontiguousarray(images)
    down = across = None
    if noise.size:
        down = (gaussian_matrix(height, deformation.elastic_sigma) * (deformation.elastic_alpha / 127.5)).astype(dtype)
        across = np.zeros((width, -(-width // LANES) * LANES), dtype)
        across[:, :width] = gaussian_matrix(width, deformation.elastic_sigma).T
    call = Deform(images_row=pixels.strides[0] // dtype.itemsize, out_row=out.strides[0] // dtype.itemsize, n=n)
    call.height, call.width = image_shape
    room = np.empty(function("deform_room", dtype)(ctypes.byref(call)), dtype)
    given = {"images": pixels, "out": out, "maps": maps, "room": room, "down": down, "across": across}
    given |= {"noise": noise if noise.size else None, "widths": widths if widths.size else None}
    for name, array in given.items():
        setattr(call, name, None if array is None else array.ctypes.data)
    function("deform", dtype)(ctypes.byref(call))
    return out
