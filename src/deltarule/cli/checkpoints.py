"""The checkpoints of `deltarule train`: where they go, and how a run goes on from them."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from deltarule.cli.examples import check_there
from deltarule.cli.printing import entry, note
from deltarule.cli.results import check_place, check_run_place
from deltarule.cli.train import READING, TrainOptions
from deltarule.errors import SettingError
from deltarule.files.checkpoint import STEP_FILES as STEPS
from deltarule.files.checkpoint import Checkpoints, newest_checkpoint, step_of
from deltarule.files.run_folder import CHECKPOINTS, is_run
from deltarule.recipes.build import Job
from deltarule.recipes.schema import Recipe, parse
from deltarule.training.identity import differences, identity_of
from deltarule.training.snapshot import Snapshot

MODEL_SUFFIXES = (".safetensors", ".st", ".model", ".weights", ".bin")  # of files that no other program runs or obeys
KEPT = (*READING, "seed", "holdout", "start", "out", "run", "plot", "diagnose")


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a checkpoint of `deltarule train` knows of the command that made it; `recipe` is TOML, all filled in."""

    recipe: str
    recipe_name: str
    engine: str
    target: str | None
    target_task: str | None
    seed: int
    holdout: int
    start: str | None
    out: str | None
    run: str | None
    plot: str | None
    diagnose: bool
    missing: str = "error"
    without: list[str] | None = None
    size: int | None = None


class Resumed(msgspec.Struct):
    """A run to go on with: its state, the recipe that it followed, and what else was asked for."""

    snapshot: Snapshot
    recipe: Recipe
    asked: Asked


def gone_on(options: TrainOptions) -> tuple[TrainOptions, Checkpoints | None, Resumed | None]:
    """The options, with those of the run that is to go on; what keeps checkpoints; and that run, if there is one.

    Raises SettingError where options contradict each other, or there is nothing to go on with.
    """
    source = None if options.resume is None else folder_in(options.resume)
    checkpoints = None
    if (folder := place_of(options) or source) is not None:
        checkpoints = Checkpoints(folder, every_seconds=options.every_seconds or 60.0, every_steps=options.every_steps)
    if source is None:
        if checkpoints is not None and checkpoints.newest() is not None:
            raise SettingError(
                f"a new run keeps its checkpoints where there are none: got {folder}, which holds those of another; "
                f"deltarule train --resume {folder}  goes on with that run"
            )
        return options, checkpoints, None
    resumed = found_in(source, checkpoints if source == folder else None)
    check_places_of(resumed.asked, options)
    return with_options_of(resumed, options), checkpoints, resumed


def place_of(options: TrainOptions) -> Path | None:
    """Where a run is to keep its checkpoints; None where it is not."""
    if options.every_steps is not None and options.every_seconds is not None:
        raise SettingError("checkpoints are made every so many steps or seconds: got both; give one")
    if options.resume_anyway and options.resume is None:
        raise SettingError("--resume-anyway says how a run goes on: got no run; add --resume DIR")
    often = options.every_steps is not None or options.every_seconds is not None
    if options.checkpoint is None and often and options.resume is None:
        if options.run is None:
            raise SettingError("--every-steps and --every-seconds say how often: got no folder; add --checkpoint DIR")
        return options.run / CHECKPOINTS
    return options.checkpoint


def folder_in(given: Path) -> Path:
    """The folder itself, or that of the checkpoints in the folder of a run."""
    return given / CHECKPOINTS if (given / CHECKPOINTS).is_dir() else given


def found_in(folder: Path, checkpoints: Checkpoints | None) -> Resumed:
    """The run that the newest sound checkpoint of a folder is of."""
    try:
        if not folder.is_dir():
            raise FileNotFoundError
        snapshot = newest_checkpoint(folder)[1] if checkpoints is None else checkpoints.newest()
    except FileNotFoundError:
        snapshot = None
    if snapshot is None:
        begins = f"deltarule train --checkpoint {folder}  begins a run that keeps them there"
        got, cure = "which holds none" if folder.is_dir() else "which does not exist", begins
        if folder.is_file():
            got, cure = "a file", f"give the folder; deltarule train --from {folder}  starts from a model's weights"
            if folder.match(STEPS):
                got, cure = "one of them", f"use --resume {folder.parent}"
        raise SettingError(f"--resume takes a folder of checkpoints: got {folder}, {got}; {cure}")
    try:
        asked = msgspec.convert(snapshot.record, Asked)
    except msgspec.ValidationError as error:
        raise SettingError(
            f"the checkpoints in {folder} were made by a program, not by deltarule train: go on with that program"
        ) from error
    return Resumed(snapshot, parse(asked.recipe, asked.recipe_name), asked)


def check_places_of(asked: Asked, options: TrainOptions) -> None:
    """SettingError where only a checkpoint, perhaps a stranger's, names a place at which a result could do harm.

    It may name a run's folder or a new one, and a model or a picture of deltarule's or a new one; what holds a new
    model has the ending of one, so that no program reads it as its own settings.
    """
    for name in ("out", "run", "plot"):
        place = getattr(asked, name)
        if place is not None and getattr(options, name) is None and not is_safe(name, place):
            raise SettingError(
                f"results replace nothing but older results where only a checkpoint says where they go: got {place!r} "
                f"for --{name};  --{name} {place} --force  says that it is meant, or give another place"
            )


def is_safe(name: str, place: str) -> bool:
    """Whether nothing is lost, and nothing obeys what is new, where --out, --run or --plot would put something."""
    path, is_new = Path(place), not os.path.exists(place)  # noqa: PTH110 - Path raises for a name that is too long
    try:
        if name == "run":
            check_run_place(path)
            return is_new or is_run(path)
        check_place(path, "model" if name == "out" else "picture", option=f"--{name}")
    except SettingError:
        return False
    return name == "plot" or not is_new or Path(os.path.realpath(place)).suffix in MODEL_SUFFIXES


def with_options_of(resumed: Resumed, options: TrainOptions) -> TrainOptions:
    """The options, and where one was not given, that of the run that goes on."""
    before: dict[str, Any] = {name: getattr(resumed.asked, name) for name in (*KEPT, "engine")}
    name = resumed.recipe.data.name
    if options.data is None:
        check_there(name, "run", f"say where they are:  deltarule train --resume {options.resume} --data PATH")
    before["data"] = name if options.recipe is not None else None
    for name in ("out", "run", "plot"):
        before[name] = None if before[name] is None else Path(before[name])
    return replace(options, **{name: value for name, value in before.items() if not options.is_given(name)})


def record_of(options: TrainOptions, recipe: Recipe, job: Job) -> dict[str, Any]:
    """What a checkpoint is to know of the command that made it."""
    kept = {name: getattr(options, name) for name in KEPT}
    kept |= {name: None if kept[name] is None else str(kept[name]) for name in ("out", "run", "plot")}
    more = {"recipe": recipe.to_toml(), "recipe_name": recipe.about.name, "engine": job.trainer.engine.name}
    return kept | more


def checked(resumed: Resumed | None, options: TrainOptions, job: Job) -> Snapshot | None:
    """What the run is to go on from. SettingError, naming each difference, where it is another run, unless told."""
    if resumed is None:
        return None
    snapshot = resumed.snapshot
    different = differences(snapshot.identity, identity_of(job.trainer, job.train, job.validation, None))
    if different and not options.resume_anyway:
        raise SettingError(
            f"a run goes on with the settings and data that it began with: got {'; '.join(different)}. Give the same, "
            "or nothing but --resume;  --resume-anyway  goes on nevertheless"
        )
    if different:
        note(entry("anyway", "; ".join(different)))
    note(entry("resumed", f"after step {snapshot.step:,}, in epoch {snapshot.epoch + 1} of {job.trainer.epochs}"))
    return replace(snapshot, identity={})


def how_to_go_on(checkpoints: Checkpoints, out: Path | None) -> str:
    """The command that goes on with a run that was stopped, and from where; or that none can. out: its --out."""
    if checkpoints.last is None:
        return "no checkpoint was made, so the run has to begin anew"
    more = "" if out is None or is_safe("out", str(out)) else f" --out {out}"
    return f"deltarule train --resume {checkpoints.folder}{more}  goes on after step {step_of(checkpoints.last):,}"
