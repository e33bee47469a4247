"""`deltarule plot`: a picture of a run, a model or data; or the numbers in it."""

import math
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from deltarule.cli.options import Changes, DataOptions, Force, TrainOptions, with_options
from deltarule.cli.printing import entry, in_a_line, note, print_json, print_text
from deltarule.errors import SettingError

WITH_TRAINING_DATA = ("surface", "weights")  # the other pictures of a model are drawn with data that it has not seen


@dataclass(frozen=True, eq=False, repr=False)
class PlotOptions(DataOptions):
    """The options of `deltarule plot`."""

    kind: Annotated[str, Argument(metavar="KIND", help="One of those above.")]
    name: Annotated[
        str | None,
        Argument(metavar="[MODEL|RUN]", help="A file, the folder of a run, or pretrained; for rates a recipe, too."),
    ] = None
    out: Annotated[Path | None, Option(metavar="FILE", help="Where to: .png, .svg or .pdf.")] = None
    layer: Annotated[
        int | None, Option(metavar="L", help="From 0; else histograms show all layers, staircase the last.")
    ] = None
    changes: Changes = None
    force: Force = False


@with_options(PlotOptions)
def plot(options: PlotOptions) -> None:
    """Draw a picture of a run or a model, or print its numbers.

    \b
    Of a run's folder, which `deltarule train --run FOLDER` makes:
      curves        loss and accuracy by epoch
      histograms    weights, activations, deltas, gradients by layer and epoch
      gradients     gradient norm and update ratio by layer and epoch
      surface       the loss as a landscape, and the path of descent on it

    \b
    Of a model and the examples to judge it by:
      confusion     what is taken for what
      scores        recall of each class, with its 95 % interval, and precision
      mistakes      the images that it was most confidently wrong about
      reliability   whether its probabilities keep their word
      staircase     along one weight, the loss is smooth and accuracy a staircase
      digits        a sheet of examples and its answers; no MODEL, no answers

    \b
    Of a model:
      weights       what the neurons of the first layer look for
      architecture  the network as a diagram
      activations   its activations and their derivatives; no MODEL: all

    \b
    Of a model, a run or a recipe:
      rates         a learning-rate range test, which trains for 150 steps

    \b
    Examples:
      deltarule plot curves kept --out curves.png
      deltarule plot mistakes model.safetensors --out mistakes.png
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.results import check_picture_place, input_files, write_picture
    from deltarule.inspection.plots.kinds import check_kind, drawing

    if options.out is None and not options.as_json:
        raise SettingError("a picture needs a file to go to: give --out FILE, or --json for its numbers")
    if options.out is not None:
        inputs = input_files(options.name, options.data)
        check_picture_place(options.out, force=options.force, inputs=inputs, option="--out")
    check_kind(options.kind, options.layer)
    if options.changes and options.kind != "rates":
        raise SettingError(f"--set changes a recipe, of which only rates is drawn: got {options.kind}; leave it out")
    found = drawing(options.kind, subjects(options))
    if options.out is not None:
        picture = found.draw()
        write_picture(picture, options.out, force=options.force)
        if not options.as_json:
            print_text(in_a_line(f"{options.out}: {picture.description}"))
    if options.as_json:
        print_json({"kind": options.kind} | found.facts)


def subjects(options: PlotOptions) -> dict[str, Any]:
    """What a picture is drawn of, by the names of the parameters of its kind in `inspection.plots.kinds`."""
    from deltarule.files.run_folder import HISTORY, RECORDING, read_history, read_recording
    from deltarule.inspection.measures.layer_history import LayerHistory
    from deltarule.inspection.plots.kinds import KINDS, required_inputs
    from deltarule.training.history import History

    takes = signature(KINDS[options.kind]).parameters
    if "trainer" in takes:
        return range_test_subjects(options)
    given: dict[str, Any] = {"layer": options.layer}
    if "history" in takes:
        rows: list[Any] = read_history(run_folder(options, HISTORY))
        losses = [math.inf if loss is None else loss for loss in (row.get("validation_loss") for row in rows)]
        given["history"] = History(rows, losses.index(min(losses, default=math.inf)) if rows else 0)
    if "recording" in takes:
        given["recording"] = LayerHistory.from_arrays(read_recording(run_folder(options, RECORDING)))
    if "model" in takes:
        given |= model_and_examples(options, required_inputs(options.kind), takes_data="data" in takes)
    return given


def model_and_examples(options: PlotOptions, needed: list[str], *, takes_data: bool) -> dict[str, Any]:
    """The model that a picture is drawn of, if one is named, and the examples, by the names `model` and `data`."""
    from deltarule.cli.resolve import load_data, load_model, training_examples, training_record, unseen_examples

    if options.name is None:
        if "model" in needed:
            raise SettingError(f"{options.kind} is drawn of a model: got none; give its file, or the folder of a run")
        if "data" not in needed:
            return {}
        if options.data is None:
            raise SettingError("a sheet of digits needs a model or data: got neither; give a MODEL, or --data DATA")
        splits = load_data(options.data, TrainOptions(target=options.target, offline=options.offline))
        return {"data": splits.test or splits.train}
    model = load_model(options.name)
    has_data = model.image_shape and (training_record(model) or options.data)
    if not takes_data or not ("data" in needed or has_data):
        return {"model": model}
    examples = training_examples if options.kind in WITH_TRAINING_DATA else unseen_examples
    return {"model": model, "data": examples(model, options)}


def range_test_subjects(options: PlotOptions) -> dict[str, Any]:
    """What trains a recipe, or the recipe of a model, from its random weights, and on what."""
    from deltarule.cli.resolve import is_model, load_model, plan_recipe, refuse_changes, splits_for, training_record
    from deltarule.inspection.measures.learning_rate_range import N_STEPS
    from deltarule.recipes.build import adapt, build
    from deltarule.recipes.schema import parse

    if options.name is None:
        raise SettingError("a range test trains: got nothing to train; give a MODEL, a RUN, or the name of a RECIPE")
    if is_model(options.name):
        refuse_changes(options.changes, options.name)
        model = load_model(options.name)
        record = training_record(model)
        if record is None:
            raise SettingError(f"{options.name} does not say how it was trained: give the name of a recipe instead")
        splits, is_own = splits_for(model, options)
        recipe, seed = parse(record.recipe_toml, record.recipe).on(splits.train.name), record.seed
        recipe = recipe if is_own else adapt(recipe, splits)[0]
    else:
        (recipe, splits), seed = plan_recipe(options.name, options, options.changes), 0
    job, data = build(recipe, splits, seed=seed), recipe.data.name
    note(entry("training", f"at most {N_STEPS} steps of the recipe {recipe.about.name} on {data}, for the range test"))
    return {"trainer": job.trainer, "data": job.train}


def run_folder(options: PlotOptions, file: str) -> Path:
    """The folder of the run that was named, by itself or by the model in it, which holds `file`.

    Raises SettingError where there is none.
    """
    from deltarule.files.run_folder import MODEL
    from deltarule.recipes import names

    name = options.name or "none"
    folder = Path(name).parent if Path(name).name == MODEL else Path(name)
    if options.name is not None and (folder / file).is_file():
        return folder
    recipe, got = ("RECIPE", name) if name not in names() else (name, f"{name}, the name of a recipe")
    if Path(name).is_dir():
        got = f"{name}, which holds no {file}: it is not a run's folder, or the run was made without one, or broke off"
    raise SettingError(
        f"the picture {options.kind} is drawn of a run's folder: got {got}; "
        f"deltarule train {recipe} --run FOLDER  makes one"
    )
