"""What a name on the command line stands for: a model file, else a run folder, else (for `train`) a recipe."""

from pathlib import Path

from deltarule.cli.output import entry, note
from deltarule.errors import SettingError
from deltarule.files.model_file import load
from deltarule.files.run_folder import MODEL
from deltarule.model import Model
from deltarule.recipes import names

DEFAULT_MODEL = Path("model.safetensors")


def found_model(name: str | Path) -> tuple[Path, Model]:
    """The model in a file, or in a run folder, and the path that it was read from, which is said.

    Raises SettingError where there is neither, ModelFileError where the file holds no model.
    """
    path = Path(name)
    if path.is_dir():
        path /= MODEL
    if not path.exists():
        raise SettingError(f"a model is a file, or the folder of a run: got {name}, which {_what_instead(name)}")
    model = load(path)
    note(entry("model", f"{path}: {'-'.join(map(str, model.network.layer_sizes))}, {how_made(model)}"))
    return path, model


def how_made(model: Model) -> str:
    """What its record says about how a model came about."""
    if "recipe" not in model.record:
        return "made elsewhere"
    return f"trained by the recipe {model.record['recipe']} on {model.record['dataset']}"


def _what_instead(name: str | Path) -> str:
    if Path(name).is_dir():
        return f"holds no {MODEL}; deltarule train --run {name}  puts one there"
    if str(name) in names():
        return f"is the name of a recipe; deltarule train {name}  makes a model of it"
    return "does not exist; deltarule train  makes one"
