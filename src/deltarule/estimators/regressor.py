"""MLPRegressor: values for rows of numbers."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions

from deltarule.errors import sentence
from deltarule.estimators.perceptron import Perceptron
from deltarule.estimators.settings import CONSTRAINTS
from deltarule.nn.arrays import Array
from deltarule.public import public

ENDS = {"squared_error": ("identity", "quadratic"), "poisson": ("exponential", "poisson")}  # output and loss here


@public('MLPRegressor(hidden_layer_sizes=(100,), activation="relu", solver="adam")')
@dataclass(eq=False, repr=False)
class MLPRegressor(RegressorMixin, Perceptron):
    """scikit-learn's MLPRegressor on deltarule's network: same parameters, same results, and more of both.

    loss: "squared_error", half of it, a mean over outputs, too; or "poisson", half the deviance, for y of 0 or more.
    {parameters}

    After `fit`:

    {attributes}

    >>> X = np.linspace(-1.0, 1.0, 20).reshape(-1, 1)
    >>> fitted = MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", random_state=0).fit(X, X[:, 0] ** 2)
    >>> bool(fitted.score(X, X[:, 0] ** 2) > 0.99)
    True
    """

    loss: str = "squared_error"
    hidden_layer_sizes: Any = (100,)
    activation: Any = "relu"
    _parameter_constraints: ClassVar[dict[str, Any]] = {**CONSTRAINTS, "loss": [StrOptions(set(ENDS))]}

    def _read_targets(self, y: Array, is_first: bool, incremental: bool) -> Array:
        values = y.reshape(len(y), -1).astype(np.float64, copy=False)
        if self.loss == "poisson" and values.min() < 0.0:
            raise ValueError(sentence("estimators.negative", low=values.min()))
        if is_first:
            self._n_values = values.shape[1]
        elif values.shape[1] != self._n_values:
            raise ValueError(f"y must have {self._n_values} outputs, as at first: got {values.shape[1]}")
        return values

    def _output(self) -> dict[str, Any]:
        names, (output, loss) = tuple(map(str, range(self._n_values))), ENDS[self.loss]
        return {"output": output, "loss": loss, "task": "values", "class_names": names}

    def _score_of(self, outputs: Array, answers: Any, weights: Array | None) -> float:
        return float(r2_score(answers, outputs.reshape(np.shape(answers)), sample_weight=weights))

    def predict(self, X: Any) -> Array:
        """Values for X (n_samples, n_features): (n_samples,), or (n_samples, n_outputs) for several outputs."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
