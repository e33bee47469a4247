"""JAX: a whole epoch is one compiled function, a `lax.scan` over the batches, as its documentation says.

Parameters and optimizer state are donated (docs.jax.dev, Buffer donation), the images are on the device as float32, and
the clock stops after `block_until_ready` (Benchmarking and profiling). A short last batch is a step of its own inside.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from workloads import MOMENTUM, Layers, Workload

from contenders import Contender

Tree = Any  # nested lists and tuples of arrays
MOMENTS = {"sgd": 0, "momentum": 1, "adam": 2}


class JaxScan(Contender):
    """Parameters, optimizer state and data as JAX arrays."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        self.X = jax.device_put(images / np.float32(255.0))
        self.y = jax.device_put(classes.astype(np.int32))
        self.parameters = jax.tree.map(jnp.asarray, self.workload.start())
        self.state = ([zeros(self.parameters) for _ in range(MOMENTS[self.workload.optimizer])], jnp.zeros(()))

    def train(self) -> None:
        order = self.rng.permutation(len(self.X)).astype(np.int32)
        trained = epoch(self.workload, self.parameters, self.state, self.X, self.y, order)
        self.parameters, self.state = jax.block_until_ready(trained)

    def layers(self) -> Layers:
        return [(np.asarray(W), np.asarray(b)) for W, b in self.parameters]


@partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def epoch(work: Workload, parameters: Tree, state: Tree, X: jax.Array, y: jax.Array, order: jax.Array) -> Tree:
    """(parameters, state) after an epoch on the images X in that order."""

    def step(trained: Tree, batch: jax.Array) -> tuple[Tree, None]:
        gradients = jax.grad(loss)(trained[0], work.activation, X[batch], y[batch])
        return update(work, *trained, gradients), None

    n_full = len(order) // work.batch_size * work.batch_size
    trained, _ = jax.lax.scan(step, (parameters, state), order[:n_full].reshape(-1, work.batch_size))
    return step(trained, order[n_full:])[0] if n_full < len(order) else trained


def loss(parameters: Tree, activation: str, X: jax.Array, y: jax.Array) -> jax.Array:
    """The mean cross-entropy of a batch."""
    for W, b in parameters[:-1]:
        X = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}[activation](X @ W + b)
    W, b = parameters[-1]
    return -jnp.take_along_axis(jax.nn.log_softmax(X @ W + b), y[:, None], axis=1).mean()


def update(work: Workload, parameters: Tree, state: Tree, gradients: Tree) -> Tree:
    """(parameters, state) after a step of SGD, momentum or Adam."""
    moments, steps = state[0], state[1] + 1.0
    rate = work.learning_rate
    if work.optimizer == "sgd":
        return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), (moments, steps)
    if work.optimizer == "momentum":
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, moments[0], gradients)
        return jax.tree.map(lambda p, v: p - rate * v, parameters, velocity), ([velocity], steps)
    means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
    squares = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, moments[1], gradients)
    mean_rate, correction = rate / (1.0 - 0.9**steps), 1.0 / jnp.sqrt(1.0 - 0.999**steps)
    moved = jax.tree.map(
        lambda p, m, s: p - mean_rate * m / (jnp.sqrt(s) * correction + 1e-8), parameters, means, squares
    )
    return moved, ([means, squares], steps)


def zeros(parameters: Tree) -> Tree:
    """Zeros of the same shapes."""
    return jax.tree.map(jnp.zeros_like, parameters)
