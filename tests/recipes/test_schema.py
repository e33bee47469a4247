"""What a recipe may say, what it is told when it says something else, and how it is written down again."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from deltarule import recipes
from deltarule.errors import RecipeError
from deltarule.recipes.schema import Initial, Recipe, Split, parse

SMALLEST = """
[about]
name = "small"
[network]
[training]
schedule = "constant"
epochs = 1
"""

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.times()
words = st.sampled_from(
    ["about", "data", "network", "training", "name", "split", "kind", "given", "train", "test", "hidden", "activation",
     "initializer", "weights", "schedule", "epochs", "batch_size", "full", "augment", "relu", "optimizer"]
)  # fmt: skip
trees = st.dictionaries(
    words | st.text(max_size=6),
    st.recursive(
        scalars.filter(lambda value: value is not None) | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=6), inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


@given(st.text() | st.text(alphabet="[]{}=.\"\n#' abdn01-:`$\\"))
def test_any_text_is_a_recipe_or_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="recipe mine"):
        parse(text, "mine")


def read_or_refused(tree: dict[str, Any]) -> Recipe | None:
    try:
        return parse(tomli_w.dumps(tree), "mine")
    except RecipeError:
        return None


@given(trees)
def test_any_toml_is_a_recipe_or_is_refused(tree: dict[str, Any]) -> None:
    recipe = read_or_refused(tree)
    assert recipe is None or parse(recipe.to_toml(), "mine") == recipe


@given(trees)
def test_any_section_is_legal_or_is_refused(tree: dict[str, Any]) -> None:
    """A recipe that is right but for one section gets deeper into the reader."""
    for section in ("data", "network", "training"):
        whole = tomllib.loads(SMALLEST)
        whole[section] = whole.get(section, {}) | tree
        recipe = read_or_refused(whole)
        assert recipe is None or parse(recipe.to_toml(), "mine").to_toml() == recipe.to_toml()  # NaN is not NaN


@pytest.mark.parametrize("text", ["a=" + "[" * 60_000, "a=" + "9" * 5_000, "a=[" + "{b=" * 2_000])
def test_text_that_breaks_the_toml_reader(text: str) -> None:
    with pytest.raises(RecipeError, match="recipe mine must be TOML"):
        parse(text, "mine")


def test_the_smallest_recipe_has_defaults() -> None:
    recipe = parse(SMALLEST, "small")
    assert (recipe.data.name, recipe.data.split, recipe.data.scaling) == ("mnist", Split(), "unit")
    assert (recipe.network.hidden, recipe.network.activation, recipe.network.output) == ([], "relu", "softmax")
    assert (recipe.training.batch_size, recipe.training.optimizer, recipe.training.augment) == (128, "adam", None)


WHOLE = """
[about]
name = "all"
says = "Everything that can be said, \\"quotes\\" and ä included."
source = "a test"
expected = "nothing"
[data]
name = "digits"
scaling = "standardized"
split = {kind = "stratified", test = 100}
[network]
hidden = [3, 4]
activation = ["tanh", {name = "leaky_relu", slope = 0.1}]
output = "sigmoid"
loss = {name = "binary_cross_entropy", label_smoothing = 0.1}
initializer = {weights = "uniform", weights_factor = 0.5, biases = "standard_normal", biases_factor = 2}
dropout = [0.1, 0.2]
[training]
optimizer = {name = "adam", beta_1 = 0.8}
schedule = {name = "step_decay", rate = 0.1, every_epochs = 2, warm_up_epochs = 1}
epochs = 3
batch_size = "full"
penalty = {name = "l1", strength = 1e-5}
average = 0.99
clip = 1
augment = {rotation = 8}
plateau = {factor = 0.5, patience = 2}
patience = 4
"""


def test_everything_that_can_be_said_is_read_and_written_again() -> None:
    recipe = parse(WHOLE, "all")
    assert recipe.network.initializer == Initial("uniform", "standard_normal", 0.5, 2.0)
    assert recipe.network.activation == ["tanh", {"name": "leaky_relu", "slope": 0.1}]
    assert (recipe.training.batch_size, recipe.training.clip, recipe.training.augment) == (
        "full",
        1.0,
        {"rotation": 8.0},
    )
    written = recipe.to_toml()
    assert parse(written, "all") == recipe
    assert parse(written, "all").to_toml() == written
    said, again = tomllib.loads(WHOLE), tomllib.loads(written)
    assert {section: said[section] | again[section] for section in said} == again
    assert {key for section in said.values() for key in section} == {
        key for section in again.values() for key in section
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "[trainign]",
            "recipe mine: there is no key 'trainign' in a recipe: did you mean 'training'? Known: about, data,",
        ),
        (
            "epoch = 5",
            "there is no key 'epoch' in training: did you mean 'epochs'? Known: augment, average, batch_size",
        ),
        ("[data]\nnme = 'x'", "there is no key 'nme' in data: did you mean 'name'? Known: name, scaling, split"),
        (
            "[data.split]\nkin = 'x'",
            "there is no key 'kin' in data.split: did you mean 'kind'? Known: kind, test, train",
        ),
        (
            "[network]\ninitializer = {weights = 'uniform', bias = 'zeros'}",
            "there is no key 'bias' in network.initializer: did you mean 'biases'? Known: biases, biases_factor,",
        ),
        ("[about]\nname = 'x'\nnames = 'y'", "there is no key 'names' in about: did you mean 'name'?"),
        (
            "learning_rate = 5",
            "there is no key 'learning_rate' in training: did you mean training.schedule.rate, as in",
        ),
        ("'' = 5", "there is no key '' in training: Known: "),
        ('"a\\nb" = 5', "there is no key 'a\\nb' in training: Known: "),
        ('"x` - at `$.foo" = 5', "there is no key 'x` - at "),
        ("epochs = 1.5", "training.epochs must be a whole number, 0 or more: got 1.5; write epochs = 10"),
        ("epochs = -1", "training.epochs must be a whole number, 0 or more: got -1; write epochs = 10"),
        ("epochs = true", "training.epochs must be a whole number, 0 or more: got True; write epochs = 10"),
        (
            "batch_size = 0",
            "training.batch_size must be a whole number, 1 or more, or full: got 0; write batch_size",
        ),
        ("batch_size = 'half'", "training.batch_size must be a whole number, 1 or more, or full: got 'half'; write"),
        (
            "augment = {rotation = 'far'}",
            "training.augment must be numbers by name: got {'rotation': 'far'}; write augm",
        ),
        ("[data]\nscaling = 'row'", "data.scaling must be unit, raw or standardized: got 'row'; write scaling = "),
        (
            "[data]\nsplit = {kind = 'tail'}",
            "data.split.kind must be given, head, shuffled or stratified: got 'tail'; ",
        ),
        (
            "[network]\nhidden = 0",
            "network.hidden must be whole numbers of at least 1, one for each hidden layer: got 0; ",
        ),
        (
            "[network]\nhidden = ['30']",
            "network.hidden must be whole numbers of at least 1, one for each hidden layer: ",
        ),
        (
            "[training]\nepochs = 5",
            "training.schedule must be a name with its rate, or a constant rate: got none; write",
        ),
    ],
)
def test_what_is_refused(line: str, message: str) -> None:
    """The line takes the place of the section that it heads; without a heading it goes to [training]."""
    section = line[1:].partition("]")[0].partition(".")[0] if line.startswith("[") else "training"
    tree = tomllib.loads(SMALLEST)
    said = tomllib.loads(line if line.startswith("[") else f"[training]\n{line}")
    keeps = {} if line.startswith("[training]") else tree.get(section, {})
    tree[section] = keeps | said[section]
    with pytest.raises(RecipeError) as caught:
        parse(tomli_w.dumps(tree), "mine")
    assert str(caught.value).startswith("recipe mine: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "meant"), [("hidden = 30", [30]), ("hidden = '30-20'", [30, 20]), ("hidden = '30, 20'", [30, 20])]
)
def test_hidden_sizes_may_be_written_in_short(line: str, meant: list[int]) -> None:
    tree = tomllib.loads(SMALLEST)
    tree["network"] = tree.get("network", {}) | tomllib.loads(line)
    assert parse(tomli_w.dumps(tree), "mine").network.hidden == meant


def test_a_key_that_reads_like_the_readers_own_words() -> None:
    with pytest.raises(RecipeError, match=r"recipe mine: there is no key 'x.* in a recipe: Known: about, data"):
        parse('"x` - at `$.foo" = 5', "mine")


def test_a_recipe_is_found_by_name_or_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(SMALLEST, encoding="utf-8")
    assert recipes.read(str(path)) == recipes.read("mine.toml") == parse(SMALLEST, "mine")
    (tmp_path / "xor").mkdir()
    assert recipes.read("xor").about.name == "xor"
    (tmp_path / "quick").write_text(SMALLEST, encoding="utf-8")
    assert recipes.read("quick").about.name == "small"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("defualt", "no recipe is called 'defualt': did you mean 'default'? Known: arithmetic, cute-dog, deep-linear"),
        ("../default", "no recipe is called '../default': "),
        ("__init__", "no recipe is called '__init__': "),
        ("", "no recipe is called '': "),
        ("missing.toml", "a recipe must be a readable TOML file: got missing.toml ("),
        ("folder.toml", "a recipe must be a readable TOML file: got folder.toml ("),
        ("latin-1.toml", "a recipe must be a readable TOML file: got latin-1.toml ("),
        ("broken.toml", "recipe broken.toml must be TOML: "),
    ],
)
def test_what_is_no_recipe(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin-1.toml").write_bytes('name = "Grün"'.encode("latin-1"))
    (tmp_path / "broken.toml").write_text("[about\n", encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        recipes.read(name)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["2024", "true", "digits", 'a "b".csv'])
def test_data_of_any_name_take_the_place_of_its_own(name: str) -> None:
    """Numbers among them, such as a folder may be called: no name is read as TOML."""
    small = parse(SMALLEST, "small")
    assert small.on(name).data.name == name
    assert parse(small.on(name).to_toml(), "small") == small.on(name)
    assert small.on(name).on(small.data.name) == small


def test_a_recipe_does_not_change() -> None:
    recipe = recipes.read("quick")
    with pytest.raises(AttributeError):
        recipe.training = recipe.training  # type: ignore[misc]
    before = recipe.to_toml()
    recipe.with_changes(["epochs=1", "optimizer.beta_1=0.5", "augment.rotation=3"])
    assert isinstance(recipe, Recipe)
    assert recipe.to_toml() == before


def test_a_key_that_goes_deep_takes_no_memory() -> None:
    """tomllib keeps every beginning of a dotted key: memory by the square of its depth."""
    for text in ("a" + ".a" * 20_000 + " = 1", "a" + ".a" * 201 + " = 1", "#" * 70_000):
        with pytest.raises(RecipeError, match="at most 65,536 characters of TOML, and 200 dots in a line: got "):
            parse(text, "deep")
    with pytest.raises(RecipeError, match="no key 'a'"):
        parse("a" + ".a" * 199 + " = 1", "deep")
