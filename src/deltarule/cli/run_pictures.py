"""The pictures of a run, from what its folder keeps; and the range test, which is a short run of its own."""

import math
from functools import partial
from pathlib import Path

from deltarule.cli.examples import data_for, load_data, trained_on
from deltarule.cli.found import found_model, found_recipe, names_model
from deltarule.cli.plot import PlotOptions
from deltarule.cli.printing import entry, note
from deltarule.cli.record import training_record
from deltarule.cli.shown import Shown
from deltarule.errors import SettingError
from deltarule.files.run_folder import HISTORY, MODEL, RECORDING, read_history, read_recording
from deltarule.inspection.landscape import plane_of
from deltarule.inspection.landscape import surface as surface_on
from deltarule.inspection.plots import landscapes, layers, runs
from deltarule.inspection.range_test import N_STEPS, range_test
from deltarule.inspection.recording import Recording
from deltarule.model import Model
from deltarule.recipes import names
from deltarule.recipes.build import build
from deltarule.recipes.fitting import fitted
from deltarule.recipes.schema import Recipe, parse

SURFACE_WORK = 10**8  # parameters times examples: so much is computed for each point of a surface
FEWEST, MOST = 100, 2000  # examples


def run_folder(asked: PlotOptions, file: str) -> Path:
    """The folder of the run that was named, by itself or by the model in it, which holds `file`.

    Raises SettingError where there is none.
    """
    name = asked.name or "none"
    folder = Path(name).parent if Path(name).name == MODEL else Path(name)
    if asked.name is not None and (folder / file).is_file():
        return folder
    recipe = name if name in names() else "RECIPE"
    got = name if recipe == "RECIPE" else f"{name}, the name of a recipe"
    if Path(name).is_dir():
        got = f"{name}, which holds no {file}: it is no run's, or the run was made without one, or broke off"
    raise SettingError(
        f"the picture {asked.kind} is drawn of a run's folder: got {got}; "
        f"deltarule train {recipe} --run FOLDER  makes one"
    )


def curves(asked: PlotOptions) -> Shown:
    """Loss and accuracy by epoch, the best marked where there was a validation set."""
    rows = read_history(run_folder(asked, HISTORY))
    losses = [math.inf if loss is None else loss for loss in (row.get("validation_loss") for row in rows)]
    best = losses.index(min(losses)) if any(map(math.isfinite, losses)) else None
    return Shown({"best_epoch": best, "history": rows}, partial(runs.curves, rows, best))


def recording_of(asked: PlotOptions) -> Recording:
    """What the run that was named has recorded."""
    return Recording.from_arrays(read_recording(run_folder(asked, RECORDING)))


def histograms(asked: PlotOptions) -> Shown:
    """Weights, activations, deltas and gradients of all layers, or one."""
    recording = recording_of(asked)
    n_layers = recording.gradient_norm.shape[1]
    if asked.layer is not None and not 0 <= asked.layer < n_layers:
        raise SettingError(f"this network has layers 0 to {n_layers - 1}: got {asked.layer}")
    chosen = range(n_layers) if asked.layer is None else [asked.layer]
    facts = {
        quantity: {
            "counts": recording.counts[quantity][:, chosen].tolist(),
            "limits": recording.limits[quantity][:, chosen].tolist(),
        }
        for quantity in recording.counts
    }
    described = {"epochs": recording.epochs.tolist(), "layers": list(chosen)} | facts
    return Shown(described, partial(layers.histograms, recording, chosen))


def gradients(asked: PlotOptions) -> Shown:
    """The gradient's norm and the update ratio of each layer."""
    recording = recording_of(asked)
    facts = {
        "epochs": recording.epochs.tolist(),
        "gradient_norm": recording.gradient_norm.tolist(),
        "update_ratio": recording.update_ratio.tolist(),
    }
    return Shown(facts, partial(layers.gradients, recording))


def surface(asked: PlotOptions) -> Shown:
    """The loss around a run's path, on examples that it was trained on."""
    recording = recording_of(asked)
    model = found_model(asked.name or "")[1]
    plane = plane_of(recording.parameters)
    most = min(max(SURFACE_WORK // model.network.parameters.size, FEWEST), MOST)
    dataset = trained_on(model, asked.data, asked.target, asked.offline).spread(most)
    result = surface_on(model.network, model.scaled(dataset), plane)
    return Shown(result.to_json_dict(), partial(landscapes.surface, result))


def rates(asked: PlotOptions) -> Shown:
    """A range test, from the random weights that the recipe starts with."""
    recipe, seed, target, model = how_to_train(asked)
    data, target = asked.data or recipe.data.name, asked.target or target
    if model is None:
        splits = load_data(data, target, None, asked.offline)
    else:
        splits = data_for(model, data, target, asked.offline)
    if data != recipe.data.name:
        recipe = fitted(recipe.on(data), splits)[0]
    job = build(recipe, splits, seed=seed)
    note(entry("training", f"at most {N_STEPS} steps of the recipe {recipe.about.name} on {data}, for the range test"))
    result = range_test(job.trainer, job.train)
    return Shown(result.to_json_dict(), partial(runs.range_curve, result))


def how_to_train(asked: PlotOptions) -> tuple[Recipe, int, str | None, Model | None]:
    """Recipe, seed, target column and, if it was a model or a run that was named, its model."""
    if asked.name is None:
        raise SettingError("a range test trains: got nothing to train; give a MODEL, a RUN, or the name of a RECIPE")
    if names_model(asked.name):
        path, model = found_model(asked.name)
        record = training_record(model)
        if record is None:
            raise SettingError(f"{path} does not say how it was trained: give the name of a recipe in its place")
        return parse(record.recipe_toml, record.recipe), record.seed, record.target, model
    return found_recipe(asked.name), 0, None, None
