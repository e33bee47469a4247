"""scikit-learn's MLPClassifier: `partial_fit` is an epoch that keeps the optimizer's state.

The images are float32, which it trains in as they come, and it is told not to look for NaN in them
(scikit-learn.org, Computational Performance: "Validation overhead").
"""

import sys

import numpy as np
from numpy.typing import NDArray
from workloads import MOMENTUM, N_CLASSES, Layers

from contenders import Contender


class ScikitLearn(Contender):
    """Its optimizer has seen one batch before the common weights are put in place: they exist only from then on."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        import sklearn
        from sklearn.neural_network import MLPClassifier

        sklearn.set_config(assume_finite=True)
        work = self.workload
        self.X, self.y = images / np.float32(255.0), classes
        self.network = MLPClassifier(
            work.layer_sizes[1:-1],
            activation={"relu": "relu", "sigmoid": "logistic"}[work.activation],
            solver="adam" if work.optimizer == "adam" else "sgd",
            momentum=MOMENTUM if work.optimizer == "momentum" else 0.0,
            nesterovs_momentum=False,
            alpha=0.0,
            batch_size=work.batch_size,
            learning_rate_init=work.learning_rate,
            n_iter_no_change=sys.maxsize,
            random_state=0,
        )
        first = slice(work.batch_size)
        self.network.partial_fit(self.X[first], self.y[first], classes=np.arange(N_CLASSES))
        for (W, b), weights, biases in zip(work.start(), self.network.coefs_, self.network.intercepts_, strict=True):
            weights[:], biases[:] = W, b

    def train(self) -> None:
        self.network.partial_fit(self.X, self.y)

    def layers(self) -> Layers:
        return list(zip(self.network.coefs_, self.network.intercepts_, strict=True))
