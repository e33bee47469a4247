"""gradcheck's explanation for an array that no usual mistake of a program explains."""

from contextlib import suppress

import numpy as np

from deltarule.errors import DeltaruleError
from deltarule.inspection.gradcheck.catalog import Mistake, Observed
from deltarule.inspection.gradcheck.first_wrong import judgement
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.learn.judgement import Pass, Step
from deltarule.nn.network import Network

NAMES = {"sigmoid": "sigmoid", "tanh": "tanh", "ReLU": "relu", "identity": "identity", "softmax": "softmax"}
LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}


def second_opinion(run: Pass, step: Step) -> Mistake | None:
    """The mistake with which gradcheck explains the wrong array of a step; None if gradcheck knows none either."""
    kinds = [each.name for each in run.kinds]
    if step.quantity not in ("delta", "dW", "db") or not all(each in NAMES for each in kinds):
        return None
    loss = run.step("loss").values.get("loss", "")
    with suppress(DeltaruleError):
        network = Network(
            (run.X.shape[1], *(layer.W.shape[1] for layer in run.layers)),
            hidden=[NAMES[each] for each in kinds[:-1]] or "relu",
            output=NAMES[kinds[-1]],
            loss="quadratic" if loss == "squared error" else LOSSES.get(kinds[-1], "quadratic"),
            dtype=np.float64,
        )
        for layer, W, b in zip(run.layers, network.weights, network.biases, strict=True):
            W[:], b[:] = layer.W, layer.b
        weights, biases = zip(*run.gradients, strict=True)
        observed = Observed(z=run.z, a=run.a, delta=run.delta, weights=weights, biases=biases)
        for wrong in judgement(Problem.of(network, run.X, run.targets), observed).wrong:
            if wrong.quantity == step.quantity and step.layer in (wrong.layer, *wrong.layers):
                return None if wrong.mistake.id == "off" else wrong.mistake
    return None
