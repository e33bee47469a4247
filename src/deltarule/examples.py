"""Checks what users pass as training or test examples, arrays X and y or a Dataset, and makes a Dataset of it."""

import math
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from deltarule.data.augment import Deformation
from deltarule.data.columns import input_names
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import LOG, DataError, SettingError, ShapeError, sentence
from deltarule.inputs import array_name, as_array, check_scale, flatten, is_stream, numbers, shape_error, warn_of_scale
from deltarule.model import Model, check_purpose
from deltarule.nn.activations import Sigmoid
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Quadratic
from deltarule.nn.network import Network, scale_of
from deltarule.nn.workspace import as_floats
from deltarule.public import check_network
from deltarule.settings import Task, brief
from deltarule.targets import check_range, check_targets


def examples_for(
    net_or_model: Network | Model,
    X: Any,
    y: Any = None,
    name: str = "the data",
    call: str = "dr.fit(network, {})",
    suffix: str = "",
) -> tuple[Network, Dataset]:
    """(network, Dataset) from the arguments of `fit` and the like; for a Model, its `inner` network and `scaled` data.

    X: (n_samples, features), images (n_samples, height, width), or a Dataset, for which y is None.
    y: as for `fit`. name: of the Dataset. call: the user's call, for messages. suffix: "_val" if it has X_val, y_val.

    Inputs that count as pixels stay uint8. The task is the network's; if it has none, it is inferred from y.

    Raises ShapeError, DataError or SettingError, with the fix, for data that do not fit the network.
    """
    check_network(net_or_model, call.format("X, y"))
    model = net_or_model if isinstance(net_or_model, Model) else None
    network = net_or_model.inner if isinstance(net_or_model, Model) else net_or_model
    refuse_structure(X, y, call)
    if isinstance(X, Dataset) and model is not None:
        return network, model.scaled(X)
    if isinstance(X, Dataset):
        check_purpose(network, X)
        if any(column.categories or column.fill is not None for column in X.columns):
            asked, is_fit = call.replace("network", "model").format("data"), "fit" in call or "validation" in call
            line = "dr.fit(network, model.scaled(data))" if is_fit else asked
            raise DataError(sentence("examples.table", data=X, line=line))
        return network, replace(X, inputs=cast_inputs(network, X.inputs, call))
    if model is not None:
        X = model.inputs(X)
    X, image_shape = input_rows(network, X, y, call, suffix)
    binary: Task = "labels" if isinstance(network.activations[-1], Sigmoid) else "values"
    sizes, names = network.layer_sizes, network.class_names
    targets, task = check_targets(y, len(X), sizes, network.task, names=names, binary=binary, name=f"y{suffix}")
    if model is not None and model.target_scaling is not None:
        targets = model.target_scaling.apply(targets)
    soft = targets if task == "classes" and targets.ndim == 2 else None
    targets = targets if soft is None else soft.argmax(axis=1)
    return network, Dataset(X, targets, task, network.class_names, image_shape, name, soft_targets=soft)


def refuse_structure(X: Any, y: Any, call: str) -> None:
    """Raise DataError, with the line to use in `call`, unless the user passed one Dataset, or X and y."""
    if isinstance(X, Splits):
        part = "digits.test" if "evaluate" in call or "validation" in call else "digits.train"
        raise DataError(sentence("examples.splits", line=call.replace("({})", "{}").format(part)))
    if isinstance(X, str | PathLike):
        line = f"dr.read_table({str(X)!r}, {y!r})" if isinstance(y, str) else f"dr.load_data({str(X)!r}).train"
        other = f", or of a table  dr.read_table({str(X)!r}, TARGET)" * (y is None and str(X).endswith(".csv"))
        raise DataError(sentence("examples.path", given=str(X), line=call.format(line) + other))
    if isinstance(y, str) and hasattr(X, "columns"):
        raise DataError(sentence("examples.column", y=y, line=call.format(f"X.drop(columns={y!r}), X[{y!r}]")))
    is_list = isinstance(X, list) and X and all(isinstance(each, tuple) and len(each) == 2 for each in X)
    if y is None and (is_stream(X) or is_list):
        is_loader = hasattr(X, "__len__") and not is_list
        first: Any = () if is_loader else next(iter(X), ())
        shapes = [np.shape(each) for each in first] if isinstance(first, tuple) else []
        is_column = len(shapes) == 2 and all(each[1:] == (1,) for each in shapes)
        key = "batches" if is_loader or list(map(len, shapes)) == [2, 1] else "columns" if is_column else "pairs"
        line = call.format("X.T, y.T.argmax(axis=1)") if is_column else call.format("np.array(X), np.array(y)")
        raise DataError(sentence(f"examples.{key}", line=call.format("X, y") if key == "batches" else line))
    if isinstance(X, Dataset) and y is not None:
        more = {Dataset: ", validation=y", int if "fit" in call else None: f", epochs={y}"}.get(type(y), "")
        raise DataError(sentence("examples.targets_twice", line=f"{call.format('data')[:-1]}{more})"))
    if not isinstance(X, Dataset | type) and X is not None and y is None:
        both = "dr.read_table(X, target)" if hasattr(X, "columns") else "X, y"
        both = ", ".join(f"data[{key!r}]" for key in list(X)[:2]) if isinstance(X, dict) else both
        raise DataError(sentence("examples.no_targets", given=brief(X), line=call.format(both)))


def input_rows(network: Network, X: Any, y: Any, call: str, suffix: str) -> tuple[Array, tuple[int, int] | None]:
    """X as (n_samples, features), as from `cast_inputs`; and (height, width) if X came as images, else None."""
    n_features, x_name, y_name = network.layer_sizes[0], array_name(X, f"X{suffix}"), f"y{suffix}"
    X = numbers(X, f"X{suffix}")
    if X.ndim == 1 and X.size and np.ndim(as_array(y, y_name)) == 2 and np.shape(y)[1] == n_features:
        line, shapes = call.format(f"{x_name}, {y_name}"), (X.shape, np.shape(y))
        raise ShapeError(sentence("examples.swapped", names=(x_name, y_name), shapes=shapes, line=line))
    if 0 in X.shape:
        raise DataError(sentence("examples.empty", name=x_name, shape=X.shape, n_features=n_features))
    if X.ndim == 1 and X.shape == np.shape(y) and n_features > 1:
        values = {"shape": X.shape, "n_features": n_features, "sizes": (1, *network.layer_sizes[1:])}
        if X.dtype.kind in "iub" and "evaluate" in call:
            line = call.format(f"X, {y_name}")
            raise ShapeError(sentence("examples.two_targets", name=x_name, line=line, **values))
        raise ShapeError(sentence("examples.one_feature", name=x_name, **values))
    rows, image_shape = flatten(X, n_features, network.image_shape, x_name)
    if X.ndim > 1 and np.prod(X.shape[:-1]) == n_features and X.shape[-1] == np.size(y) != len(X):
        raise shape_error(X.shape, n_features, network.image_shape, x_name)
    return cast_inputs(network, rows, call, x_name), image_shape


def cast_inputs(network: Network, X: Array, call: str, name: str = "X") -> Array:
    """X, checked and cast to the network's dtype; uint8 stays uint8 if it counts, or may still count, as pixels."""
    if X.shape[1] == network.layer_sizes[0]:  # else check_data names the layer sizes that fit
        check_scale(X, scale_of(network), name=name)
    if scale_of(network).will_be_pixels(X) and ("evaluate" in call or "gradcheck" in call):
        return as_floats(X, network.dtype)
    if X.dtype == np.uint8 and (network.pixels or network.input_range is None):
        return X
    return X.astype(network.dtype, copy=False)


def warn_of_data(network: Network, data: Dataset) -> None:
    """Log a warning for data that are hard to learn: a bad scale, or targets that the output activation cannot reach.

    It also warns of a single class, of identical neurons in a layer, and of an input that equals the target.
    """
    warn_of_scale(data.inputs)
    output, low, high = network.activations[-1], data.targets.min(), data.targets.max()
    if isinstance(network.loss, Quadratic):
        warn_of_scale(data.targets, "y")
    if data.task == "values":
        all_answers = np.asarray(output.value(np.linspace(-300.0, 300.0, 6001)[:, np.newaxis]))
        near = all_answers[2500:3501]  # z from -50 to 50: an output that grows beyond this has no limit
        least, most = all_answers.min(), all_answers.max()
        least = round(least, 2) if np.isclose(least, near.min()) else -np.inf
        most = most if np.isclose(most, near.max()) else np.inf
        if low < least or high > most:
            name = type(output).__name__
            LOG.warning(sentence("examples.reach", name=name, low=low, high=high, least=least, most=most))
    if data.task == "classes" and low == high and data.n_samples > 1:
        LOG.warning(sentence("examples.one_class", low=low))
    same = [each.shape[1] > 1 and bool((each[:, :1] == each).all()) for each in network.weights[:-1]]
    if any(same):
        LOG.warning(sentence("examples.same_weights", l=same.index(True), sizes=network.layer_sizes))
    if data.n_features == network.layer_sizes[0] and (column := column_of_targets(data)) is not None:
        names = [name.partition("=")[0] for name in input_names(data.columns)]
        key = "targets_as_column" if names else "targets_as_input"
        LOG.warning(sentence(f"examples.{key}", k=column, name=names[column] if names else ""))


def column_of_targets(data: Dataset) -> int | None:
    """The index of the input that equals the target in all samples, or None; also None for under 10 samples."""
    y, first = data.targets.reshape(data.n_samples, -1), data.targets.reshape(-1)[:1]
    if y.shape[1] > 1 or data.n_samples < 10 or (y == first).all():
        return None
    same = (data.inputs == y.astype(data.inputs.dtype)).all(axis=0)
    return int(same.argmax()) if same.any() else None


def validation_examples(
    network: Network | Model, validation: Any, *, of_arrays: bool, called: str = "fit"
) -> Dataset | None:
    """The Dataset for `validation`, (X, y) or a Dataset; None for None. SettingError for anything else."""
    if validation is None:
        return None
    if isinstance(validation, Dataset | Splits):
        validation = (validation,)
    elif not (isinstance(validation, tuple | list) and len(validation) == 2):
        raise _validation_error(validation, of_arrays, called)
    X, y = (*validation, None)[:2]
    return examples_for(network, X, y, "the validation data", "validation=({})", "_val")[1]


def _validation_error(given: Any, of_arrays: bool, called: str) -> SettingError:
    """The error for a wrong `validation`; for a number it shows the line that holds out that share or count."""
    if not isinstance(given, bool | int | float):
        return SettingError(sentence("examples.validation", given=brief(given)))
    is_share, is_count = isinstance(given, float) and 0 < given < 1, type(given) is int and given > 1
    share, key = given if is_share else 0.2, "held_out_arrays" if of_arrays else "held_out_data"
    n_first = f"len(X) - {given}" if is_count else f"int({1 - share:.4g} * len(X))"
    n_held = f"{given}" if is_count else f"len(data) // {round(1 / share)}"
    values = {"given": brief(given), "n_first": n_first, "n_held": n_held, "called": called}
    return SettingError(sentence(f"examples.{key}", **values))


def check_data(
    network: Network, data: Dataset, validation: Dataset | None = None, augment: Deformation | None = None
) -> None:
    """Raise ShapeError, DataError or SettingError if data do not fit the network, or are not images for `augment`."""
    for each in [data] if validation is None else [data, validation]:
        needed, got = (each.n_features, each.n_outputs), (network.layer_sizes[0], network.layer_sizes[-1])
        if needed != got:
            sizes = (needed[0], *network.layer_sizes[1:-1], needed[1])
            if needed[0] == got[0] + 1 and (k := column_of_targets(each)) is not None:
                raise ShapeError(sentence("examples.targets_as_input", k=k))
            raise ShapeError(sentence("training.other_sizes", data=each, got=got, sizes=sizes))
        check_range(each.targets, network.loss.least_target, each.name)
        wrong = {"classes": (), "labels": (CrossEntropy,), "values": (CrossEntropy, BinaryCrossEntropy)}[each.task]
        if isinstance(network.loss, wrong):
            raise SettingError(sentence(f"training.{each.task}_for_loss", data=each, loss=type(network.loss).__name__))
    if augment is not None and data.image_shape is None:
        raise SettingError(sentence("training.no_images", data=data, side=math.isqrt(data.n_features)))
    if validation is not None and data.task != validation.task:
        raise SettingError(sentence("training.two_tasks", data=data, other=validation))
