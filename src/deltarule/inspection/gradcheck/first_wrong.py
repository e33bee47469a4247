"""Which array of a program is the first that is wrong, and by which mistake.

Every array is judged by those before it as the program has them, right or wrong: so a mistake is found in its own line,
and not in the lines that carry it on. Where delta is not known, it is inferred from dC/dW and dC/db. Of several
explanations the one with the fewest mistakes is believed.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from deltarule.inspection.gradcheck.catalog import TEXTS, Judgement, Observed, Wrong, mistake_of
from deltarule.inspection.gradcheck.explanation import (
    NAMED,
    UNKNOWN,
    Fitting,
    Option,
    conventions,
    explanation,
    factor_slips,
    fit,
)
from deltarule.inspection.gradcheck.formulas import ALIKE
from deltarule.inspection.gradcheck.numeric_gradient import Problem, relative_error
from deltarule.inspection.gradcheck.slips import (
    Flow,
    Slip,
    losses_for,
    right_deltas,
    twice_wrong_deltas,
    wrong_a,
    wrong_biases,
    wrong_deltas,
    wrong_weights,
    wrong_z,
)
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss

BEAM = 4  # explanations that are followed at once
CONVENTION, HIDDEN_FACTOR, BOTH, TWICE, LOST = 0.2, 1.1, 1.2, 2.2, 4.0  # beside NAMED and UNKNOWN
FACTORS = ("undivided", "divided-twice", "times-outputs", "by-outputs", "factor-two", "factor")
Chosen = Callable[[str, int, Slip], bool]


class Claim(NamedTuple):
    """A mistake in the making: a key of mistakes.toml, with what its sentence needs."""

    quantity: str
    layer: int | None
    key: str
    values: Mapping[str, Any]
    error: float | None = None


class LossReading(NamedTuple):
    """Which loss the number is that a program returns; kind: None where it is none that is known."""

    kind: Loss | None
    factor: float = 1.0
    key: str = ""
    values: Mapping[str, Any] = {}


@dataclass(frozen=True, eq=False)
class State:
    """An explanation of the layers so far. scale: what the program's deltas are multiplied by to be dC/dz.

    kind, factor: the loss that the gradient is of, and times how much. lost: nothing explains a layer behind this one.
    """

    flow: Flow
    cost: float = 0.0
    claims: tuple[Claim, ...] = ()
    right: tuple[tuple[str, int | None], ...] = ()
    kind: Loss | None = None
    factor: float = 1.0
    scale: float = 1.0
    lost: bool = False

    def because(self, option: Option, quantity: str, l: int, error: float) -> Self:
        """The same with one more array explained."""
        found = tuple(Claim(quantity, l, key, values, error) for key, values in option.slips)
        right = self.right if found else (*self.right, (quantity, l))
        return replace(self, cost=self.cost + option.cost, claims=self.claims + found, right=right)

    def carrying(self, layer: "Layer", delta: Array, **changes: Any) -> Self:
        """The same with delta of one more layer."""
        dW = layer.parts.get("dW")
        stepped = self.flow.stepped if dW is None else {**self.flow.stepped, layer.l: dW + layer.penalty}
        flow = replace(self.flow, deltas={**self.flow.deltas, layer.l: delta}, stepped=stepped)
        return replace(self, flow=flow, **changes)


def first_wrong(problem: Problem, observed: Observed) -> Wrong | None:
    """The first array that is wrong, in the order of the data's way; None where all are right."""
    return next(iter(judgement(problem, observed).wrong), None)


@np.errstate(all="ignore")
def judgement(problem: Problem, observed: Observed) -> Judgement:
    """What is right and what is wrong: z and a from the first layer, the loss, then delta, dW and db from the last."""
    observed, misshapen = with_shapes(problem, observed)
    start = forward_state(problem, observed)
    reading = loss_reading(start.flow, observed.loss)
    best = backward_states(start, observed, reading)[0]
    if reading.kind is None and (reading.key or best.cost >= TWICE) and observed.z is observed.a is None:
        is_given, cost = bool(reading.key), best.cost + (UNKNOWN if reading.key else 0.0)
        for other in other_states(problem, observed):
            other_reading = loss_reading(other.flow, observed.loss)
            if is_given == (other_reading.kind is None) or not (is_given or has_right_outputs(other, observed)):
                continue  # without a loss, all of the gradient must be right
            explained = backward_states(other, observed, other_reading, depth=2 if is_given else 1)[0]
            if explained.cost < min(cost, math.inf if is_given else NAMED + BOTH):
                best, reading, cost = explained, other_reading, explained.cost
    found = [*misshapen, *loss_claims(problem, observed, reading, best), *best.claims]
    notes = notes_of(problem, observed, reading, best)
    is_fit = not any(each.key in ("delta-a-minus-t", "loss-of-gradient") for each in found)
    return Judgement(
        wrong_of(problem, found),
        best.right,
        notes,
        best.kind if is_fit else None,
        best.factor if notes and best.factor > 0.0 else 1.0,
    )


def entry(arrays: Sequence[Array | None] | None, l: int) -> Array | None:
    """One layer's array, where it is known."""
    return None if arrays is None or l >= len(arrays) else arrays[l]


def with_shapes(problem: Problem, observed: Observed) -> tuple[Observed, list[Claim]]:
    """What is observed as arrays of float64 of the right shape, and what has another shape."""
    params, claims, kept = problem.network.parameters, list[Claim](), dict[str, Any]()
    wide = [(len(problem.X), len(b)) for b in params.biases]
    for name, quantity, shapes in (
        *((name, name, wide) for name in ("z", "a", "delta")),
        ("weights", "dW", [W.shape for W in params.weights]),
        ("biases", "db", [b.shape for b in params.biases]),
    ):
        given = getattr(observed, name)
        kept[name] = None if given is None else [None] * len(shapes)
        for l, shape in enumerate(shapes):
            array = entry(given, l)
            if array is None:
                continue
            array = np.asarray(array, np.float64)
            if quantity == "db" and array.size in (1, *shape):
                array = np.broadcast_to(array.ravel(), shape)
            if array.shape == shape:
                kept[name][l] = array
            else:
                claims.append(Claim(quantity, l, "shape", {"shape": array.shape, "right": shape}))
    loss = np.asarray(np.nan if observed.loss is None else observed.loss, np.float64)
    if loss.size != 1:
        claims.append(Claim("loss", None, "loss-array", {"shape": loss.shape}))
    return Observed(loss.item() if loss.size == 1 and observed.loss is not None else None, **kept), claims


# The forward pass


def forward_state(problem: Problem, observed: Observed, chosen: Chosen = lambda quantity, l, slip: False) -> State:
    """The forward pass as it is observed; with the slips that are chosen where it is not."""
    state, own = State(Flow(problem, problem.network.activations, [], [])), problem.network.activations
    for l, (W, b) in enumerate(zip(problem.network.weights, problem.network.biases, strict=True)):
        z = entry(observed.z, l)
        state = with_array(state, "z", state.flow.inputs[l] @ W + b, z, chosen)
        state = with_array(state, "a", own[l].value(state.flow.z[l]), entry(observed.a, l), chosen)
    return state


def with_array(state: State, name: str, right: Array, found: Array | None, chosen: Chosen) -> State:
    """z or a of the next layer added to a forward pass."""
    flow, l, option = state.flow, len(getattr(state.flow, name)), Option(0.0)
    slips = (wrong_z if name == "z" else wrong_a)(flow, l)
    array = right if found is None else found
    if found is not None:
        option = explanation(found, right, slips, flow.problem)
    elif slip := next((each for each in slips if chosen(name, l, each)), None):
        array, option = slip.array, Option(0.0, ((slip.key, slip.values),))
    for _, values in option.slips:
        if "activation" in values:
            flow = replace(flow, activations=(*flow.activations[:l], values["activation"], *flow.activations[l + 1 :]))
    flow = replace(flow, z=[*flow.z, array]) if name == "z" else replace(flow, a=[*flow.a, array])
    state = replace(state, flow=flow)
    is_said = found is not None or option.slips
    return state.because(option, name, l, relative_error(array, right)) if is_said else state


def other_states(problem: Problem, observed: Observed) -> Iterator[State]:
    """Forward passes with one slip, in one layer or in all where it can happen."""
    seen: dict[tuple[str, str, str], list[int]] = {}
    flow = forward_state(problem, Observed()).flow
    for l, name in ((l, name) for l in range(len(flow.weights)) for name in ("z", "a")):
        before = replace(flow, z=flow.z[: l + (name == "a")], a=flow.a[:l])
        for slip in (wrong_z if name == "z" else wrong_a)(before, l):
            seen.setdefault((name, slip.key, str(slip.values)), []).append(l)
    for what, layers in seen.items():
        hidden = tuple(l for l in layers if l + 1 < len(flow.weights))
        for at in dict.fromkeys([*((l,) for l in layers), hidden, tuple(layers)]):

            def chosen(name: str, l: int, slip: Slip) -> bool:
                return l in at and what == (name, slip.key, str(slip.values))  # noqa: B023 (called before the next turn)

            if at:
                yield replace(forward_state(problem, observed, chosen), cost=NAMED)


# The loss


def loss_reading(flow: Flow, yours: float | None) -> LossReading:
    """Which loss the number is."""
    if yours is None:
        return LossReading(None)
    problem, outputs = flow.problem, flow.a[-1]
    penalty, scales = problem.penalty.value(problem.network.parameters), conventions(problem)
    for kind in losses_for(flow):
        value = kind.value(outputs, problem.y, problem.shares)
        for factor in scales:
            for key, number, values in (
                ("", factor * value + penalty, {}),
                ("", factor * (value + penalty), {}),
                ("loss-without-penalty", factor * value, {}),
                ("loss-sign", -factor * value, {}),
                ("loss-log", factor * value / math.log(2.0), {"base": 2}),
                ("loss-log", factor * value / math.log(10.0), {"base": 10}),
            ):
                if math.isclose(yours, number, rel_tol=3e-6):
                    return LossReading(kind, factor, key, values)
    shares, off = problem.shares[:, np.newaxis], outputs - flow.targets()
    for key, value in (
        ("loss-half", -(shares * flow.targets() * np.log(np.maximum(outputs, 1e-300))).sum()),
        ("loss-root", math.sqrt((shares * off**2).sum())),
        ("loss-absolute", (shares * np.abs(off)).sum()),
    ):
        if any(math.isclose(yours, each * value, rel_tol=3e-6) for each in (*scales, len(off[0]) ** -0.5)):
            return LossReading(problem.network.loss, 1.0, key)
    return LossReading(None, 1.0, "loss-differs")


def loss_claims(problem: Problem, observed: Observed, reading: LossReading, best: State) -> Iterator[Claim]:
    """What is wrong with the loss that a program returns, beside its gradient."""
    own = problem.network.loss
    values = {"yours": observed.loss, "right": problem.loss, **reading.values}
    error = None if observed.loss is None else abs(observed.loss - problem.loss) / abs(problem.loss or 1.0)
    if observed.loss is not None and not math.isfinite(observed.loss):
        yield Claim("loss", None, "not-finite", values)
    elif reading.key:
        yield Claim("loss", None, reading.key, values, error)
    elif reading.kind not in (None, own):
        fits = own if best.kind is None else best.kind
        key = "loss-other" if best.kind in (None, reading.kind) else "two-losses"
        yield Claim("loss", None, key, values | {"loss": reading.kind, "fits": fits}, error)


# The backward pass


@dataclass(frozen=True, eq=False)
class Layer:
    """What is observed of a layer: delta; dC/dW, without the penalty's part, and dC/db."""

    l: int
    delta: Array | None
    parts: Mapping[str, Array]
    penalty: Array

    @classmethod
    def of(cls, problem: Problem, l: int, observed: Observed) -> Self:
        """Layer l of what is observed."""
        extra = problem.network.parameters.zeros_like()
        problem.penalty.add_gradient(problem.network.parameters, extra)
        dW, db = entry(observed.weights, l), entry(observed.biases, l)
        parts = ({} if dW is None else {"dW": dW - extra.weights[l]}) | ({} if db is None else {"db": db})
        return cls(l, entry(observed.delta, l), parts, extra.weights[l])

    def image(self, flow: Flow, name: str, delta: Array) -> Array:
        """What BP3 or BP4 makes of a delta."""
        return flow.inputs[self.l].T @ delta if name == "dW" else delta.sum(axis=0)

    def images(self, flow: Flow, slip: Slip) -> dict[str, Slip]:
        """The parts that a delta leaves."""
        ways = {name: None if slip.along is None else self.image(flow, name, slip.along) for name in self.parts}
        return {name: Slip(slip.key, self.image(flow, name, slip.array), slip.values, ways[name]) for name in ways}

    def option(self, flow: Flow, name: str) -> Option:
        """How one part is explained by the delta that `flow` has."""
        right = self.image(flow, name, flow.deltas[self.l])
        is_dW = name == "dW"
        slips = wrong_weights(flow, self.l, self.penalty) if is_dW else wrong_biases(flow, self.l, self.parts.get("dW"))
        return explanation(self.parts[name], right, slips, flow.problem)


def backward_states(start: State, observed: Observed, reading: LossReading, depth: int = 3) -> list[State]:
    """The likeliest explanations of a gradient, at most `depth` - 1 slips in a delta; the likeliest stands first."""
    states = [start]
    for l in reversed(range(len(start.flow.weights))):
        layer = Layer.of(start.flow.problem, l, observed)
        states = [each for state in states for each in continuations(state, layer, reading, depth)]
        states = sorted(states, key=lambda state: state.cost)[:BEAM]
    return states


def has_right_outputs(state: State, observed: Observed) -> bool:
    """Whether the gradient of the last layer is right, or a constant times that: a quick look."""
    flow, last = state.flow, len(state.flow.weights) - 1
    layer = Layer.of(flow.problem, last, observed)
    images = [layer.images(flow, slip) for slip in right_deltas(flow, last)]
    return any(fit([*layer.parts.values()], [*each.values()], flow.problem) for each in images if each)


def continuations(state: State, layer: Layer, reading: LossReading, depth: int) -> list[State]:
    """All explanations of one more layer: first that delta is right, then by one slip in it, then by two."""
    flow, found = state.flow, list[State]()
    rights = list(right_deltas(flow, layer.l))
    right = rights[0]
    if layer.delta is None and not layer.parts:
        return [state.carrying(layer, right.array)]
    for attempt in (rights, wrong_deltas(flow, layer.l), twice_wrong_deltas(flow, layer.l))[:depth]:
        if min((each.cost for each in found), default=math.inf) >= state.cost + TWICE:
            found += [each for slip in attempt for each in with_slip(state, layer, slip, right.array, reading)]
    if layer.delta is None:
        is_right = any(each.cost == state.cost for each in found)
        return found if is_right else [*found, *separate(state, layer, right.array)]
    if not found:
        observed = layer.delta * state.scale
        is_finite = bool(np.isfinite(observed).all())
        option = Option(UNKNOWN, (("off" if is_finite else "not-finite", {}),))
        after = state.carrying(layer, observed if is_finite else right.array)
        found = [with_parts(after.because(option, "delta", layer.l, relative_error(observed, right.array)), layer)]
    return found


def with_slip(state: State, layer: Layer, slip: Slip, right: Array, reading: LossReading) -> Iterator[State]:
    """What follows if a slip, or none, made the delta of this layer."""
    problem, n = state.flow.problem, float(state.flow.problem.sample_weight.sum())
    if layer.delta is not None:
        if fitting := fit([layer.delta * state.scale], [slip], problem):
            yield with_delta(state, layer, slip, fitting, right, reading)
            if state.flow.is_last(layer.l) and abs(abs(fitting.factor) / n - 1.0) <= ALIKE:
                scaled, fitting = replace(state, scale=1.0 / n), Fitting(fitting.factor / n, fitting.values)
                yield with_delta(scaled, layer, slip, fitting, right, reading)
        return
    images = layer.images(state.flow, slip)
    for names in dict.fromkeys([tuple(images), *((name,) for name in images)]):
        if fitting := fit([layer.parts[name] for name in names], [images[name] for name in names], problem):
            yield with_delta(state, layer, slip, fitting, right, reading)
            if len(names) == len(images):
                return


def with_delta(state: State, layer: Layer, slip: Slip, fitting: Fitting, right: Array, reading: LossReading) -> State:
    """A state whose delta of this layer is a slip's, which may be the right one, times a factor."""
    (factor, values), keys, problem = fitting, slip.key.split(), state.flow.problem
    delta = factor * slip.array if slip.along is None else slip.array + values["rate"] * slip.along
    cost, changes = TWICE if len(keys) > 1 else NAMED if keys else 0.0, {}
    if state.flow.is_last(layer.l):
        kind = values.get("kind", None if keys else problem.network.loss)
        if keys and kind is not None and kind == reading.kind:
            cost, keys = CONVENTION, []
        more, changes = output_factor(factor, kind, reading, problem), {"kind": kind, "factor": factor}
    else:
        more = Option(0.0) if factor == 1.0 else Option(HIDDEN_FACTOR, factor_slips(factor, problem))
    option = Option(cost + more.cost, (*((key, values) for key in keys), *more.slips))
    carried = delta if layer.delta is None else layer.delta * state.scale
    after = state.carrying(layer, carried, **changes)
    return with_parts(after.because(option, "delta", layer.l, relative_error(delta, right)), layer)


def output_factor(factor: float, kind: Loss | None, reading: LossReading, problem: Problem) -> Option:
    """What a factor of the whole gradient is: nothing, a convention, or a mistake."""
    k, is_stated = problem.network.layer_sizes[-1], reading.kind is not None
    relative = factor / reading.factor if is_stated and kind in (reading.kind, None) else factor
    if factor == 1.0:
        return Option(0.0)
    scales = [1.0, 2.0, 0.5, 1.0 / k, 2.0 / k, k, k / 2.0, *([] if is_stated or reading.key else conventions(problem))]
    if any(abs(relative / each - 1.0) <= ALIKE for each in scales):
        return Option(CONVENTION)
    return Option(0.9 * NAMED, factor_slips(factor, problem))


def with_parts(state: State, layer: Layer) -> State:
    """The same with dC/dW and dC/db explained by the delta."""
    if len(layer.parts) == 2 and not any(part.any() for part in layer.parts.values()):
        return state.because(Option(BOTH, (("never-filled", {"array": "the gradient"}),)), "dW", layer.l, 1.0)
    for name, part in layer.parts.items():
        right = layer.image(state.flow, name, state.flow.deltas[layer.l])
        state = state.because(layer.option(state.flow, name), name, layer.l, relative_error(part, right))
    return state


def separate(state: State, layer: Layer, right: Array) -> Iterator[State]:
    """What follows if delta is right, and dC/dW and dC/db are each wrong; or if nothing explains them."""
    after = state.carrying(layer, right)
    options = {name: layer.option(after.flow, name) for name in layer.parts}
    if any(option.cost < UNKNOWN for option in options.values()):
        found = with_parts(after.because(Option(0.0), "delta", layer.l, 0.0), layer)
        alike = len(options) == 2 and len({tuple(key for key, _ in each.slips) for each in options.values()}) == 1
        yield replace(found, cost=state.cost + BOTH) if alike else found
        return
    option = Option(0.5) if state.lost else Option(LOST, (("off", {}),))
    error = max(relative_error(part, layer.image(state.flow, name, right)) for name, part in layer.parts.items())
    claims = state.claims + tuple(Claim("delta", layer.l, key, values, error) for key, values in option.slips)
    lost = replace(after, cost=state.cost + option.cost, claims=claims, lost=True)
    yield lost
    inputs = np.column_stack([state.flow.inputs[layer.l], np.ones(len(right))])
    if (
        len(layer.parts) == 2 and len(inputs) <= inputs.shape[1] and np.isfinite(error)
    ):  # delta can be had from its products
        delta = np.linalg.lstsq(inputs.T, np.vstack([layer.parts["dW"], layer.parts["db"]]), rcond=None)[0]
        yield replace(state.carrying(layer, delta), cost=lost.cost, claims=claims)


# Words


def wrong_of(problem: Problem, found: Sequence[Claim]) -> tuple[Wrong, ...]:
    """Claims in the order of the data's way, each mistake once for all layers that have it."""
    last, together = len(problem.network.weights) - 1, dict[tuple[str, str, str], list[Claim]]()
    for each in sorted(found, key=way):
        together.setdefault((each.quantity, each.key, f"{each.values.get('factor', 0.0):.6g}"), []).append(each)
    wrong = []
    for (quantity, key, _), alike in together.items():
        layers = tuple(each.layer for each in alike if each.layer is not None)
        place = f"layer{'s' * (len(layers) > 1)} {', '.join(map(str, layers))}: " if layers else ""
        if len(layers) == last + 1 > 1 or (quantity == "delta" and len(layers) == last > 1 and last not in layers):
            place = "in every layer: " if len(layers) > last else "in every hidden layer: "
        mistake = mistake_of(key, **values_of(problem, alike[0]))
        wrong.append(Wrong(quantity, alike[0].layer, mistake, alike[0].error, layers, place))
    return tuple(wrong)


def way(claim: Claim) -> tuple[int, int]:
    """Where an array stands in the order in which it is computed."""
    stage, l = ("z", "a", "loss", "delta", "dW", "db").index(claim.quantity), claim.layer or 0
    return (0, 2 * l + stage) if stage < 2 else (min(stage, 4), -2 * l + stage)


def values_of(problem: Problem, claim: Claim) -> dict[str, Any]:
    """What the sentences of a mistake may need."""
    l, network, name = claim.layer or 0, problem.network, claim.quantity
    last, own = l + 1 == len(network.weights), network.activations[l]
    line = ("shortcut" if network.has_shortcut else "output") if name == "delta" and last else name
    equation = {"z": "forward", "a": "forward", "loss": "C", "dW": "BP4", "db": "BP3"}.get(name, f"BP{2 - last}")
    arrays = {"loss": "the loss", "dW": "dC/dW", "db": "dC/db"}
    values = {"layer": l, "next": l + 1, "before": l - 1, "equation": equation, "array": arrays.get(name, name)}
    values |= {"own": network.loss if name == "loss" else own, "error": claim.error, "loss": network.loss}
    values |= {"slope": TEXTS.get(type(own).__name__, "the derivative of its value")} | dict(claim.values)
    values = {key: words(each) if isinstance(each, Activation | Loss) else each for key, each in values.items()}
    return values | {"line": TEXTS[line].format(**values).replace("a[-1]", "X")}


def words(part: Activation | Loss) -> str:
    """An activation or a loss as a sentence calls it."""
    name = type(part).__name__
    return TEXTS.get(name, name) if isinstance(part, Loss) else name


def notes_of(problem: Problem, observed: Observed, reading: LossReading, best: State) -> tuple[str, ...]:
    """What is a convention: that the loss, its gradient, or both are the network's times a constant."""
    is_mistake = any(each.quantity == "delta" and each.key in FACTORS for each in best.claims)
    factor = 1.0 if is_mistake or best.factor < 0.0 else best.factor
    both = math.isclose(reading.factor, factor, rel_tol=ALIKE) and observed.loss is not None
    values = {"factor": factor, "stated": reading.factor}
    if factor != 1.0:
        return (mistake_of("convention" if both else "convention-gradient", **values).says,)
    return () if both or is_mistake or reading.kind is None else (mistake_of("convention-loss", **values).says,)
