"""What other libraries call things: names that do not exist here, and the line that does the same."""

import inspect
from collections.abc import Iterable
from functools import partialmethod
from typing import Any, NoReturn, TypeVar

from deltarule.errors import SettingError, UnknownNameError, closest

T = TypeVar("T")
_CLASSES = 'dr.Network((784, 100, 10), hidden="relu", output="softmax", loss="cross_entropy", dropout=0.0)'
_TRAIN = 'dr.fit({net}, X, y, epochs=10, optimizer="adam", learning_rate=0.001)'
# Whose: names: the line. "()", "[]" and "in" stand for a call, an index, and a loop or unpacking; {it} is a network or
# a model, {net} its network. "=" is what is assigned to a network.
_LINES: dict[str, dict[str, str]] = {
    "deltarule": {
        "Sequential Dense Linear Layer MLP Net NeuralNetwork layers models Dropout": _CLASSES,
        "relu tanh sigmoid softmax activations losses cross_entropy CrossEntropyLoss NLLLoss": _CLASSES,
        "mse MSE MSELoss mean_squared_error": 'dr.Network((4, 8, 1), output="identity", loss="quadratic")',
        "BCELoss binary_crossentropy": 'dr.Network((4, 8, 1), output="sigmoid", loss="binary_cross_entropy")',
        "datasets load_mnist load_digits MNIST mnist": 'dr.load_data("mnist")',
        "CSVLog CSVLogger": 'dr.fit(network, X, y).save("history.csv")',
        "DataLoader TensorDataset train_test_split": "dr.Dataset(X, y).hold_out(100)",
    },
    "Network": {
        "fit train compile partial_fit optim optimizers": _TRAIN,
        "evaluate score accuracy accuracy_score metrics": "loss, accuracy = dr.evaluate({it}, X, y)",
        "save load save_model load_model": 'dr.save({it}, "network.safetensors"), and dr.load("network.safetensors")',
        "predict": "network.predict(X)",
        "summary": "print({net})",
        "predict_proba": "{it}.probabilities(X)",
        "forward ()": "{it}.outputs(X)",
        "layers get_weights coefs_ state_dict": "{net}.weights and {net}.biases",
        "to cuda cpu eval": "{it} as it is: it computes on the CPU, and dropout acts in training alone",
        "weights biases parameters activations loss dropout layer_sizes dtype": "model.network, which has it",
    },
    "=": {
        "weights biases": "network.weights[0][:] = W, and network.biases[0][:] = b",
        "dtype": "network = network.astype(np.float64)",
        "lr learning_rate optimizer epochs batch_size penalty": _TRAIN,
    },
    "Picture": {"savefig show": 'picture.save("picture.png")'},
    "Parameters": {"()": "network.parameters, without the brackets, or its vector, network.parameters.vector"},
    "History": {
        "history keys columns loss losses train_loss": 'history["train_loss"], or history.rows',
        "accuracy acc train_accuracy": 'history["train_accuracy"]',
        "val_loss validation_loss val_accuracy": 'history["validation_loss"], with a validation set in fit',
    },
    "Dataset": {
        "X x data features images shape []": "data.inputs",
        "y labels target classes": "data.targets",
        "in": "X, y = data.inputs, data.targets",
    },
    "Splits": {
        "X x data inputs images x_train X_train y targets labels y_train": "data.train.inputs and data.train.targets",
        "x_test X_test y_test [] in": "X, y = data.test.inputs, data.test.targets, and likewise data.train",
    },
}
_LIKE_A_NETWORK: dict[str, str | None] = {"Model": "Network", "deltarule": "Network"}
_ELSEWHERE: dict[tuple[str | None, str], str] = {
    (whose, name): line for whose, rows in _LINES.items() for names, line in rows.items() for name in names.split()
}
_ACTS = {
    "()": ("__call__", "is not callable"),
    "[]": ("__getitem__", "is not subscriptable"),
    "in": ("__iter__", "is not iterable"),
}


def line_for(whose: str, name: str) -> str | None:
    """The line that does what `name` does elsewhere; None where there is none."""
    found = _ELSEWHERE.get((whose, name)) or _ELSEWHERE.get((_LIKE_A_NETWORK.get(whose), name))
    it, net = ("model", "model.network") if whose == "Model" else ("network", "network")
    return found and found.format(it=it, net=net)


def no_attribute(whose: str, name: str, known: Iterable[str], begins: str) -> UnknownNameError:
    """The error for a name that does not exist: with the line that does it here, or the closest names."""
    line, public = line_for(whose, name), [each for each in known if not each.startswith("_")]
    near, _, names = closest(name, public).partition("Known: ")
    return UnknownNameError(f"{begins} has no attribute {name!r}: {f'use {line}' if line else near.strip() or names}")


def refuse(thing: Any, says: str, *arguments: Any) -> NoReturn:
    """Raise SettingError, as the method of a class that has no such method."""
    raise SettingError(says)


def explains_names(kind: type[T]) -> type[T]:
    """Let a class answer names, calls and indices that it does not have with what to use instead."""
    whose, begins = kind.__name__, f"{kind.__name__!r} object"

    def missing(thing: Any, name: str) -> NoReturn:
        raise (
            AttributeError(f"{begins} has no attribute {name!r}")
            if name.startswith("_")
            else no_attribute(whose, name, dir(thing), begins)
        )

    for act, (method, does) in _ACTS.items():
        if line := line_for(whose, act):
            setattr(kind, method, partialmethod(refuse, f"{begins} {does}: use {line}"))
    kind.__getattr__ = missing  # type: ignore[attr-defined]
    return kind


class ShortHelp(type):
    """What help() shows of a class, as for an Enum: how it is made and the methods, without Python's own machinery.

    Attributes are in the docstring, whether they are computed or not.
    """

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_") and callable(getattr(cls, name))]

    @property
    def __signature__(cls) -> inspect.Signature:
        """How a thing is made, without the types, which the docstring says in words."""
        _, *parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
        return inspect.Signature([each.replace(annotation=each.empty) for each in parameters])


class Views(tuple[Any, ...]):
    """Arrays that are parts of one vector: `weights[0] += W` changes it, another array would not."""

    def __setitem__(self, place: Any, given: Any) -> None:
        if given is not self[place]:
            l = place if isinstance(place, int) else 0
            lines = f"network.weights[{l}][:] = W, or network.biases[{l}][:] = b"
            raise SettingError(f"an array of a network cannot be replaced, only its numbers: use {lines}")
