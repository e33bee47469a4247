"""MLPClassifier and MLPRegressor: scikit-learn's own interface, parameters and defaults, on deltarule's network.

    from sklearn.neural_network import MLPClassifier     becomes     from deltarule import MLPClassifier

Raises MissingExtraError, with the command that installs it, if scikit-learn is missing.
"""

from deltarule.errors import require

require("sklearn", "sklearn")

from deltarule.estimators.mlp import MLPClassifier, MLPRegressor  # noqa: E402 - only after the check above

__all__ = ["MLPClassifier", "MLPRegressor"]
