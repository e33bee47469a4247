"""`deltarule explain`: one example, forward and back through a network, every number shown and checked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.cli.options import ExplainOptions
from deltarule.cli.predict import how_to_read, name_file
from deltarule.cli.printing import encoding, print_result, tell
from deltarule.cli.resolve import load_examples, resolve
from deltarule.data.dataset import Dataset
from deltarule.data.readers.kinds import read
from deltarule.errors import SettingError
from deltarule.inspection.explain.explain import explain as walk_through
from deltarule.inspection.measures.metrics import outputs_and_losses
from deltarule.inspection.presentation import encodable
from deltarule.model import Model
from deltarule.settings import check_choice

MOST_LOOKED_AT = 1000  # examples to search for the largest loss: enough for a good one, without a wait


def explain(options: ExplainOptions) -> None:
    """Print one example's way through a network, forward and back."""
    if options.image is not None and (options.data is not None or options.target is not None):
        raise SettingError("give the example either with --image, or with --data and --target")
    if options.label is not None and options.image is None:
        raise SettingError("--label is the class of an --image: examples of data have their own")
    subject = resolve(options)
    model = subject if isinstance(subject, Model) else subject.model
    if options.image is not None:
        dataset = own_examples(options.image, options.label, model)
    elif isinstance(subject, Model):
        dataset = load_examples(model, options)
    elif subject.test is not None:
        dataset = subject.test
    else:  # the data of a recipe without a test part; they are scaled already
        network, dataset = subject.trainer.network, subject.train
        model = replace(model.of_numbers(), network=network, input_scaling=None, target_scaling=None)
    number = example_number(options.example, model, dataset)
    example, target = dataset.inputs[number], dataset.targets[number]
    shown: dict[str, Any] = {"layer": options.layer, "neuron": options.neuron, "equation": options.equation}
    walk = walk_through(model, example, target, **shown)
    facts = {"model": options.name, "dataset": dataset.name, "example": number} | walk.as_dict()
    print_result(facts, encodable(str(walk), encoding()), as_json=options.as_json)


def own_examples(path: Path, label: str | None, model: Model) -> Dataset:
    """The examples in a file, each of the class `label`, or else of the class that the model predicts."""
    reading = read(path, **how_to_read(model))
    inputs = reading.rows
    if "read" in reading.report:
        tell("read", f"{path}: {reading.report['read']}")
    with name_file(model, path, inputs):
        targets = model.predict(inputs)
    names = model.class_names if model.task == "classes" else ()
    if label is None:
        tell("label", "none given: using the network's answer")
    else:
        check_choice("class", label, names)
        targets = np.full(len(inputs), names.index(label))
    targets = targets.astype(np.float64) if model.task == "values" else targets
    return Dataset(
        inputs, targets, model.task or "classes", model.class_names, model.image_shape, str(path), model.columns
    )


def example_number(wanted: int | None, model: Model, dataset: Dataset) -> int:
    """The index of the example to explain: `wanted`, or if None, that with the largest loss; stderr shows it."""
    if wanted is not None and not 0 <= wanted < dataset.n_samples:
        raise SettingError(f"the examples of {dataset.name} are 0 to {dataset.n_samples - 1:,}: got --example {wanted}")
    number, why = wanted or 0, ""
    if wanted is None and dataset.n_samples > 1:
        some = model.scaled(dataset.take(slice(MOST_LOOKED_AT)))
        number = int(outputs_and_losses(model.inner, some)[1].argmax())
        why = f", the one with the largest loss of the first {some.n_samples:,}"
    tell("example", f"{number} of {dataset.name}{why}")
    return number
