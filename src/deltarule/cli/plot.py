"""`deltarule plot`: a picture of a run, a model or data; or the numbers in it."""

from pathlib import Path
from typing import Any

from deltarule.atomic import write_atomically
from deltarule.cli.options import PlotOptions, TrainOptions
from deltarule.cli.printing import in_a_line, print_result, tell
from deltarule.cli.resolve import load_data, load_examples, load_model, resolve, splits_for, training_record
from deltarule.cli.results import check_place, input_files
from deltarule.elsewhere import words
from deltarule.errors import SettingError, sentence
from deltarule.files.run_folder import HISTORY, RECORDING, read_history, read_recording
from deltarule.inspection.measures.layer_history import LayerHistory
from deltarule.inspection.measures.learning_rate_range import N_STEPS
from deltarule.inspection.plots.kinds import check_kind, drawing, inputs, required_inputs
from deltarule.model import Model
from deltarule.recipes import names
from deltarule.recipes.build import adapt, build
from deltarule.recipes.schema import parse
from deltarule.training.history import History

WITH_TRAINING_DATA = ("surface", "weights")  # the other pictures of a model use data that it has not seen


def plot(options: PlotOptions) -> None:
    """Draw a picture into --out, or print its numbers with --json; the options are checked before the work."""
    if Path(options.kind).exists() or options.kind.endswith(".safetensors"):
        raise SettingError(sentence("command.kind_first", name=options.kind))
    check_kind(options.kind)
    if options.changes and options.kind != "rates":
        raise SettingError(f"--set changes a recipe, which only rates is drawn from: got {options.kind}; leave it out")
    needed = required_inputs(options.kind)
    is_named = options.name is not None or (needed == ["data"] and options.data is not None)
    if needed and not is_named:
        what, argument = next(row for name, row in words()["subjects"].items() if name in needed)
        raise SettingError(sentence("command.no_subject", kind=options.kind, what=what, argument=argument))
    if {"history", "recording"} & {*needed}:
        run_folder(options, HISTORY)
    if options.out is None and not options.as_json:
        raise SettingError(sentence("command.no_out", kind=options.kind, name=options.name or ""))
    check_place(options.out, "picture", force=options.force, inputs=input_files(options.name, options.data))
    found, says = drawing(options.kind, subjects(options)), ""
    if options.out is not None:
        picture = found.draw()
        write_atomically(options.out, picture.to_bytes(options.out.suffix), "picture", force=options.force)
        says = in_a_line(f"{options.out}: {picture.description}")
    print_result({"kind": options.kind} | found.facts, says, as_json=options.as_json)


def subjects(options: PlotOptions) -> dict[str, Any]:
    """The inputs for a picture, {parameter of its kind in `inspection.plots.kinds`: value}, read as the options say."""
    takes, needs = inputs(options.kind), required_inputs(options.kind)
    if "trainer" in takes:
        return range_test_subjects(options)
    given: dict[str, Any] = {}
    if "history" in takes:
        rows: list[Any] = read_history(run_folder(options, HISTORY))
        losses = {row["epoch"]: row["validation_loss"] for row in rows if row.get("validation_loss") is not None}
        given["history"] = History(rows, min(losses, key=losses.__getitem__, default=0))
    if "recording" in takes:
        given["recording"] = LayerHistory.from_arrays(read_recording(run_folder(options, RECORDING)))
    if "model" in takes and options.name is not None:
        model = given["model"] = load_model(options.name)
        has_images = model.image_shape and (training_record(model).dataset or options.data)
        if "data" in needs or ("data" in takes and has_images):
            given["data"] = load_examples(model, options, unseen=options.kind not in WITH_TRAINING_DATA)
    elif "data" in needs:
        splits = load_data(str(options.data), TrainOptions(target=options.target, offline=options.offline))
        given["data"] = splits.test or splits.train
    return given


def range_test_subjects(options: PlotOptions) -> dict[str, Any]:
    """{"trainer": ..., "data": ...} for a range test: of a recipe, or of a model's recipe, with new random weights."""
    subject = resolve(options)
    if isinstance(subject, Model):
        record = training_record(subject)
        if not record.recipe:
            raise SettingError(f"{options.name} does not say how it was trained: give the name of a recipe instead")
        splits, is_own = splits_for(subject, options)
        recipe = parse(record.recipe_toml, record.recipe).on(splits.train.name)
        subject = build(recipe if is_own else adapt(recipe, splits)[0], splits, seed=record.seed, engine="numpy")
    tell("training", f"at most {N_STEPS} steps on {subject.train.name}, for the range test")
    return {"trainer": subject.trainer, "data": subject.train}


def run_folder(options: PlotOptions, file: str) -> Path:
    """The run's folder that the user named, directly or by the model in it. SettingError unless it holds `file`."""
    name = str(options.name)
    folder = Path(name).parent if Path(name).is_file() else Path(name)
    if (folder / file).is_file():
        return folder
    recipe, got = (name, f"{name}, the name of a recipe") if name in names() else ("RECIPE", name)
    if Path(name).is_dir():
        got = f"{name}, which holds no {file}: it is not a run's folder, or the run was made without one, or broke off"
    raise SettingError(sentence("command.no_run", kind=options.kind, got=got, recipe=recipe))
