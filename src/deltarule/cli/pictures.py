"""What `deltarule plot` draws a picture of: the model, examples, run folder or recipe that were named."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deltarule.cli.examples import (
    check_there,
    data_for,
    is_its_data,
    load_data,
    recipe_on_data,
    trained_on,
    unseen,
)
from deltarule.cli.found import found_model, names_model, refuse_changes
from deltarule.cli.plot import PlotOptions
from deltarule.cli.printing import entry, note
from deltarule.cli.record import training_record
from deltarule.data.dataset import Splits
from deltarule.errors import SettingError
from deltarule.files.run_folder import HISTORY, MODEL, RECORDING, read_history, read_recording
from deltarule.inspection.measures.layer_history import LayerHistory
from deltarule.inspection.measures.learning_rate_range import N_STEPS
from deltarule.inspection.plots.kinds import Drawing, check_kind, drawing
from deltarule.model import Model
from deltarule.recipes import names
from deltarule.recipes.build import adapt, build
from deltarule.recipes.schema import Recipe, parse
from deltarule.training.callbacks import History

Given = dict[str, Any]  # what a picture is drawn of, by the names of `inspection.plots.kinds`


def found(asked: PlotOptions) -> Drawing:
    """The picture that was asked for, not drawn yet. Raises SettingError where there is none of that kind."""
    check_kind(asked.kind, asked.layer)
    if asked.changes and asked.kind != "rates":
        raise SettingError(f"--set changes a recipe, of which only rates is drawn: got {asked.kind}; leave it out")
    return drawing(asked.kind, FINDERS.get(asked.kind, judged)(asked) | {"layer": asked.layer})


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
        got = f"{name}, which holds no {file}: it is not a run's folder, or the run was made without one, or broke off"
    raise SettingError(
        f"the picture {asked.kind} is drawn of a run's folder: got {got}; "
        f"deltarule train {recipe} --run FOLDER  makes one"
    )


def history(asked: PlotOptions) -> Given:
    """The history of a run; the best epoch is that of the lowest validation loss."""
    rows: list[Any] = read_history(run_folder(asked, HISTORY))
    losses = [math.inf if loss is None else loss for loss in (row.get("validation_loss") for row in rows)]
    return {"history": History(rows, losses.index(min(losses, default=math.inf)) if rows else 0)}


def recording(asked: PlotOptions) -> Given:
    """What the run that was named has recorded."""
    return {"recording": LayerHistory.from_arrays(read_recording(run_folder(asked, RECORDING)))}


def path(asked: PlotOptions) -> Given:
    """What a run has recorded, its model, and the examples that it was trained on."""
    recorded, model = recording(asked), found_model(asked.name or "")[1]
    return recorded | {"model": model, "data": trained_on(model, asked.data, asked.target, asked.offline)}


def model_for(asked: PlotOptions) -> Model:
    """The model that was named. SettingError where none was."""
    if asked.name is None:
        raise SettingError(f"{asked.kind} is drawn of a model: got none; give its file, or the folder of a run")
    return found_model(asked.name)[1]


def judged(asked: PlotOptions) -> Given:
    """The model that was named, and the examples to judge it by."""
    model = model_for(asked)
    return {"model": model, "data": unseen(model, asked.data, asked.target, asked.offline)}


def sheet(asked: PlotOptions) -> Given:
    """The examples that were named, or those to judge a model by, and the model."""
    if asked.name is not None:
        return judged(asked)
    if asked.data is None:
        raise SettingError("a sheet of digits needs a model or data: got neither; give a MODEL, or --data DATA")
    splits = load_data(asked.data, asked.target, None, asked.offline)
    return {"data": splits.test or splits.train}


def inked(asked: PlotOptions) -> Given:
    """The model that was named and, where it looks at images of known data, its training set."""
    model = model_for(asked)
    if model.image_shape is None or not (training_record(model) or asked.data):
        return {"model": model}
    return {"model": model, "data": trained_on(model, asked.data, asked.target, asked.offline)}


def untrained(asked: PlotOptions) -> Given:
    """What trains the recipe that was named, or that of a model, from its random weights, and on what."""
    if asked.name is None:
        raise SettingError("a range test trains: got nothing to train; give a MODEL, a RUN, or the name of a RECIPE")
    seed = 0
    if names_model(asked.name):
        refuse_changes(asked.changes, asked.name)
        recipe, splits, seed = as_trained(asked, *found_model(asked.name))
    else:
        recipe, splits = recipe_on_data(asked.name, asked.changes or (), asked.data, asked.target, asked.offline)
    job, data = build(recipe, splits, seed=seed), recipe.data.name
    note(entry("training", f"at most {N_STEPS} steps of the recipe {recipe.about.name} on {data}, for the range test"))
    return {"trainer": job.trainer, "data": job.train}


def as_trained(asked: PlotOptions, path: Path, model: Model) -> tuple[Recipe, Splits, int]:
    """The recipe, the data and the seed that a model was trained with, or the data that were asked for."""
    record = training_record(model)
    if record is None:
        raise SettingError(f"{path} does not say how it was trained: give the name of a recipe in its place")
    recipe, data = parse(record.recipe_toml, record.recipe), asked.data or record.dataset
    if asked.data is None:
        check_there(data, "model", "say where they are:  --data PATH")
    splits = data_for(model, data, asked.target or record.target, asked.offline)
    if not is_its_data(record, data, splits):
        recipe = adapt(recipe.on(data), splits)[0]
    return recipe.on(data), splits, record.seed


FINDERS: dict[str, Callable[[PlotOptions], Given]] = {  # where it is not a model and the examples to judge it by
    "curves": history,
    "histograms": recording,
    "gradients": recording,
    "surface": path,
    "digits": sheet,
    "weights": inked,
    "architecture": lambda asked: {"model": model_for(asked)},
    "activations": lambda asked: {} if asked.name is None else {"model": model_for(asked)},
    "rates": untrained,
}
