"""Checks, before a command starts its work, that its result files can be written."""

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from deltarule.atomic import SUFFIXES, check_target
from deltarule.cli.options import TrainOptions
from deltarule.cli.resolve import is_model, model_path, read_recipe, training_record
from deltarule.data.catalog import files_of
from deltarule.errors import DeltaruleError, FileError, SettingError, require, sentence
from deltarule.files.checkpoint import STEP_FILES
from deltarule.files.model_file import load
from deltarule.files.run_folder import CHECKPOINTS, FILES, MODEL, RECIPE, is_run
from deltarule.inspection.plots.picture import DESCRIPTION_KEYS


def check_place(
    path: Path | None,
    kind: str,
    *,
    force: bool = False,
    inputs: Iterable[Path] = (),
    option: str = "--out",
    cure: str = "",
) -> None:
    """Raise SettingError if a file of this kind cannot be written at `path`, or must not replace what is there.

    option: the user's option for the path. cure: what to do instead of replacing; by default, choose another name.
    Raises MissingExtraError for a picture that could not be drawn.
    """
    if path is None:
        return
    if kind == "picture" and path.suffix not in DESCRIPTION_KEYS:
        raise SettingError(f"a picture's file ends in .png, .svg or .pdf: got {path}; use {path.with_suffix('.png')}")
    free = free_path(path.with_suffix(SUFFIXES.get(kind, path.suffix)) if path.name else path)
    another = cure or f"choose another name: {option} {shlex.quote(str(free))}"
    try:
        check_target(path, kind, force=force, inputs=inputs, another=another)
    except FileError as error:
        raise SettingError(str(error)) from error
    if kind == "picture":
        require("matplotlib", "plot")


def check_run_place(folder: Path, *, force: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Raise SettingError if a run in `folder` would replace files that are not a run's."""
    free = shlex.quote(str(free_path(folder)))
    if os.path.isdir(folder):  # noqa: PTH112 - Path raises for a name that is too long; `start_run` says what is wrong
        is_ours = is_run(folder)
        for file in (folder / name for name in FILES):
            kind = "model" if file.name == MODEL else "run's file"
            may_replace = force or (is_ours and file.name != MODEL and not file.is_symlink())
            check_place(file, kind, force=may_replace, inputs=inputs, cure=f"choose another folder: --run {free}")
    elif os.path.lexists(folder):
        raise SettingError(f"a run needs a folder: got {folder}, which is not a folder; use --run {free}")


def check_train_places(options: TrainOptions, data: str) -> None:
    """Raise SettingError if a result of `train` on `data` could not be written, or would replace another file."""
    inputs = files_of(data) + files_behind(options.recipe, [RECIPE]) + files_behind(options.start, [MODEL])
    if options.resume is not None:
        inputs += [*options.resume.glob(STEP_FILES), *(options.resume / CHECKPOINTS).glob(STEP_FILES)]
    out = options.out or (None if options.run else Path(MODEL))
    check_place(out, "model", force=options.force, inputs=inputs)
    if options.run is not None:
        check_run_place(options.run, force=options.force, inputs=inputs)
    check_place(options.plot, "picture", force=options.force, inputs=inputs, option="--plot")
    given = [each for each in (options.out, options.plot, options.run, options.checkpoint) if each is not None]
    folders = {os.path.realpath(each) for each in (options.run, options.checkpoint) if each is not None}
    in_run = [options.run / name for name in FILES if name != MODEL] if options.run else []
    files = [os.path.realpath(each) for each in (options.out, options.plot, *in_run) if each is not None]
    if len({*folders, *files}) < len(folders) + len(files):
        raise SettingError(sentence("command.one_place", places=" and ".join(map(str, given))))


def input_files(name: str | None, data: str | None) -> Iterator[Path]:
    """Yield the files that a command may read for `name`, a model, a run or a recipe, and for its data."""
    with suppress(DeltaruleError):
        yield from files_behind(name, FILES)
        if name is not None and not data:
            data = training_record(load(model_path(name))).dataset if is_model(name) else read_recipe(name).data.name
    if data:
        yield from files_of(data)


def files_behind(name: str | None, of_run: Sequence[str]) -> list[Path]:
    """[the file that `name` means], or if `name` is a run's folder, the files `of_run` in it; [] for None."""
    if name is None:
        return []
    return [Path(name, each) for each in of_run] if Path(name).is_dir() else [model_path(name)]


def free_path(path: Path) -> Path:
    """A path where nothing exists: `path`, or `path` with a number, as in model-2.safetensors."""
    path = path / "new" if path.name in ("", "..") else path
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(each for each in chain([path], numbered) if not os.path.lexists(each))
