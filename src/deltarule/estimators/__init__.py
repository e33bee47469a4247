"""MLPClassifier and MLPRegressor: scikit-learn's own interface, parameters and defaults, on deltarule's network.

    from sklearn.neural_network import MLPClassifier     becomes     from deltarule import MLPClassifier

Raises MissingExtraError, with the command that installs it, where scikit-learn is not there.
"""

from deltarule.errors import require

require("sklearn", "sklearn")

from deltarule.estimators.mlp import MLPClassifier, MLPRegressor  # noqa: E402 - not before it is known to be possible

__all__ = ["MLPClassifier", "MLPRegressor"]
