"""What other libraries call things: names that do not exist here, and the line that does the same.

`no_attribute` makes the error for a name that is asked for; `explains_names` lets a class raise it.
"""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

from deltarule.errors import SettingError, UnknownNameError, closest

T = TypeVar("T")
_NET = "dr.Network((784, 100, 10)"
_CLASSES = f'{_NET}, hidden="relu", output="softmax", loss="cross_entropy")'
_VALUES = 'dr.Network((4, 8, 1), output="identity", loss="quadratic")'
_YES_OR_NO = 'dr.Network((4, 8, 1), output="sigmoid", loss="binary_cross_entropy")'
_TRAIN = 'dr.fit(network, X, y, epochs=10, optimizer="adam", learning_rate=0.001)'
# owner: {names: the line}. "()", "[]" and "in" stand for calling, indexing and unpacking or a loop.
_LINES: dict[str, dict[str, str]] = {
    "deltarule": {
        "Sequential Dense Linear Layer MLP Net NeuralNetwork nn layers models relu tanh sigmoid softmax": _CLASSES,
        "cross_entropy CrossEntropyLoss NLLLoss categorical_crossentropy losses activations": _CLASSES,
        "mse MSE MSELoss L1Loss mean_squared_error": _VALUES,
        "BCE BCELoss BCEWithLogitsLoss binary_cross_entropy binary_crossentropy": _YES_OR_NO,
        "Dropout": f"{_NET}, dropout=0.1)",
        "train compile optim optimizers fit_transform": _TRAIN,
        "predict": "network.predict(X)",
        "score accuracy accuracy_score metrics": "loss, accuracy = dr.evaluate(network, X, y)",
        "load_model load_network": 'model = dr.load("network.safetensors")',
        "save_model save_network": 'dr.save(network, "network.safetensors")',
        "datasets load_mnist load_digits MNIST mnist": 'dr.load_data("mnist")',
        "read_csv load_csv": 'dr.read_table("table.csv", target="column")',
        "DataLoader TensorDataset": "dr.Dataset(X, y)",
        "train_test_split": "dr.Dataset(X, y).hold_out(100)",
        "set_seed manual_seed random": f"{_NET}, rng=0)",
        "StepLR lr_scheduler LearningRateScheduler": "learning_rate=dr.StepDecay(0.1, 1000)",
        "CosineAnnealingLR": "learning_rate=dr.Cosine(0.1, 1000)",
        "confusion_matrix": 'dr.plot("confusion", network, data)',
        "summary": "print(network)",
    },
    "Network": {
        "fit train compile partial_fit": _TRAIN,
        "evaluate score": "loss, accuracy = dr.evaluate(network, X, y)",
        "save save_weights": 'dr.save(network, "network.safetensors")',
        "load load_weights load_state_dict": 'network = dr.load("network.safetensors").network',
        "summary": "print(network)",
        "predict_proba": "network.probabilities(X)",
        "forward ()": "network.outputs(X)",
        "predict_classes": "network.predict(X)",
        "layers get_weights coefs_": "network.weights",
        "hidden output activation": "network.activations",
        "set_weights": "network.weights[0][:] = W",
        "state_dict": "network.parameters.vector",
        "backward": "loss, gradient = dr.loss_and_gradient(network, X, y)",
        "to cuda cpu eval": "network as it is: it computes on the CPU, and dropout acts in training alone",
    },
    "Network =": {
        "weights biases": "network.weights[0][:] = W, and network.biases[0][:] = b",
        "dtype": "network = network.astype(np.float64)",
        "lr learning_rate optimizer epochs batch_size penalty": _TRAIN,
        "hidden output layers activation": _CLASSES,
        "training": "network as it is: dropout acts in training alone",
    },
    "Model": {
        "fit train compile": _TRAIN.replace("network", "model.network"),
        "evaluate score": "loss, accuracy = dr.evaluate(model, X, y)",
        "save": 'dr.save(model, "model.safetensors")',
        "summary": "print(model.network)",
        "predict_proba": "model.probabilities(X)",
        "forward ()": "model.outputs(X)",
        "weights biases parameters layers activations loss dropout layer_sizes": "model.network.weights",
    },
    "Parameters": {"()": "network.parameters, without the brackets, or its vector, network.parameters.vector"},
    "History": {
        "history": 'history["train_loss"], or history.rows',
        "loss losses loss_curve_ train_loss": 'history["train_loss"]',
        "accuracy acc train_accuracy": 'history["train_accuracy"]',
        "val_loss validation_loss": 'history["validation_loss"]',
        "val_accuracy val_acc validation_accuracy": 'history["validation_accuracy"]',
        "keys columns": "history.rows[0].keys()",
    },
    "Dataset": {
        "X x data features images []": "data.inputs",
        "y labels target classes": "data.targets",
        "shape": "data.inputs.shape",
        "in": "X, y = data.inputs, data.targets",
        "train test": "data itself, or parts = data.hold_out(100), then parts.train and parts.test",
    },
    "Splits": {
        "X x data inputs images x_train X_train": "digits.train.inputs",
        "y targets target labels y_train": "digits.train.targets",
        "x_test X_test": "digits.test.inputs",
        "y_test": "digits.test.targets",
        "validation val valid": "digits.train.hold_out(1000).test",
        "[] in": "X, y = digits.train.inputs, digits.train.targets, and digits.test likewise",
    },
}
_ELSEWHERE = {
    (owner, name): line for owner, rows in _LINES.items() for key, line in rows.items() for name in key.split()
}
_ACTS = {
    "()": ("__call__", "is not callable"),
    "[]": ("__getitem__", "is not subscriptable"),
    "in": ("__iter__", "is not iterable"),
}


def no_attribute(owner: str, name: str, known: Iterable[str], begins: str) -> UnknownNameError:
    """The error for a name that `owner` does not have: with the line that does it here, or the closest name."""
    line = _ELSEWHERE.get((owner, name))
    public = [] if name.startswith("_") else [each for each in known if not each.startswith("_")]
    near, _, all_names = closest(name, public).partition("Known: ")
    cure = f": use {line}" if line else f": {near or 'Known: ' + all_names}".rstrip() if public else ""
    return UnknownNameError(f"{begins} has no attribute {name!r}{cure}")


def refuse_assignment(owner: str, name: str) -> None:
    """Raise SettingError where that attribute cannot be assigned, or would change nothing."""
    if line := _ELSEWHERE.get((f"{owner} =", name)):
        raise SettingError(f"{name} of a {owner} cannot be assigned: use {line}")


class Views(tuple[Any, ...]):
    """Arrays that are parts of one vector."""

    def __setitem__(self, place: Any, given: Any) -> None:
        """What `weights[0] += W` ends with. SettingError for another array: it would not be part of the vector."""
        if given is not self[place]:
            raise SettingError(
                f"an array of a network cannot be replaced, only its numbers: use network.weights[{place}][:] = W, or "
                f"network.biases[{place}][:] = b"
            )


def explains_names(kind: type[T]) -> type[T]:
    """Let a class answer names, calls and indices that it does not have with what to use instead."""

    def missing(thing: Any, name: str) -> NoReturn:
        raise no_attribute(kind.__name__, name, dir(thing), f"{kind.__name__!r} object")

    def refusal(does: str, line: str) -> Callable[..., NoReturn]:
        def refuse(thing: Any, *arguments: Any, **options: Any) -> NoReturn:
            raise SettingError(f"{kind.__name__!r} object {does}: use {line}")

        return refuse

    kind.__getattr__ = missing  # type: ignore[attr-defined]
    for act, (method, does) in _ACTS.items():
        if (kind.__name__, act) in _ELSEWHERE:
            setattr(kind, method, refusal(does, _ELSEWHERE[kind.__name__, act]))
    return kind
