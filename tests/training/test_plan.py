"""Engine.run_steps: what each field of a Plan does, and what the Outcome says."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from deltarule.errors import FileError
from deltarule.nn.activations import Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, loss_and_gradient
from deltarule.nn.optimizers import SGD, Adam, AdamW, Nesterov, Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L2
from deltarule.training.clip_and_average import NoClipping
from deltarule.training.engine import REFERENCE, Engine, engine
from deltarule.training.plan import Buffers, Outcome, Plan, Score

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 4)), RNG.integers(3, size=12)


def small() -> Network:
    return Network((4, 5, 3), hidden=Tanh(), dtype=np.float64, rng=1)


def plan(n_steps: int = 3, **more: Any) -> Plan:
    """Three batches of four, at a rate of 0.5."""
    return Plan(X, Y, np.arange(12)[: 4 * n_steps], 4, np.full(n_steps, 0.5), **more)


def native_engine() -> Engine:
    try:
        return engine("native")
    except FileError as error:
        pytest.skip(str(error))


def run(network: Network, asked: Plan, optimizer: Optimizer | None = None) -> Outcome:
    return REFERENCE.run_steps(network, optimizer or SGD(), asked)


def arrays_of(parameters: Parameters) -> list[Array]:
    """In the order of a plan's rate factors."""
    return [*parameters.weights, *parameters.biases]


def test_steps_by_hand() -> None:
    network, by_hand, losses = small(), small(), []
    outcome = run(network, plan(score=Score("classes")))
    for start in (0, 4, 8):
        loss, grads = loss_and_gradient(by_hand, X[start : start + 4], Y[start : start + 4])
        losses.append(loss)
        by_hand.parameters.vector[:] -= 0.5 * grads.vector
    np.testing.assert_array_equal(network.parameters.vector, by_hand.parameters.vector)
    assert (outcome.losses, outcome.weights, outcome.steps) == (losses, [4.0, 4.0, 4.0], 3)
    assert outcome.penalties == []
    assert outcome.score is not None
    assert outcome.score.n_samples == 12


def test_the_plans_score_stays_as_it_is() -> None:
    asked = plan(score=Score("classes", 5))
    outcome = run(small(), asked)
    assert asked.score is not None
    assert outcome.score is not None
    assert (asked.score.n_samples, outcome.score.n_samples) == (5, 17)


def test_each_step_has_its_strength() -> None:
    network, by_hand, penalties = small(), small(), []
    strengths = np.array([0.3, 0.0, 0.1])
    outcome = run(network, plan(penalty=L2(1.0), strengths=strengths))
    for start, strength in zip((0, 4, 8), strengths.tolist(), strict=True):
        penalties.append(L2(strength).value(by_hand.parameters))
        run(by_hand, replace(plan(1), order=np.arange(start, start + 4), penalty=L2(strength)))
    np.testing.assert_array_equal(network.parameters.vector, by_hand.parameters.vector)
    assert outcome.penalties == penalties


def test_each_step_has_its_epsilon() -> None:
    network, by_hand, adam = small(), small(), Adam()
    run(network, plan(2, epsilons=np.array([1e-3, 0.1])), adam)
    assert adam.epsilon == 0.1
    other = Adam(epsilon=1e-3)
    run(by_hand, plan(1), other)
    other.epsilon = 0.1
    run(by_hand, replace(plan(1), order=np.arange(4, 8)), other)
    np.testing.assert_array_equal(network.parameters.vector, by_hand.parameters.vector)


@pytest.mark.parametrize("kind", [SGD, Nesterov, Adam, partial(AdamW, weight_decay=0.1)])
def test_each_array_has_its_rate(kind: Callable[[], Optimizer]) -> None:
    """Every step is taken once for each array, from the same start, at that array's own rate."""
    network, optimizer, factors = small(), kind(), np.array([0.0, 2.0, 0.5, 1.0])
    for index in range(3):
        one = replace(plan(1, penalty=L2(0.1)), order=np.arange(4 * index, 4 * index + 4))
        expected = network.parameters.copy()
        for place, factor in enumerate(factors):
            other, rates = copy.deepcopy(network), one.learning_rates * factor
            run(other, replace(one, learning_rates=rates), copy.deepcopy(optimizer))
            arrays_of(expected)[place][:] = arrays_of(other.parameters)[place]
        run(network, replace(one, rate_factors=factors), optimizer)
        np.testing.assert_allclose(network.parameters.vector, expected.vector, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(network.weights[0], small().weights[0])
    assert all((now != before).any() for now, before in zip(network.biases, small().biases, strict=True))


class Pulls(NoClipping):
    """Sets a plan's stop at its second step."""

    def __init__(self, stop: Array) -> None:
        self.stop, self.steps = stop, 0

    def apply(self, grads: Parameters) -> None:
        self.steps += 1
        self.stop[0] = self.steps == 2


def test_a_stop_is_heeded_before_the_next_step() -> None:
    network, by_hand, stop = small(), small(), np.zeros(1, np.uint8)
    outcome = run(network, plan(clip=Pulls(stop), stop=stop, score=Score("classes")))
    run(by_hand, plan(2))
    np.testing.assert_array_equal(network.parameters.vector, by_hand.parameters.vector)
    assert outcome.score is not None
    assert (outcome.steps, len(outcome.losses), outcome.score.n_samples) == (2, 2, 8)
    assert run(network, plan(stop=stop)).losses == []


def test_rate_factors_are_left_to_numpys_loop() -> None:
    native = Engine("native")
    assert native.can_run_in_one_call(small(), SGD(), plan(stop=np.zeros(1, np.uint8)))
    assert not native.can_run_in_one_call(small(), SGD(), plan(rate_factors=np.ones(4)))


def test_a_native_call_heeds_a_stop() -> None:
    network = small()
    outcome = native_engine().run_steps(network, SGD(), plan(stop=np.ones(1, np.uint8), score=Score("classes")))
    assert outcome.score is not None
    assert (outcome.steps, outcome.losses, outcome.score.n_samples) == (0, [], 0)
    np.testing.assert_array_equal(network.parameters.vector, small().parameters.vector)


def test_no_step_from_a_loss_that_is_too_high() -> None:
    network = small()
    outcome = run(network, plan(highest_loss=0.0))
    assert (len(outcome.losses), outcome.weights, outcome.steps) == (1, [], 0)
    np.testing.assert_array_equal(network.parameters.vector, small().parameters.vector)


def test_a_batch_that_weighs_nothing_changes_nothing() -> None:
    network, optimizer = small(), Adam()
    weights = np.ones(12)
    weights[:8] = 0.0
    outcome = run(network, plan(sample_weight=weights), optimizer)
    assert (outcome.losses[:2], outcome.weights, optimizer.steps) == ([0.0, 0.0], [0.0, 0.0, 4.0], 1)


def test_buffers_say_whether_anything_has_changed() -> None:
    network = small()
    buffers = Buffers(network, 4)
    run(network, plan(highest_loss=0.0, buffers=buffers))
    assert not buffers.is_changing
    run(network, plan(buffers=buffers))
    assert buffers.is_changing


@pytest.mark.parametrize("highest", [1e9, 0.5])
def test_a_native_call_comes_to_the_same(highest: float) -> None:
    native = native_engine()
    asked = plan(score=Score("classes"), sample_weight=np.arange(12.0), highest_loss=highest)
    assert native.can_run_in_one_call(small(), SGD(), asked)
    networks = small(), small()
    ours, theirs = run(networks[0], asked), native.run_steps(networks[1], SGD(), asked)
    np.testing.assert_allclose(theirs.losses, ours.losses, rtol=1e-12)
    assert (theirs.weights, theirs.steps) == (ours.weights, ours.steps)
    np.testing.assert_allclose(networks[1].parameters.vector, networks[0].parameters.vector, rtol=1e-11, atol=1e-13)
