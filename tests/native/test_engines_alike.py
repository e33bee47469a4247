"""One law for both engines: the same batch, activation by activation, loss by loss, comes to the same numbers."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from one_step import ENDS, HIDDEN, RULES, passed, targets

from deltarule.nn import optimizers
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.penalties import L2
from deltarule.training.clip_and_average import ClipNorm, MovingAverage
from deltarule.training.engine import REFERENCE, Engine, engine
from deltarule.training.plan import Buffers, Plan, Score

NORMWISE = {np.float32: 1e-6, np.float64: 1e-14}
BATCHES = (1, 2, 13, 14, 15, 33)


@pytest.fixture(scope="module")
def native() -> Engine:
    return engine("native")


def name(thing: Any) -> str:
    return thing if isinstance(thing, str) else getattr(thing, "__name__", type(thing).__name__)


def alike(ours: Array, theirs: Array, dtype: Any) -> None:
    """The length of the difference beside the length of theirs."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    length = float(np.linalg.norm(theirs))
    assert float(np.linalg.norm(ours - theirs)) <= NORMWISE[dtype] * length + 1e-300


@pytest.mark.parametrize("dtype", NORMWISE, ids=name)
@pytest.mark.parametrize("hidden", HIDDEN, ids=name)
@pytest.mark.parametrize(("output", "loss", "kind"), ENDS, ids=name)
def test_forward_loss_and_backward(native: Engine, hidden: Any, output: Any, loss: Any, kind: str, dtype: Any) -> None:
    """In float32 and float64 held to the reference in float64, from the same starting weights.

    These are halved: e^z doubles the rounding errors of a z of 5, which alone come to 1e-6 in float32, NumPy's too.
    """
    rng = np.random.default_rng(1)
    net = Network((11, 37, 5, 3), hidden=hidden, output=output, loss=loss, task=None, dtype=dtype, rng=rng)
    net.parameters.vector[:] *= 0.5
    exact = net.astype(np.float64)
    for n_samples in BATCHES:
        X, y = rng.normal(size=(n_samples, 11)).astype(dtype), targets(kind, n_samples, 3, rng)
        weights = rng.random(n_samples) * (rng.random(n_samples) < 0.7)
        theirs = passed(REFERENCE, exact, X.astype(np.float64), y, sample_weight=weights)
        ours = passed(native, net, X, y, sample_weight=weights)
        np.testing.assert_allclose(ours.loss, theirs.loss, rtol=NORMWISE[dtype], atol=NORMWISE[dtype])
        for l in range(3):
            alike(ours.workspace.z[l], theirs.workspace.z[l], dtype)
            alike(ours.workspace.a[l], theirs.workspace.a[l], dtype)
        alike(ours.grads.vector, theirs.grads.vector, dtype)


@pytest.mark.parametrize("dtype", NORMWISE, ids=name)
def test_the_same_neurons_are_dropped(native: Engine, dtype: Any) -> None:
    rng = np.random.default_rng(2)
    net = Network((5, 13, 9, 3), dropout=(0.3, 0.6), dtype=dtype, rng=1)
    X, y = rng.normal(size=(1500, 5)).astype(dtype), rng.integers(3, size=1500)
    ours, theirs = (passed(each, net, X, y, seed=4, epoch=2, first_step=7) for each in (native, REFERENCE))
    for l in range(2):
        assert ours.workspace.masks is not None
        assert theirs.workspace.masks is not None
        np.testing.assert_array_equal(ours.workspace.masks[l], theirs.workspace.masks[l])
        np.testing.assert_array_equal(ours.workspace.delta[l] == 0.0, theirs.workspace.delta[l] == 0.0)
    alike(ours.grads.vector, theirs.grads.vector, dtype)


@pytest.mark.parametrize("dtype", NORMWISE, ids=name)
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.bool_, np.float32, np.float64])
def test_inputs_of_any_kind_and_any_order(native: Engine, kind: Any, dtype: Any) -> None:
    pixels = np.random.default_rng(3).integers(256, size=(20, 21)).astype(kind)
    net = Network((7, 4, 3), dtype=dtype)
    for X in (pixels[:, ::3], np.asfortranarray(pixels[:, :7]), pixels[::-1, 14:]):
        y = np.arange(20) % 3
        ours, theirs = (passed(each, net, X, y) for each in (native, REFERENCE))
        alike(ours.grads.vector, theirs.grads.vector, dtype)
        np.testing.assert_array_equal(ours.workspace.inputs[0], theirs.workspace.inputs[0])


@pytest.mark.parametrize("dtype", NORMWISE, ids=name)
def test_a_pixel_is_its_value_over_255_to_the_bit(native: Engine, dtype: Any) -> None:
    X = np.arange(256, dtype=np.uint8)[:, np.newaxis]
    net = Network((1, 1), output="identity", loss="quadratic", dtype=dtype)
    net.parameters.vector[:] = [1.0, 0.0]
    z = passed(native, net, X, np.zeros((256, 1))).workspace.z[0]
    np.testing.assert_array_equal(z[:, 0], np.arange(256, dtype=dtype) / dtype(255.0))


@pytest.mark.parametrize("batch_size", [13, 200])
@pytest.mark.parametrize(("optimizer", "penalty", "clip"), RULES, ids=name)
def test_thirty_updates(native: Engine, optimizer: Any, penalty: Any, clip: Any, batch_size: int) -> None:
    rng = np.random.default_rng(6)
    X, y = rng.integers(256, size=(390, 12), dtype=np.uint8) * (rng.random((390, 12)) < 0.2), rng.integers(3, size=390)
    X[:, 3:7] = 0
    ends = []
    for each in (REFERENCE, native):
        net = Network((12, 9, 3), dtype=np.float64, rng=1)
        own = deepcopy(optimizer)
        average, buffers = MovingAverage(0.9), Buffers(net, batch_size)
        average.begin(net.parameters)
        n_steps = -(-390 // batch_size)
        plan = Plan(X, y, np.arange(390), batch_size, np.linspace(0.05, 0.01, n_steps), buffers=buffers)
        plan.penalty, plan.clip, plan.average, plan.score = penalty, clip, average, Score("classes")
        plan.sample_weight = rng.random(390) if not ends else ends[0][1]
        outcome = each.run_steps(net, own, plan)
        last = [net.parameters.vector, buffers.grads.vector, average.parameters.vector, *list(own.state().values())]
        assert outcome.score is not None
        last += [np.array(outcome.losses), np.array(outcome.weights), np.array([outcome.score.value, average.steps])]
        ends.append((last, plan.sample_weight))
    for theirs, ours in zip(ends[0][0], ends[1][0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_strengths_and_epsilons_of_each_step(native: Engine) -> None:
    rng = np.random.default_rng(7)
    X, y, ends = rng.normal(size=(60, 5)), rng.normal(size=(60, 2)), []
    for each in (REFERENCE, native):
        net, own = Network((5, 4, 2), output="identity", loss="quadratic", dtype=np.float64, rng=1), optimizers.Adam()
        plan = Plan(X, y, np.arange(60), 15, np.full(4, 0.01), penalty=L2(0.5), score=Score("values"))
        plan.strengths, plan.epsilons = np.linspace(0.1, 0.4, 4), np.linspace(1e-3, 1e-2, 4)
        outcome = each.run_steps(net, own, plan)
        assert outcome.score is not None
        ends.append(np.array([*net.parameters.vector, *outcome.penalties, own.epsilon, outcome.score.value]))
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-11)


def test_moments_fade_to_zero_and_not_to_denormal_numbers(native: Engine) -> None:
    net, own = Network((1, 1), output="identity", loss="quadratic"), optimizers.Momentum()
    weights = np.zeros(701)
    weights[0] = 1.0
    X, y = np.ones((701, 1), np.float32), np.ones((701, 1))
    native.run_steps(net, own, Plan(X, y, np.arange(701), 1, np.zeros(701), sample_weight=weights))
    before = own.state()["velocity"]
    assert before.all()  # a batch of no weight changes nothing
    y[:] = net.outputs(X).astype(np.float64)
    native.run_steps(net, own, Plan(X, y, np.arange(701), 1, np.zeros(701)))
    np.testing.assert_array_equal(own.state()["velocity"], np.zeros(2, np.float32))


def test_a_call_that_is_made_again_forgets_what_has_changed(native: Engine) -> None:
    """Buffers keep the call of the plan before: with others' buffers every plan comes to what it does with its own."""
    rng, ends = np.random.default_rng(9), []
    X, y = rng.normal(size=(2, 50, 6)), rng.integers(3, size=(2, 50))
    weights = rng.random(50)
    plans: list[dict[str, Any]] = [
        {},
        {"batch_size": 20, "penalty": L2(0.1), "strengths": np.full(3, 0.1), "learning_rates": np.full(3, 0.1)},
        {"inputs": X[1], "targets": y[1], "sample_weight": weights},
        {"order": np.arange(49, -1, -1), "clip": ClipNorm(0.1), "epsilons": np.full(1, 0.01)},
        {"targets": np.eye(3)[y[0]], "score": Score("values")},
        {"highest_loss": 0.0},
    ]
    for is_shared in (True, False):
        net, own = Network((6, 8, 3), dtype=np.float64, rng=1), optimizers.Adam()
        shared, seen = Buffers(net, 50), []
        for number, changes in enumerate(plans):
            net.dropout = 0.5 if number == 3 else 0.0  # type: ignore[assignment] - as a callback may
            if number == 4:
                own.load_state(own.state())  # other arrays
            buffers = shared if is_shared else Buffers(net, 50)
            how = {"inputs": X[0], "targets": y[0], "order": np.arange(50), "batch_size": 50}
            plan = Plan(**how | {"learning_rates": np.full(1, 0.1), "buffers": buffers} | changes)
            outcome = native.run_steps(net, own, plan)
            seen += [outcome.losses, outcome.weights, outcome.penalties, buffers.workspace.delta[0].tolist()]
        ends.append((seen, net.parameters.vector.tolist(), own.state()["squares"].tolist()))
    assert ends[0] == ends[1]


def test_evaluation_is_the_references(native: Engine) -> None:
    from deltarule.training.evaluation import loss_and_outputs

    rng = np.random.default_rng(8)
    net = Network((9, 40, 4), hidden="tanh", dtype=np.float64)
    X, y, weights = rng.normal(size=(2500, 9)), rng.integers(4, size=2500), rng.random(2500)
    (loss, found), (theirs, others) = (loss_and_outputs(net, X, y, each, weights) for each in (native, REFERENCE))
    assert loss == pytest.approx(theirs, rel=1e-13)
    np.testing.assert_allclose(found, others, rtol=1e-12)
