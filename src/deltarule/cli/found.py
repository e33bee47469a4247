"""What a name on the command line stands for: a file, a run's folder, or what comes with deltarule; in that order."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from deltarule.cli.printing import entry, note
from deltarule.cli.record import training_record
from deltarule.errors import SettingError, closest
from deltarule.files.model_file import PRETRAINED, load
from deltarule.files.run_folder import MODEL, RECIPE
from deltarule.model import Model
from deltarule.recipes import names, read
from deltarule.recipes.schema import Recipe


def found_model(name: str) -> tuple[Path, Model]:
    """The model in a file, a run's folder, or the pretrained one, with the path that it was read from, which is said.

    Raises SettingError where there is neither, ModelFileError where the file holds no model.
    """
    path = model_path(name)
    if not path.exists():
        raise SettingError(f"a model is a file, or the folder of a run: got {name}, which {_what_instead(name)}")
    model = load(path)
    record = training_record(model)
    origin = f", trained by the recipe {record.recipe} on {record.dataset}" if record else ""
    note(entry("model", f"{path}: {'-'.join(map(str, model.network.layer_sizes))}{origin}"))
    return path, model


def model_path(name: str) -> Path:
    """Where the model of that name is, if it is: a file, the one in the folder of a run, or the pretrained one."""
    path = Path(name, MODEL) if Path(name).is_dir() else Path(name)
    return PRETRAINED if name == PRETRAINED.stem and not path.exists() else path


def names_model(name: str) -> bool:
    """Whether a name stands for a model, in a file or in the folder of a run or the pretrained one; not for a recipe.

    Raises SettingError, with the closest recipe, where it stands for neither.
    """
    path = Path(name, MODEL) if Path(name).is_dir() else Path(name)
    if not Path(name).exists() and name == PRETRAINED.stem:
        return True
    if not Path(name).exists() and name not in names():
        offer = closest(name, [PRETRAINED.stem, *names()])
        raise SettingError(
            f"a model's file, a run's folder or a recipe was expected: got {name}, none of these; {offer}"
        )
    return path.is_file() and path.suffix != ".toml"


def refuse_changes(changes: Sequence[str] | None, name: str) -> None:
    """Raise SettingError where --set is given and `name` stands for a model or a run: it changes recipes."""
    if changes:
        raise SettingError(
            f"--set changes a recipe before it is trained: got {name}, which is trained; leave --set out, or train "
            f"again: deltarule train --set {shlex.quote(changes[0])}"
        )


def found_recipe(name: str) -> Recipe:
    """The recipe in a TOML file or in the folder of a run, or the one that comes with deltarule by that name.

    Raises RecipeError where there is none, or it is wrong.
    """
    of_run = Path(name, RECIPE)
    return read(str(of_run) if of_run.is_file() else name)


def _what_instead(name: str) -> str:
    if Path(name).is_dir():
        return f"holds no {MODEL}; deltarule train --run {name}  puts one there"
    if name in names():
        return f"is the name of a recipe; deltarule train {name}  makes a model of it"
    return f"does not exist; deltarule train  makes one, and {PRETRAINED.stem}  is there"
