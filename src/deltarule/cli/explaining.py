"""How `deltarule explain` is carried out: which network, which example, and what is printed."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from deltarule.cli.examples import job_of, unseen
from deltarule.cli.explain import ExplainOptions
from deltarule.cli.found import found_model, names_model, refuse_changes
from deltarule.cli.inputs import how_to_read, name_file
from deltarule.cli.printing import encoding, entry, note, print_json, print_text
from deltarule.data.dataset import Dataset
from deltarule.data.readers.kinds import read
from deltarule.errors import SettingError, closest
from deltarule.inspection.explain.explain import explain
from deltarule.model import Model

MOST_LOOKED_AT = 1000  # examples among which the one that costs most is looked for: enough for a good one, and no wait


def carry_out(options: ExplainOptions) -> None:
    """Explain what the options ask for."""
    if options.image is not None and (options.data is not None or options.target is not None):
        raise SettingError("give the example either with --image, or with --data and --target")
    if options.label is not None and options.image is None:
        raise SettingError("--label says what an --image is: examples of data know it themselves")
    model, dataset = model_and_data(options)
    number = example_number(options.example, model, dataset)
    example, target = dataset.inputs[number], dataset.targets[number]
    walk = explain(model, example, target, layer=options.layer, neuron=options.neuron, equation=options.equation)
    if options.as_json:
        print_json({"model": options.name, "dataset": dataset.name, "example": number} | walk.as_dict())
    else:
        print_text(walk.text(encoding()))


def model_and_data(options: ExplainOptions) -> tuple[Model, Dataset]:
    """The model of that name, or the untrained one of a recipe; and the examples to choose from."""
    if names_model(options.name):
        refuse_changes(options.changes, options.name)
        model = found_model(options.name)[1]
        if options.image is None:
            return model, unseen(model, options.data, options.target, options.offline)
        return model, own_examples(options.image, options.label, model)
    job = job_of(options.name, options.data, options.target, options.offline, options.changes)
    if options.image is not None:
        return job.model, own_examples(options.image, options.label, job.model)
    if job.test is not None:
        return job.model, job.test
    model = replace(job.model.of_numbers(), network=job.trainer.network, input_scaling=None, target_scaling=None)
    return model, job.train  # which is scaled already


def own_examples(path: Path, label: str | None, model: Model) -> Dataset:
    """The examples in a file, each of the class `label`; without one, as the model takes them, which is said."""
    inputs = read(path, **how_to_read(model)).rows
    with name_file(path):
        targets = model.predict(inputs)
    if label is None:
        note(entry("label", "none is given, so what the network says counts as right"))
    elif model.task == "classes" and label in model.class_names:
        targets = np.full(len(inputs), model.class_names.index(label))
    else:
        known = model.class_names if model.task == "classes" else ()
        raise SettingError(f"no class is called {label!r}: {closest(label, known)}")
    targets = targets.astype(np.float64) if model.task == "values" else targets
    return Dataset(
        inputs, targets, model.task or "classes", model.class_names, model.image_shape, str(path), model.columns
    )


def example_number(wanted: int | None, model: Model, dataset: Dataset) -> int:
    """The number of the example to explain, which is said: the one wanted, else the one that costs most."""
    if wanted is not None and not 0 <= wanted < dataset.n_samples:
        raise SettingError(f"the examples of {dataset.name} are 0 to {dataset.n_samples - 1:,}: got --example {wanted}")
    if wanted is not None or dataset.n_samples == 1:
        number, why = wanted or 0, ""
    else:
        number = costliest(model, dataset.take(slice(MOST_LOOKED_AT)))
        why = f", of the first {min(MOST_LOOKED_AT, dataset.n_samples):,} the one that costs most"
    note(entry("example", f"{number} of {dataset.name}{why}"))
    return number


def costliest(model: Model, dataset: Dataset) -> int:
    """The example with the largest loss: where most is to be learned."""
    scaled, loss = model.scaled(dataset), model.network.loss
    a = model.inner.outputs(scaled.inputs)
    return int(np.argmax(loss.sample_losses(a, loss.targets(a, scaled.targets))))
