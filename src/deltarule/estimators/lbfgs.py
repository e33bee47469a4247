"""L-BFGS: SciPy's, in one call on the one vector."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from deltarule.estimators.examples import Examples
from deltarule.estimators.slope import Slope
from deltarule.nn.arrays import Array
from deltarule.settings import Task
from deltarule.training.checks import are_finite


def minimized(
    slope: Slope, train: Examples, task: Task, end_iteration: Callable[[float], None], options: dict[str, Any]
) -> tuple[OptimizeResult, float]:
    """What SciPy found, and its loss as it is reported; the network has the parameters (Liu & Nocedal 1989).

    end_iteration: given the loss after each iteration, with the network as it is then.
    options: SciPy's maxiter, maxfun and gtol.

    Raises DivergenceError where the loss is no finite number, at the start or at the end. Interrupted, the network
    keeps the parameters of the last whole iteration.
    """
    parameters, everything, losses = slope.network.parameters, slice(0, len(train)), [math.nan]
    kept = parameters.vector.copy()

    def loss_and_gradient(vector: Array) -> tuple[float, Array]:
        parameters.vector[:] = vector
        descended, losses[0] = slope.descend(train, everything, task)
        return descended, slope.grads.vector.astype(np.float64)

    def iterated(intermediate_result: OptimizeResult) -> None:
        parameters.vector[:] = kept[:] = intermediate_result.x
        end_iteration(losses[0])  # the last point that a line search looks at is the one that it takes

    def checked(step: int) -> float:
        descended, told = slope.descend(train, everything, task)
        if not (math.isfinite(descended) and are_finite(parameters)):
            raise slope.divergence(descended, 1.0, step, max(step, 1))
        return told

    checked(0)
    start = parameters.vector.astype(np.float64)
    try:
        found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", callback=iterated, options=options)
    except KeyboardInterrupt:
        parameters.vector[:] = kept
        raise
    parameters.vector[:] = found.x
    return found, checked(found.nit)
