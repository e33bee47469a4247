"""MLPClassifier and MLPRegressor: predict classes, sets of labels, or values from rows of numbers."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from deltarule.errors import LOG, sentence
from deltarule.estimators.perceptron import CONSTRAINTS, Perceptron, interval
from deltarule.nn.activations import Sigmoid, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy
from deltarule.public import public
from deltarule.settings import brief

ENDS = {"squared_error": ("identity", "quadratic"), "poisson": ("exponential", "poisson")}  # output, loss in deltarule


@public('MLPClassifier((100,), "relu", solver="adam")')
@dataclass(eq=False, repr=False)
class MLPClassifier(ClassifierMixin, Perceptron):
    """scikit-learn's MLPClassifier on deltarule's network: the same parameters and results, and more parameters.

    {parameters}
    class_weight: {class: weight}, "balanced", or None: how much the samples of a class count.
    label_smoothing: how far targets are moved away from 0 and 1, in [0, 1).

    After `fit`:

    classes_: the classes, (n_classes,), in the order of probabilities.
    {attributes}

    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), ["low", "low", "high", "high"]
    >>> MLPClassifier(solver="lbfgs", random_state=0).fit(X, y).predict([[0.0], [3.0]]).tolist()
    ['low', 'high']
    """

    hidden_layer_sizes: Any = (100,)
    activation: Any = "relu"
    _: KW_ONLY
    class_weight: Any = None
    label_smoothing: float = 0.0
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "label_smoothing": [interval("label_smoothing")],
    }

    @available_if(Perceptron._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None, validation_data: Any = None
    ) -> Self:
        """Train for one more epoch, on these samples; the arguments are those of `fit`, and `classes`.

        classes: all classes that will ever occur, needed in the first call. With early stopping each call holds out a
        share of its samples, the best parameters predict, and once `stopped_` is True, calls change nothing.
        """
        if self.class_weight == "balanced":
            raise ValueError(sentence("estimators.balanced"))
        if _check_partial_fit_first_call(self, classes):
            self._learn_classes(y if type_of_target(y).startswith("multilabel") else self.classes_)
        return self._fit(X, y, sample_weight, validation_data, True)

    def _learn_classes(self, y: Any) -> None:
        self._kind = type_of_target(y)
        if self._kind.startswith(("continuous", "multiclass-", "unknown")):
            values = {"kind": self._kind, "shape": np.shape(y), "value": np.ravel(y)[0]}
            raise ValueError(sentence(f"estimators.{self._kind.partition('-')[0]}", **values))
        is_plain = self._kind in ("binary", "multiclass") and getattr(y, "dtype", np.dtype(object)).kind in "iu"
        self.classes_ = np.unique(y) if is_plain else unique_labels(y)  # which checks the kind again

    def _read_targets(self, y: Array, is_first: bool, incremental: bool) -> Array:
        if is_first and not incremental:
            self._learn_classes(y)
        else:
            before, found = self.classes_, unique_labels(y)
            if self.warm_start and not incremental and set(found) != set(before):
                raise ValueError(sentence("estimators.warm_start", before=before, found=found))
            if len(np.setdiff1d(found, before, assume_unique=True)):
                raise ValueError(sentence("estimators.new_classes", before=before, found=found))
        if self._kind.startswith("multilabel"):
            if y.shape[1] > 2 and np.all(y.sum(axis=1) == 1):
                LOG.warning(sentence("estimators.one_hot"))
            return y.astype(np.uint8)
        if self._kind == "multiclass":
            return np.searchsorted(self.classes_, y).astype(np.int64)
        is_second = y == self.classes_[-1] if len(self.classes_) > 1 else np.zeros(len(y))
        return is_second.astype(np.uint8).reshape(-1, 1)

    def _output(self) -> dict[str, Any]:
        names, smoothing = tuple(map(str, self.classes_)), self.label_smoothing
        if self._kind == "multiclass":
            return {"output": Softmax(), "loss": CrossEntropy(smoothing), "task": "classes", "class_names": names}
        names = names if self._kind.startswith("multilabel") else names[-1:]
        return {"output": Sigmoid(), "loss": BinaryCrossEntropy(smoothing), "task": "labels", "class_names": names}

    def _weights(self, y: Array, weights: Array | None) -> Array | None:
        if self.class_weight is None:
            return weights
        if self.class_weight == "balanced":
            return weights_by_class(y, np.ones(len(y)) if weights is None else weights)
        by_class = compute_sample_weight(self.class_weight, y)
        if not (np.isfinite(by_class).all() and by_class.min() >= 0.0):
            raise ValueError(sentence("estimators.class_weight", given=brief(self.class_weight)))
        return by_class if weights is None else by_class * weights

    def _labels(self, outputs: Array) -> Array:
        """The classes, or sets of labels, for outputs (n_samples, n_outputs); sparse if y was."""
        if self._kind == "multiclass":
            return self.classes_[outputs.argmax(axis=1)]
        if self._kind.startswith("multilabel"):
            labels = (outputs > 0.5).astype(np.int64)
            return csr_matrix(labels) if self._takes_sparse_labels else labels
        return self.classes_[np.where(outputs[:, 0] > 0.5, -1, 0)]

    def _score_of(self, outputs: Array, answers: Any, weights: Array | None) -> float:
        return float(accuracy_score(answers, self._labels(outputs), sample_weight=weights))

    def predict(self, X: Any) -> Array:
        """Classes (n_samples,) for X (n_samples, n_features), or labels (n_samples, n_labels), sparse if y was."""
        return self._labels(self._outputs(X))

    def predict_proba(self, X: Any) -> Array:
        """Probabilities (n_samples, n_classes) in the order of `classes_`; for labels, (n_samples, n_labels)."""
        outputs = self._outputs(X)
        return np.hstack([1.0 - outputs, outputs]) if self.n_outputs_ == 1 else outputs

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities that `predict_proba` returns; minus infinity for a probability of 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def weights_by_class(y: Array, weights: Array) -> Array:
    """The sample weights (n_samples,), rescaled so that each class of y has the same total, and their sum stays.

    y: (n_samples,) classes, or (n_samples, n_labels) labels: then a weight is multiplied by a factor for each label.
        A sample of weight 2 counts as two, one of weight 0 not at all.
    """
    found = weights
    for column in y.reshape(len(y), -1).T:
        _, places = np.unique(column, return_inverse=True)
        totals = np.bincount(places, weights)
        share = weights.sum() / np.count_nonzero(totals)
        found = found * np.divide(share, totals, where=totals > 0.0, out=np.zeros_like(totals))[places]
    return found


@public('MLPRegressor(hidden_layer_sizes=(100,), activation="relu", solver="adam")')
@dataclass(eq=False, repr=False)
class MLPRegressor(RegressorMixin, Perceptron):
    """scikit-learn's MLPRegressor on deltarule's network: the same parameters and results, and more parameters.

    loss: "squared_error", half the squared error, averaged over outputs; or "poisson", half the deviance, for y >= 0.
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
