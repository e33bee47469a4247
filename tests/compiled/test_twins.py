"""Every twin beside its original: the same arguments, the same numbers, up to the order of sums."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data import augment as augment_reference
from deltarule.data.augment import Deformation
from deltarule.nn import activations, losses, network, optimizers
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.parameters import Parameters
from deltarule.training import batches as batches_reference

pytest.importorskip("numba", reason="the extra fast is not installed")
from deltarule.compiled import augment, memory
from deltarule.compiled import network as twin
from deltarule.compiled import optimizers as optimizers_twin

TOLERANCE = {np.dtype(np.float32): 2e-6, np.dtype(np.float64): 1e-13}
DTYPES = [np.float32, np.float64]

HIDDEN = [
    activations.Identity(),
    activations.Sigmoid(),
    activations.Tanh(),
    activations.ReLU(),
    activations.LeakyReLU(slope=0.2),
    activations.ELU(alpha=1.3),
    activations.SiLU(),
    activations.Exp(),
    activations.Softmax(),
]
ENDS = [
    (activations.Softmax(), losses.CrossEntropy(label_smoothing=0.1), "classes"),
    (activations.Softmax(), losses.Quadratic(), "classes"),
    (activations.Softmax(), losses.BinaryCrossEntropy(), "classes"),
    (activations.Sigmoid(), losses.BinaryCrossEntropy(label_smoothing=0.1), "labels"),
    (activations.Sigmoid(), losses.Quadratic(), "classes"),
    (activations.Tanh(), losses.Quadratic(), "values"),
    (activations.Identity(), losses.Quadratic(), "values"),
    (activations.Exp(), losses.Poisson(), "counts"),
    (activations.Exp(), losses.Quadratic(), "classes"),
]


class Sine(activations.Activation):
    """A user's own: no kernel knows it."""

    def value(self, z: Array) -> Array:
        return np.sin(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.cos(z)


class Cubic(losses.Quadratic):
    """A user's own loss; a subclass of one that has a kernel."""

    def sample_losses(self, a: Array, t: Array) -> Array:
        return (np.abs(a - t) ** 3).sum(axis=1)

    def sample_gradients(self, a: Array, t: Array) -> Array:
        return 3.0 * (a - t) * np.abs(a - t)


def alike(ours: Any, theirs: Any) -> None:
    """Equal up to rounding, beside the largest of them."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=scale * TOLERANCE.get(theirs.dtype, 0.0))


def targets(kind: str, n_samples: int, n_outputs: int, rng: np.random.Generator) -> Array:
    made = {
        "classes": lambda: rng.integers(n_outputs, size=n_samples),
        "labels": lambda: rng.integers(2, size=(n_samples, n_outputs)).astype(np.uint8),
        "values": lambda: rng.normal(size=(n_samples, n_outputs)),
        "counts": lambda: rng.poisson(1.5, size=(n_samples, n_outputs)).astype(np.float64),
    }
    return made[kind]()


def both_ways(net: Network, X: Array, y: Array, **shares: Any) -> None:
    """Forward, loss and backward, original and twin, with the same dropout masks."""
    passed = []
    for module in (network, twin):
        ws, grads = net.workspace(len(X) + 3), net.parameters.zeros_like()
        if any(net.dropout):
            ws.draw_masks(5)
        a = module.forward(net, X, ws)
        loss = module.loss_value(net, y, ws, **shares)
        module.backward(net, y, ws, grads, **shares)
        passed.append((a.copy(), [*ws.z, *ws.delta], np.array(loss, net.dtype), grads.vector))
    (a1, arrays1, loss1, g1), (a2, arrays2, loss2, g2) = passed
    for theirs, ours in zip([a1, *arrays1, loss1, g1], [a2, *arrays2, loss2, g2], strict=True):
        alike(ours, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda activation: type(activation).__name__)
@pytest.mark.parametrize(
    ("output", "loss", "kind"), ENDS, ids=lambda part: part if isinstance(part, str) else type(part).__name__
)
def test_forward_loss_and_backward(hidden: Any, output: Any, loss: Any, kind: str, dtype: Any) -> None:
    rng = np.random.default_rng(1)
    net = Network((11, 17, 5, 3), hidden=hidden, output=output, loss=loss, dropout=0.2, dtype=dtype, rng=rng)
    net.parameters.vector[:] *= 0.3 if isinstance(hidden, activations.Exp) else 1.0
    for n_samples in (1, 33):
        X, y = rng.normal(size=(n_samples, 11)).astype(dtype), targets(kind, n_samples, 3, rng)
        both_ways(net, X, y)
    both_ways(net, X, y, sample_weight=rng.random(33), divisor=7.5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_a_user_wrote_takes_part(dtype: Any) -> None:
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(9, 4)).astype(dtype), rng.normal(size=(9, 2))
    both_ways(
        Network((4, 6, 5, 2), hidden=[Sine(), activations.ReLU()], output=Sine(), loss=Cubic(), dtype=dtype), X, y
    )


@pytest.mark.parametrize(("dtype", "rtol", "atol"), [(np.float32, 1e-6, 1e-7), (np.float64, 1e-13, 5e-14)])
def test_large_and_tiny_inputs_neither_overflow_nor_lose_their_digits(dtype: Any, rtol: float, atol: float) -> None:
    tiny = np.logspace(-12, -1, 100)
    z = np.concatenate([np.linspace(-200, 200, 801), tiny, -tiny]).astype(dtype)
    for activation in (each for each in HIDDEN if not isinstance(each, activations.Exp)):  # which does overflow
        net = Network((1, 1, 2), hidden=activation, dtype=dtype)
        net.parameters.vector[:] = [1.0, 1.0, -1.0, 0.0, 0.0, 0.0]
        ws = net.workspace(len(z))
        twin.forward(net, z[:, None], ws)
        exact = activation.value(z.astype(np.float64)[:, None])
        keeps_digits = isinstance(activation, activations.Tanh)  # others come near 0 as a difference from 1
        np.testing.assert_allclose(ws.a[0], exact, rtol=rtol, atol=0.0 if keeps_digits else atol)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("X", [np.arange(60, dtype=np.uint8).reshape(5, 12), np.arange(60.0).reshape(5, 12)])
def test_strided_inputs(X: Array, dtype: Any) -> None:
    inputs = X[::-1, ::3]
    net = Network((4, 3, 2), dtype=dtype)
    both_ways(
        net, inputs if inputs.dtype == np.uint8 else inputs.astype(X.dtype)[:, ::1].astype(dtype), np.ones(5, int)
    )
    ours, theirs = np.empty((3, 4), dtype), np.empty((3, 4), dtype)
    memory.gather(inputs, np.array([4, 0, 4]), ours)
    batches_reference.gather(inputs, np.array([4, 0, 4]), theirs)
    alike(ours, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.bool_, np.float32, np.float64])
def test_gather(kind: Any, dtype: Any, tmp_path: Path) -> None:
    inputs = np.random.default_rng(3).integers(256, size=(50, 7)).astype(kind)
    np.save(tmp_path / "inputs.npy", inputs)
    order = np.random.default_rng(4).permutation(50)[:13]
    theirs = np.empty((13, 7), dtype)
    batches_reference.gather(inputs, order, theirs)
    for source in (inputs, np.load(tmp_path / "inputs.npy", mmap_mode="r")):
        ours = np.full((13, 7), np.nan, dtype)
        memory.gather(source, order, ours)
        alike(ours, theirs)


OPTIMIZERS = [
    optimizers.SGD(),
    optimizers.Momentum(momentum=0.8),
    optimizers.Nesterov(),
    optimizers.AdaGrad(),
    optimizers.RMSProp(decay=0.9),
    optimizers.Adam(beta_1=0.8, beta_2=0.99),
    optimizers.AdamW(weight_decay=0.3),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
def test_thirty_steps(optimizer: optimizers.Optimizer, dtype: Any) -> None:
    rng = np.random.default_rng(6)
    ends, states = [], []
    gradients = rng.normal(size=(30, 7 * 5 + 5))
    start = rng.normal(size=gradients.shape[1])
    for step in (type(optimizer).step, optimizers_twin.step):
        own = type(optimizer)(**{name: value for name, value in vars(optimizer).items() if name in settings(optimizer)})
        params = Parameters((7, 5), start.astype(dtype))
        for i, gradient in enumerate(gradients):
            step(own, params, Parameters((7, 5), gradient.astype(dtype)), 0.1 / (1 + i))
        ends.append(params.vector)
        states.append(own.state())
    alike(ends[1], ends[0])
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        alike(states[1][name], value)


def settings(optimizer: optimizers.Optimizer) -> set[str]:
    return set(vars(optimizer)) - {"steps", "_vectors"}


def test_an_optimizer_of_ones_own_takes_its_own_step() -> None:
    class Signs(optimizers.SGD):
        def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
            p -= learning_rate * np.sign(g)

    params, grads = Parameters((2, 1)), Parameters((2, 1), np.array([3.0, -2.0, 0.0], np.float32))
    optimizers_twin.step(Signs(), params, grads, 0.5)
    np.testing.assert_array_equal(params.vector, np.array([-0.5, 0.5, 0.0], np.float32))


def test_moments_fade_to_zero_and_not_to_denormal_numbers() -> None:
    params, grads = Parameters((1, 1)), Parameters((1, 1), np.ones(2, np.float32))
    optimizer = optimizers.Momentum()
    optimizers_twin.step(optimizer, params, grads, 0.1)
    grads.vector[:] = 0.0
    for _ in range(700):
        optimizers_twin.step(optimizer, params, grads, 0.1)
    np.testing.assert_array_equal(optimizer.state()["velocity"], np.zeros(2, np.float32))


DEFORMATIONS = [
    Deformation(),
    Deformation(rotation=20.0, scale=0.2, shift=3.0, shear=10.0),
    Deformation(rotation=20.0, scale=0.2, shift=3.0, shear=10.0, elastic_alpha=40.0),
    Deformation(elastic_alpha=30.0, elastic_sigma=2.0),
    Deformation(stroke=1.5),
    Deformation(rotation=20.0, elastic_alpha=30.0, stroke=3.0),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("deformation", DEFORMATIONS)
@pytest.mark.parametrize(("n_samples", "image_shape"), [(1, (28, 28)), (70, (9, 14)), (1500, (5, 4))])
def test_deform(deformation: Deformation, n_samples: int, image_shape: tuple[int, int], dtype: Any) -> None:
    size = image_shape[0] * image_shape[1]
    images = np.random.default_rng(7).random((n_samples, 2 * size))[:, ::2].astype(dtype)
    theirs = augment_reference.deform(images, image_shape, deformation, np.random.default_rng(8))
    ours = augment.deform(images, image_shape, deformation, np.random.default_rng(8), np.empty(images.shape, dtype))
    tolerance = (
        1e-4 if dtype is np.float32 else 1e-12
    )  # a point that lies a rounding error to the other side of a pixel
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=tolerance)
    in_place = images.copy()
    assert augment.deform(in_place, image_shape, deformation, np.random.default_rng(8), in_place) is in_place
    np.testing.assert_array_equal(in_place, ours)
