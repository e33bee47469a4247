"""`deltarule train --resume`: which options the checkpoints of a run keep, and how it resumes from them."""

import os
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from deltarule.cli.options import KEPT, KEYS, TrainOptions
from deltarule.cli.printing import tell
from deltarule.cli.resolve import check_data_exist
from deltarule.cli.results import check_place, check_run_place
from deltarule.errors import SettingError, sentence
from deltarule.files.checkpoint import STEP_FILES, Checkpoints, newest_checkpoint, read_checkpoint, step_of
from deltarule.files.model_file import PRETRAINED
from deltarule.files.run_folder import CHECKPOINTS, MODEL, is_run
from deltarule.recipes.build import Job
from deltarule.recipes.schema import Recipe, parse
from deltarule.training.snapshot import Snapshot, differences

MODEL_SUFFIXES = (".safetensors", ".st", ".model", ".weights", ".bin")  # which no program executes or reads as settings
KEPT_OPTIONS = {each.name: each for each in fields(TrainOptions) if KEYS.get(each.name) == KEPT}

# The options of `deltarule train` that a checkpoint keeps, with the recipe as TOML, defaults included.
KeptOptions: Any = msgspec.defstruct(
    "KeptOptions",
    [("recipe", str), ("recipe_name", str), *((each.name, each.type, each.default) for each in KEPT_OPTIONS.values())],
    forbid_unknown_fields=True,
)


class EarlierRun(NamedTuple):
    """A run in a checkpoint: its state, its recipe, and those options of its command that the checkpoint keeps."""

    snapshot: Snapshot
    recipe: Recipe
    options: dict[str, Any]


def resume_run(options: TrainOptions) -> tuple[TrainOptions, Checkpoints | None, EarlierRun | None]:
    """(options, checkpoints or None, run or None): with --resume, options are completed by those of the run to resume.

    Raises SettingError if options contradict each other, or there is nothing to resume.
    """
    often = [each for each in (options.every_steps, options.every_seconds) if each is not None]
    if len(often) == 2:
        raise SettingError("checkpoints are made every so many steps or seconds: got both; give one")
    if options.resume_anyway and options.resume is None:
        raise SettingError("--resume-anyway is for a run to resume: got none; add --resume DIR")
    source, folder, checkpoints = options.resume, options.checkpoint, None
    if source is not None:
        source = source / CHECKPOINTS if (source / CHECKPOINTS).is_dir() else source
        folder = folder or source
    elif folder is None and often:
        if options.run is None:
            raise SettingError("--every-steps and --every-seconds say how often: got no folder; add --checkpoint DIR")
        folder = options.run / CHECKPOINTS
    if folder is not None:
        checkpoints = Checkpoints(folder, every_seconds=options.every_seconds or 60.0, every_steps=options.every_steps)
    if source is None:
        if checkpoints is not None and checkpoints.newest() is not None:
            raise SettingError(sentence("command.other_run", folder=folder))
        return options, checkpoints, None
    resumed = read_run(source, checkpoints if source == folder else None)
    if resumed.options["run"] is not None and source.name == CHECKPOINTS and is_run(source.parent):
        resumed.options["run"] = source.parent  # it may have been moved or copied
    for name in ("out", "run", "plot"):  # a checkpoint may be a stranger's, so its paths must be harmless
        place = resumed.options[name]
        if place is not None and getattr(options, name) is None and not is_safe(name, place):
            raise SettingError(sentence("command.unsafe_place", place=str(place), name=name))
    name = resumed.recipe.data.name
    if options.data is None:
        check_data_exist(name, "run", f"say where they are:  deltarule train --resume {options.resume} --data PATH")
    start = options.start if "start" in options.given else resumed.options["start"]
    if start is not None and start != PRETRAINED.stem and not os.path.exists(start):  # noqa: PTH110 - as in `is_safe`
        raise SettingError(sentence("command.moved_start", start=start, resume=options.resume))
    kept = resumed.options | {"data": name if options.recipe is not None else None}
    changed = {name: value for name, value in kept.items() if name not in options.given}
    return replace(options, **changed), checkpoints, resumed


def read_run(folder: Path, checkpoints: Checkpoints | None) -> EarlierRun:
    """The run in the newest intact checkpoint of a folder. SettingError if there is none."""
    snapshot = None
    if folder.is_dir():
        with suppress(FileNotFoundError):  # of an empty folder
            snapshot = newest_checkpoint(folder)[1] if checkpoints is None else checkpoints.newest()
    if snapshot is None:
        key = "no_checkpoints" if is_run(folder) else "empty_folder" if folder.is_dir() else "no_folder"
        if folder.is_file():
            key = "one_checkpoint" if folder.match(STEP_FILES) else "file_as_folder"
        raise SettingError(sentence(f"command.{key}", folder=folder))
    return earlier_run(snapshot, folder)


def earlier_run(snapshot: Snapshot, folder: Path) -> EarlierRun:
    """The run of a snapshot. SettingError if `deltarule train` did not make it."""
    record = {name: value for name, value in snapshot.record.items() if name != "diagnose"}  # no longer an option
    try:
        found = msgspec.convert(record, KeptOptions, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise SettingError(sentence("command.program", folder=folder)) from error
    kept = {name: getattr(found, name) for name in KEPT_OPTIONS}
    return EarlierRun(snapshot, parse(found.recipe, found.recipe_name), kept)


def checkpoint_to_start_from(options: TrainOptions) -> tuple[TrainOptions, EarlierRun | None]:
    """(options, run): the run whose checkpoints --from names, or None; the options then read data as that run did."""
    start = Path(options.start or "")
    folder = start / CHECKPOINTS if (start / CHECKPOINTS).is_dir() else start
    if start.is_file() and start.match(STEP_FILES):
        snapshot = read_checkpoint(start, weights_only=True)
    elif options.start and not (start / MODEL).is_file() and any(folder.glob(STEP_FILES)):
        start, snapshot = newest_checkpoint(folder, weights_only=True)
    else:
        return options, None
    run = earlier_run(snapshot, start)
    reads = ("target", "label", "target_task", "missing", "without", "size", "skip_bad") if options.data is None else ()
    kept = {name: run.options[name] for name in reads if name not in options.given}
    tell("weights", f"{start}: those after step {snapshot.step:,}")
    return replace(options, **kept), run


def is_safe(name: str, place: Path) -> bool:
    """Whether it is harmless to write --out, --run or --plot (`name`) at `place`, which a stranger may have chosen.

    It is safe to replace a run's folder, a model or a picture that deltarule wrote, and to make new ones; a new model
    needs a suffix in MODEL_SUFFIXES, so that no program reads it as its settings.
    """
    is_new = not os.path.exists(place)  # noqa: PTH110 - Path raises for a name that is too long
    try:
        if name == "run":
            check_run_place(place)
            return is_new or is_run(place)
        check_place(place, "model" if name == "out" else "picture", option=f"--{name}")
    except SettingError:
        return False
    return name == "plot" or not is_new or Path(os.path.realpath(place)).suffix in MODEL_SUFFIXES


def checkpoint_record(options: TrainOptions, recipe: Recipe, job: Job) -> dict[str, Any]:
    """The recipe and the options of a `train` command that its checkpoints keep, as JSON values."""
    kept = {name: getattr(options, name) for name in KEPT_OPTIONS} | {"engine": job.trainer.engine.name}
    content = KeptOptions(recipe=recipe.to_toml(), recipe_name=recipe.about.name, **kept)
    return msgspec.to_builtins(content, enc_hook=str)


def snapshot_of(resumed: EarlierRun, options: TrainOptions, job: Job) -> Snapshot:
    """The state to resume from. SettingError if its settings or data differ from `job`, unless --resume-anyway."""
    snapshot = resumed.snapshot
    different = differences(snapshot.identity, job.trainer.identity(job.train, job.validation, None))
    if different and not options.resume_anyway:
        raise SettingError(sentence("command.other_settings", got="; ".join(different)))
    if different:
        tell("anyway", "; ".join(different))
    if (epochs := job.trainer.epochs) <= snapshot.epoch:
        more = f"deltarule train --resume {options.resume} --epochs {2 * epochs} --resume-anyway"
        tell("resumed", f"after step {snapshot.step:,}, the end of this run; for more epochs,  {more}")
    else:
        tell("resumed", f"after step {snapshot.step:,}, in epoch {snapshot.epoch + 1} of {epochs}")
    return replace(snapshot, identity={})


def how_to_resume(checkpoints: Checkpoints, out: Path | None) -> str:
    """The command that resumes a stopped run, and after which step; or that there is no checkpoint. out: --out."""
    if checkpoints.last is None:
        return "no checkpoint was made, so the run has to start again"
    more = "" if out is None or is_safe("out", out) else f" --out {out}"
    return f"deltarule train --resume {checkpoints.folder}{more}  goes on after step {step_of(checkpoints.last):,}"
