"""Networks that scikit-learn has trained, as Models. Only arrays are taken over: they are laid out as ours are."""

from typing import Any

from deltarule.data.columns import Column
from deltarule.errors import SettingError, closest
from deltarule.files.exchange import Layer, network_of
from deltarule.model import Model
from deltarule.nn.activations import Identity, Sigmoid
from deltarule.parts import PARTS, No
from deltarule.public import public

FITTED = ("coefs_", "intercepts_", "out_activation_")


@public("from_sklearn(estimator)")
def from_sklearn(estimator: Any) -> Model:
    """The Model in a fitted MLPClassifier or MLPRegressor of scikit-learn, or in an estimator of deltarule's.

    Its outputs are the estimator's own: of two classes a single sigmoid, whose name is that of the second class, the
    one that it is the probability of. Names of classes and of columns are kept, and so is the dtype. The arrays are
    copies.

    Raises SettingError for another kind of estimator, a Pipeline for instance, for one that is not fitted, and for an
    output that has no counterpart here (that of a Poisson regression).

    >>> from sklearn.neural_network import MLPRegressor
    >>> estimator = MLPRegressor(8, solver="lbfgs", random_state=0).fit(np.eye(4), np.arange(4.0))
    >>> from_sklearn(estimator).network.layer_sizes
    (4, 8, 1)
    """
    if isinstance(model := getattr(estimator, "model_", None), Model):
        return model
    check_estimator(estimator)
    known = {row.sklearn: row for row in PARTS["activation"].values() if not isinstance(row.sklearn, No)}
    for name in (estimator.activation, estimator.out_activation_):
        if name not in known:
            raise SettingError(f"no activation here is scikit-learn's {name!r}: {closest(name, known)}")
    hidden, output = known[estimator.activation].made_by(), known[estimator.out_activation_].made_by()
    arrays = enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    names = tuple(map(str, getattr(estimator, "classes_", ())))
    if isinstance(output, Identity):
        names = ()
    elif isinstance(output, Sigmoid) and estimator.n_outputs_ == 1:
        names = names[-1:]
    return Model(
        network_of([Layer(f"coefs_[{l}]", W, b) for l, (W, b) in arrays], hidden, output),
        class_names=names,
        columns=tuple(Column(str(name)) for name in getattr(estimator, "feature_names_in_", ())),
        record={"origin": f"scikit-learn's {type(estimator).__name__}"},
    )


def check_estimator(estimator: Any) -> None:
    """Raise SettingError unless it is a fitted network of scikit-learn, as the names of its classes say."""
    name, kinds = type(estimator).__name__, {kind.__name__ for kind in type(estimator).__mro__}
    wanted = "from_sklearn takes a fitted MLPClassifier or MLPRegressor"
    if isinstance(estimator, type):
        raise SettingError(f"{wanted}: got the class {estimator.__name__}; make one and call its fit(X, y)")
    if hasattr(estimator, "steps"):
        raise SettingError(
            f"{wanted}: got a {name}; give its last step, {name.lower()}[-1], and ask that what the steps before it "
            "make of the inputs (a StandardScaler is Model's input_scaling, Standardization(scaler.mean_, "
            "scaler.scale_))"
        )
    if hasattr(estimator, "best_estimator_"):
        raise SettingError(f"{wanted}: got a {name}; give its best_estimator_")
    if not kinds & {"MLPClassifier", "MLPRegressor"}:
        raise SettingError(f"{wanted}: got {name}; other models have no layers to take over")
    if not all(hasattr(estimator, each) for each in FITTED):
        raise SettingError(f"{wanted}: got a {name} that is not fitted; call its fit(X, y) first")
