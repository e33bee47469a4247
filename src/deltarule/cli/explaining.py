"""How `deltarule explain` is carried out: which network, which example, and what is printed."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import typer

from deltarule.cli.examples import job_of, unseen
from deltarule.cli.explain import ExplainOptions
from deltarule.cli.found import found_model, names_model
from deltarule.cli.inputs import read_inputs
from deltarule.cli.output import entry, note, print_json
from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, closest
from deltarule.inspection.walkthrough import explain
from deltarule.model import Model
from deltarule.nn.arrays import Array

MOST_LOOKED_AT = 1000  # examples among which the one that costs most is looked for: enough for a good one, and no wait


def carry_out(options: ExplainOptions) -> None:
    """Explain what the options ask for."""
    if options.image is not None and (options.data is not None or options.target is not None):
        raise SettingError("give the example either with --image, or with --data and --target")
    if options.label is not None and options.image is None:
        raise SettingError("--label says what an --image is: examples of data know it themselves")
    model, dataset = model_and_data(options)
    example, target, origin = from_file(options, model) if dataset is None else from_data(options, model, dataset)
    walk = explain(model, example, target, layer=options.layer, neuron=options.neuron, equation=options.equation)
    if options.as_json:
        print_json({"model": options.name} | origin | walk.as_dict())
    else:
        typer.echo(walk.text(sys.stdout.encoding))


def model_and_data(options: ExplainOptions) -> tuple[Model, Dataset | None]:
    """The model of that name, or a recipe's untrained one; and the data to choose from, None where a file is given."""
    if names_model(options.name):
        model = found_model(options.name)[1]
        return model, None if options.image else unseen(model, options.data, options.target, options.offline)
    job = job_of(options.name, options.data, options.target, options.offline)
    if options.image is not None:
        return job.model, None
    if job.test is not None:
        return job.model, job.test
    return replace(job.model, input_scaling=None, target_scaling=None), job.train  # these are scaled already


def from_data(options: ExplainOptions, model: Model, dataset: Dataset) -> tuple[Array, Array, dict[str, Any]]:
    """One of the data: what it is, what it should be, and where it comes from, which is said."""
    n_looked_at, why = min(dataset.n_samples, MOST_LOOKED_AT), ""
    number = options.example
    if number is None:
        number = costliest(model, dataset.take(slice(n_looked_at)))
        why = f", of the first {n_looked_at:,} the one that costs most"
    check_number(number, dataset.n_samples, dataset.name)
    note(entry("example", f"{number} of {dataset.name}{why}"))
    return dataset.inputs[number], dataset.targets[number], {"dataset": dataset.name, "example": number}


def from_file(options: ExplainOptions, model: Model) -> tuple[Array, Any, dict[str, Any]]:
    """An example of the user's own, likewise."""
    path, number = Path(options.image or ""), options.example or 0
    raw = read_inputs(path, model)
    if len(raw) > 1 and options.example is None:
        raise SettingError(f"{path} holds {len(raw):,} examples: say which with --example, 0 to {len(raw) - 1:,}")
    check_number(number, len(raw), str(path))
    origin = {"input": path, "example": number}
    if options.label is None:
        note(entry("example", f"{path}; without --label it counts as what the network takes it for"))
        return raw[number], model.predict(raw[[number]])[0], origin
    if model.task != "classes" or options.label not in model.class_names:
        raise SettingError(f"no class is called {options.label!r}: {closest(options.label, model.class_names)}")
    return raw[number], model.class_names.index(options.label), origin


def check_number(number: int, n_samples: int, name: str) -> None:
    """Raise SettingError unless there is an example of that number."""
    if not 0 <= number < n_samples:
        raise SettingError(f"the examples of {name} are 0 to {n_samples - 1:,}: got --example {number}")


def costliest(model: Model, dataset: Dataset) -> int:
    """The example with the largest loss: where most is to be learned."""
    scaled, loss = model.scaled(dataset), model.network.loss
    a = model.network.outputs(scaled.inputs)
    return int(np.argmax(loss.sample_losses(a, loss.targets(a, scaled.targets))))
