"""Finds the wrong arrays of a program that computes a gradient, and the mistakes behind them.

Every array is compared with what follows from the program's own arrays before it, right or wrong, so that a mistake is
found in its own line and not in later ones. If delta is unknown, it is inferred from dC/dW and dC/db. Of several
explanations the one with the fewest mistakes wins.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any, NamedTuple, Self

import numpy as np

from deltarule.inspection.gradcheck import slips
from deltarule.inspection.gradcheck.catalog import TEXTS, Judgement, Observed, Wrong, mistake_of
from deltarule.inspection.gradcheck.numeric_gradient import ALIKE, Problem, relative_error
from deltarule.inspection.gradcheck.slips import NAMED, UNKNOWN, Flow, Option, Slip
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss

BEAM = 4  # explanations to follow at the same time
CONVENTION, HIDDEN_FACTOR, BOTH, TWICE, LOST = 0.2, 1.1, 1.2, 2.2, 4.0  # more costs, as NAMED and UNKNOWN
FACTORS = ("undivided", "divided-twice", "times-outputs", "by-outputs", "factor-two", "factor")
ARRAYS = ("z", "a", "delta", "weights", "biases")  # the fields of Observed with arrays
Assumed = Mapping[tuple[str, int], int]  # for z or a of a layer: the number of its hypothesis


class Claim(NamedTuple):
    """A possible mistake: a key of mistakes.toml, with the values for its sentence."""

    quantity: str
    layer: int | None
    key: str
    values: Mapping[str, Any]
    error: float | None = None


class LossReading(NamedTuple):
    """Which loss a program's number is, and times which factor. kind: None if it is unknown, or was not returned."""

    kind: Loss | None = None
    factor: float = 1.0
    key: str = ""
    values: Mapping[str, Any] = {}


@dataclass(frozen=True, eq=False)
class State:
    """One explanation of a program's arrays, in all layers that were looked at so far. cost: lower is likelier.

    kind, factor: the gradient is that of the loss `kind`, times `factor`. lost: some layer could not be explained.
    """

    flow: Flow
    observed: Observed
    reading: LossReading
    cost: float = 0.0
    claims: tuple[Claim, ...] = ()
    kind: Loss | None = None
    factor: float = 1.0
    lost: bool = False

    def because(self, option: Option, quantity: str, l: int) -> Self:
        """The explanation, extended: `option` explains one more array, `quantity` of layer l."""
        found = tuple(Claim(quantity, l, key, values, option.error) for key, values in option.slips)
        return replace(self, cost=self.cost + option.cost, claims=self.claims + found)

    def carrying(self, l: int, delta: Array) -> Self:
        """The explanation, extended by `delta` of layer l and the layer's dC/dW, penalty included, if it is known."""
        flow, dW = self.flow, self.observed.weights[l]
        penalty, stepped = flow.problem.penalty_gradient.weights[l], flow.stepped
        if dW is not None and dW.shape == penalty.shape:
            stepped = {**stepped, l: dW + penalty}
        return replace(self, flow=replace(self.flow, deltas={**self.flow.deltas, l: delta}, stepped=stepped))

    def parts(self, l: int) -> dict[str, Array]:
        """dC/dW, without the penalty's part, and dC/db of layer l, by name; only those that are known."""
        parts = {"dW": self.observed.weights[l], "db": self.observed.biases[l]}
        return {name: part for name, part in parts.items() if part is not None}

    def continuations(self, l: int, *, must_be_right: bool) -> list[Self]:
        """All extensions of the explanation to layer l: those with a right delta, then those with a slip in it."""
        delta, found, right = self.observed.delta[l], list[Self](), next(slips.right_deltas(self.flow, l)).array
        if delta is None and not self.parts(l):
            return [self.carrying(l, right)]
        for deltas in (slips.right_deltas,) if must_be_right else (slips.right_deltas, slips.wrong_deltas):
            if min((each.cost for each in found), default=math.inf) >= self.cost + TWICE:
                for slip in deltas(self.flow, l):
                    found += self.with_slip(l, slip, right)
        if delta is None:
            is_right = any(each.cost == self.cost for each in found)
            return found if is_right else [*found, self.separate(l, right)]
        if not found:
            option = slips.explanation(self.flow, "delta", l, delta)
            is_usable = delta.shape == right.shape and np.isfinite(delta).all()
            found = [self.because(option, "delta", l).with_parts(l, delta if is_usable else right)]
        return found

    def with_slip(self, l: int, slip: Slip, right: Array) -> Iterator[Self]:
        """Yield the explanation, extended by `slip` in delta of layer l, if the known delta, dC/dW or dC/db fit it."""
        delta = self.observed.delta[l]
        shown = self.parts(l) if delta is None else {"delta": delta}
        images = {name: self.flow.image(name, l, slip) for name in shown}
        for names in dict.fromkeys([tuple(shown), *((name,) for name in shown)]):
            fitting = slips.fit([shown[name] for name in names], [images[name] for name in names], self.flow.problem)
            if fitting is not None:
                yield self.with_delta(l, slip, fitting, right)
                if len(names) == len(images):
                    return

    def with_delta(self, l: int, slip: Slip, fitting: tuple[float, Mapping[str, Any]], right: Array) -> Self:
        """The explanation, extended: delta of layer l is what `slip` makes it, times the factor in `fitting`."""
        (factor, values), problem, state = fitting, self.flow.problem, self
        delta = factor * slip.array if slip.along is None else slip.array + values["rate"] * slip.along
        option = Option(NAMED, ((slip.key, values),)) if slip.key else Option(0.0)
        more = Option(0.0) if factor == 1.0 else Option(HIDDEN_FACTOR, slips.factor_slips(factor, problem))
        if self.flow.is_last(l):
            kind = values.get("kind", None if slip.key else problem.network.loss)
            if slip.key and kind is not None and kind == self.reading.kind:
                option = Option(CONVENTION)
            more, state = output_factor(factor, kind, self.reading, problem), replace(state, kind=kind, factor=factor)
        option = Option(option.cost + more.cost, option.slips + more.slips, relative_error(delta, right))
        observed = self.observed.delta[l]
        return state.because(option, "delta", l).with_parts(l, delta if observed is None else observed)

    def with_parts(self, l: int, delta: Array) -> Self:
        """The explanation, extended by `delta` of layer l, and by what explains the layer's dC/dW and dC/db then."""
        state, parts = self.carrying(l, delta), self.parts(l)
        if len(parts) == 2 and not any(part.any() for part in parts.values()):
            return state.because(Option(BOTH, (("never-filled", {"array": "the gradient"}),), 1.0), "dW", l)
        for name, part in parts.items():
            state = state.because(slips.explanation(state.flow, name, l, part), name, l)
        return state

    def separate(self, l: int, right: Array) -> Self:
        """The explanation, extended: delta of layer l is right, and dC/dW and dC/db are wrong or unexplained."""
        after, parts = self.with_parts(l, right), self.parts(l)
        claims = after.claims[len(self.claims) :]
        keys = [[each.key for each in claims if each.quantity == name] for name in parts]
        if any(each != ["off"] for each in keys):
            return replace(after, cost=self.cost + BOTH) if keys[0] == keys[-1] and len(keys) == 2 else after
        error = max(each.error or 0.0 for each in claims)
        found = self.claims if self.lost else (*self.claims, Claim("delta", l, "off", {}, error))
        return replace(after, cost=self.cost + (0.5 if self.lost else LOST), claims=found, lost=True)


@np.errstate(all="ignore")
def judgement(problem: Problem, observed: Observed) -> Judgement:
    """Find what is wrong: in z and a from the first layer, in the loss, and in delta, dW and db from the last layer."""
    observed = in_floats(problem, observed)
    start = with_divided_deltas(forward_state(problem, observed, {}))
    best, reading = backward_state(start), start.reading
    is_hidden = all(each is None for each in (*observed.z, *observed.a))
    if reading.kind is None and (reading.key or best.cost >= TWICE) and is_hidden:
        is_given, cost = bool(reading.key), best.cost + (UNKNOWN if reading.key else 0.0)
        for other in other_states(problem, start.observed):
            if is_given == (other.reading.kind is None):
                continue
            found = backward_state(other, must_be_right=not is_given)
            if found.cost < min(cost, math.inf if is_given else NAMED + BOTH):
                best, cost = found, found.cost
    claims = [*loss_claims(problem, observed.loss, best), *best.claims]
    notes = notes_of(observed.loss is not None, best)
    is_fit = not any(each.key in ("delta-a-minus-t", "loss-of-gradient") for each in claims)
    factor = best.factor if notes and best.factor > 0.0 else 1.0
    return Judgement(wrong_of(problem, claims), notes, best.kind if is_fit else None, factor)


def in_floats(problem: Problem, observed: Observed) -> Observed:
    """The observed arrays in float64, None if unknown; dC/dW without the penalty's part, and dC/db as (fan_out,)."""
    n_layers, lists = len(problem.network.weights), dict[str, Any]()
    for name in ARRAYS:
        given = [*getattr(observed, name), *[None] * n_layers][:n_layers]
        lists[name] = [None if each is None else np.asarray(each, np.float64) for each in given]
    for l, (W, b) in enumerate(zip(problem.penalty_gradient.weights, problem.network.biases, strict=True)):
        dW, db = lists["weights"][l], lists["biases"][l]
        if dW is not None and dW.shape in (W.shape, W.T.shape):
            lists["weights"][l] = dW - (W if dW.shape == W.shape else W.T)
        lists["biases"][l] = db.ravel() if db is not None and db.size == b.size else db
    return replace(observed, **lists)


def with_divided_deltas(state: State) -> State:
    """The state with each observed delta divided by the batch size, if the program divides dC/dW and dC/db instead."""
    n, l, observed = float(state.flow.problem.sample_weight.sum()), len(state.flow.weights) - 1, state.observed
    delta, parts = observed.delta[l], state.parts(l)
    if delta is None or delta.shape != state.flow.z[l].shape or not parts:
        return state
    if not all(slips.is_alike(n * parts[name], state.flow.image(name, l, Slip("", delta)).array) for name in parts):
        return state
    divided = [None if each is None else each / n for each in observed.delta]
    return replace(state, observed=replace(observed, delta=divided))


def forward_state(problem: Problem, observed: Observed, assumed: Assumed) -> State:
    """The State after the forward pass: each z and a as observed; if unknown, as `assumed`, or else right."""
    state = State(Flow(problem, problem.network.activations, [], []), observed, LossReading())
    for l, name in product(range(len(problem.network.weights)), ("z", "a")):
        state = with_array(state, name, l, getattr(observed, name)[l], assumed.get((name, l), 0))
    return replace(state, reading=loss_reading(state.flow, observed.loss))


def with_array(state: State, name: str, l: int, found: Array | None, which: int) -> State:
    """The state with z or a (`name`) of layer l added: `found`, the observed one, or else hypothesis number `which`."""
    flow, option = state.flow, Option(0.0)
    array = next(slips.HYPOTHESES[name](flow, l)).array
    if found is not None:
        option = slips.explanation(flow, name, l, found)
        array = found if found.shape == array.shape else array
    elif which:
        slip = next(islice(slips.HYPOTHESES[name](flow, l), which, None))
        option, array = Option(0.0, ((slip.key, slip.values),), relative_error(slip.array, array)), slip.array
    for _, values in option.slips:
        if "activation" in values:
            flow = replace(flow, activations=(*flow.activations[:l], values["activation"], *flow.activations[l + 1 :]))
    flow = replace(flow, z=[*flow.z, array]) if name == "z" else replace(flow, a=[*flow.a, array])
    return replace(state, flow=flow).because(option, name, l)


def other_states(problem: Problem, observed: Observed) -> Iterator[State]:
    """Yield states in which the forward pass has one slip: in one layer, or in all layers where it can happen."""
    seen: dict[tuple[str, str], dict[tuple[str, int], int]] = {}
    flow, last = forward_state(problem, observed, {}).flow, len(problem.network.weights) - 1
    for l, name in product(range(last + 1), ("z", "a")):
        before = replace(flow, z=flow.z[: l + (name == "a")], a=flow.a[:l])
        for which, slip in islice(enumerate(slips.HYPOTHESES[name](before, l)), 1, None):
            seen.setdefault((slip.key, str(slip.values)), {})[name, l] = which
    for places in seen.values():
        hidden = {place: which for place, which in places.items() if place[1] < last}
        assumed = [*({place: which} for place, which in places.items()), hidden, places]
        for each in (each for n, each in enumerate(assumed) if each and each not in assumed[:n]):
            yield replace(forward_state(problem, observed, each), cost=NAMED)


def conventions(problem: Problem) -> list[float]:
    """The factors between common forms of a loss: sums and means, with the factor 1/2 or without it."""
    n, k = float(problem.sample_weight.sum()), problem.network.layer_sizes[-1]
    return [scale * each for scale in (1.0, n) for each in (1.0, 2.0, 1.0 / k, 2.0 / k, 0.5)]


def loss_reading(flow: Flow, yours: Any) -> LossReading:
    """Find out which loss `yours` is, the number that a program returned as its loss."""
    if yours is None or np.size(yours) != 1:
        return LossReading()
    problem, outputs, yours = flow.problem, flow.a[-1], np.asarray(yours, np.float64).item()
    penalty, scales = problem.penalty.value(problem.network.parameters), conventions(problem)
    known = [(kind, kind.value(outputs, problem.y, problem.shares)) for kind in slips.losses_for(flow)]
    for (kind, whole), factor in product(known, scales):
        value = factor * whole
        for key, number, values in (
            ("", value + penalty, {}),
            ("", value + factor * penalty, {}),
            ("loss-without-penalty", value, {}),
            ("loss-sign", -value, {}),
            ("loss-log", value / math.log(2.0), {"base": 2}),
            ("loss-log", value / math.log(10.0), {"base": 10}),
        ):
            if math.isclose(yours, number, rel_tol=3e-6):
                return LossReading(kind, factor, key, values)
    shares, off = problem.shares[:, np.newaxis], outputs - flow.targets
    for key, value in (
        ("loss-half", -(shares * flow.targets * np.log(np.maximum(outputs, 1e-300))).sum()),
        ("loss-root", math.sqrt((shares * off**2).sum())),
        ("loss-absolute", (shares * np.abs(off)).sum()),
    ):
        if any(math.isclose(yours, each * value, rel_tol=3e-6) for each in (*scales, len(off[0]) ** -0.5)):
            return LossReading(problem.network.loss, 1.0, key)
    return LossReading(None, 1.0, "loss-differs")


def loss_claims(problem: Problem, yours: Any, best: State) -> Iterator[Claim]:
    """Yield what is wrong with the loss that a program returns, also if its gradient is that of another loss."""
    own, reading, key = problem.network.loss, best.reading, best.reading.key
    values = {"yours": yours, "right": problem.loss, "shape": np.shape(yours), **reading.values}
    if yours is not None and np.size(yours) != 1:
        yield Claim("loss", None, "loss-array", values)
        return
    if yours is not None and not np.isfinite(yours):
        key = "not-finite"
    elif not key and reading.kind not in (None, own):
        key = "loss-other" if best.kind in (None, reading.kind) else "two-losses"
        values |= {"loss": reading.kind, "fits": best.kind or own}
    if key:
        yield Claim("loss", None, key, values, float(abs(yours - problem.loss) / abs(problem.loss or 1.0)))


def backward_state(start: State, *, must_be_right: bool = False) -> State:
    """The likeliest explanation of a program's gradient. must_be_right: consider only right deltas."""
    states = [start]
    for l in reversed(range(len(start.flow.weights))):
        states = [each for state in states for each in state.continuations(l, must_be_right=must_be_right)]
        states = sorted(states, key=lambda state: state.cost)[:BEAM]
    return states[0]


def output_factor(factor: float, kind: Loss | None, reading: LossReading, problem: Problem) -> Option:
    """What it means that the whole gradient has a factor: nothing if it is 1, a convention, or a mistake."""
    k, is_stated = problem.network.layer_sizes[-1], reading.kind is not None
    relative = factor / reading.factor if is_stated and kind in (reading.kind, None) else factor
    if factor == 1.0:
        return Option(0.0)
    scales = [1.0, 2.0, 0.5, 1.0 / k, 2.0 / k, k, k / 2.0]
    scales += [] if is_stated or reading.key else conventions(problem)
    if any(abs(relative / each - 1.0) <= ALIKE for each in scales):
        return Option(CONVENTION)
    return Option(0.9 * NAMED, slips.factor_slips(factor, problem))


def wrong_of(problem: Problem, found: Sequence[Claim]) -> tuple[Wrong, ...]:
    """The claims as Wrong objects, in the order of computation, each mistake once for all layers that have it."""
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
    """The position of a claim's array in the order of computation, to sort by."""
    stage, l = ("z", "a", "loss", "delta", "dW", "db").index(claim.quantity), claim.layer or 0
    return (0, 2 * l + stage) if stage < 2 else (min(stage, 4), -2 * l + stage)


def values_of(problem: Problem, claim: Claim) -> dict[str, Any]:
    """The values, by name, that the sentences about a claim's mistake may be filled in with."""
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
    """The name of an activation or a loss in a sentence."""
    name = type(part).__name__
    return TEXTS.get(name, name) if isinstance(part, Loss) else name


def notes_of(has_loss: bool, best: State) -> tuple[str, ...]:
    """A note if a program's loss, its gradient, or both are the network's times a constant, which is a convention."""
    reading = best.reading
    is_mistake = any(each.quantity == "delta" and each.key in FACTORS for each in best.claims)
    factor = 1.0 if is_mistake or best.factor < 0.0 else best.factor
    both = has_loss and math.isclose(reading.factor, factor, rel_tol=ALIKE)
    values = {"factor": factor, "stated": reading.factor}
    if factor != 1.0:
        return (mistake_of("convention" if both else "convention-gradient", **values).says,)
    return () if both or is_mistake or reading.kind is None else (mistake_of("convention-loss", **values).says,)
