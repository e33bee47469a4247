"""Recipes: networks, data and training in one TOML file each, by name."""

from pathlib import Path

from deltarule.data.reading import refuse_special
from deltarule.data.sources import SOURCES
from deltarule.errors import DataError, RecipeError, closest, sentence
from deltarule.recipes.schema import Recipe, parse

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of the recipes that come with deltarule, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> Recipe:
    """The recipe with this name, or in the TOML file at this path; an existing file comes first.

    Raises RecipeError for an unknown name (with the closest one) or a file that is not a recipe.
    """
    path = Path(name)
    is_file = path.suffix.lower() in (".csv", ".npz", ".png", ".jpg")
    is_data = is_file or name in SOURCES or (name and path.is_dir())
    if is_data and path.suffix != ".toml" and name not in names():
        more = ", and a table with --target COLUMN" * (path.suffix.lower() == ".csv")
        raise RecipeError(sentence("recipes.data", name=name, more=more))
    if path.suffix == ".toml" or path.is_file():
        try:
            refuse_special(path)
            return parse(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError, DataError) as error:
            raise RecipeError(sentence("recipes.unreadable", path=path, error=error)) from error
    if name not in names():
        raise RecipeError(sentence("recipes.unknown", name=name, offer=closest(name, names())))
    return parse((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), name)
