"""`--set KEY=VALUE`: any value of a recipe replaced."""

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltarule import recipes
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DeltaruleError, RecipeError, SettingError
from deltarule.recipes.build import build
from deltarule.recipes.schema import Data, Initial, NetworkSpec, Split, Training, advice, tree_of


def images(n_samples: int = 30) -> Splits:
    rng = np.random.default_rng(0)
    parts = [
        Dataset(rng.integers(256, size=(n, 16), dtype=np.uint8), np.arange(n) % 3, image_shape=(4, 4))
        for n in (n_samples, 9)
    ]
    return Splits(*parts)


@pytest.mark.parametrize(
    ("changes", "where", "expected"),
    [
        (["epochs=5"], "training.epochs", 5),
        (["training.epochs=5"], "training.epochs", 5),
        ([" epochs = 5 "], "training.epochs", 5),
        (["epochs=5", "epochs=6"], "training.epochs", 6),
        (["batch_size=full"], "training.batch_size", "full"),
        (['batch_size="full"'], "training.batch_size", "full"),
        (["name=digits"], "data.name", "digits"),
        (["about.name=mine"], "about.name", "mine"),
        (["split.kind=head", "split.train=20"], "data.split", Split("head", 20)),
        (["split={kind='shuffled', test=5}"], "data.split", Split("shuffled", None, 5)),
        (["hidden=[30, 20]"], "network.hidden", [30, 20]),
        (["activation=tanh"], "network.activation", "tanh"),
        (["activation=['tanh', 'relu']"], "network.activation", ["tanh", "relu"]),
        (["hidden=30"], "network.hidden", [30]),
        (["hidden=30,20"], "network.hidden", [30, 20]),
        (["hidden=30-20"], "network.hidden", [30, 20]),
        (["activation=tanh, relu"], "network.activation", ["tanh", "relu"]),
        (["dropout=0.1,.2"], "network.dropout", [0.1, 0.2]),
        (["schedule=0.5"], "training.schedule", {"name": "constant", "rate": 0.5}),
        (["schedule=cosine", "schedule.rate=.5"], "training.schedule", {"name": "cosine", "rate": 0.5}),
        (
            ["activation.slope=0.2", "activation.name=leaky_relu"],
            "network.activation",
            {"name": "leaky_relu", "slope": 0.2},
        ),
        (["optimizer=adam", "optimizer.beta_1=0.8"], "training.optimizer", {"name": "adam", "beta_1": 0.8}),
        (["training.optimizer.beta_2=0.9"], "training.optimizer.beta_2", 0.9),
        (["optimizer=sgd"], "training.optimizer", "sgd"),
        (["penalty={name='l2', strength=1e-4}"], "training.penalty", {"name": "l2", "strength": 1e-4}),
        (["penalty.name=l1"], "training.penalty", {"name": "l1"}),
        (["augment.rotation=5"], "training.augment", {"rotation": 5.0}),
        (["schedule.rate=0.5"], "training.schedule.rate", 0.5),
        (["initializer=uniform"], "network.initializer", "uniform"),
        (
            ["initializer=uniform", "initializer.weights_factor=0.5"],
            "network.initializer",
            Initial("uniform", "zeros", 0.5),
        ),
        (["about.says=a = b"], "about.says", "a = b"),
        (["about.says="], "about.says", ""),
    ],
)
def test_a_value_is_replaced(changes: list[str], where: str, expected: Any) -> None:
    found: Any = recipes.read("quick").with_changes(changes)
    for key in where.split("."):
        found = found[key] if isinstance(found, dict) else getattr(found, key)
    assert found == expected


def test_nothing_else_is_replaced() -> None:
    recipe = recipes.read("quick")
    changed = recipe.with_changes(["epochs=5"])
    assert changed.to_toml() == recipe.to_toml().replace(f"epochs = {recipe.training.epochs}", "epochs = 5")
    assert recipe.with_changes([]) == recipe


def test_only_the_recipes_name_is_ambiguous() -> None:
    """A bare key is the one of [data], [network] or [training]: these three share none, so what is bare is clear."""
    keys = [key for section in (Data, NetworkSpec, Training) for key in section.__struct_fields__]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs", "a change must be KEY=VALUE, as in training.epochs=5: got 'epochs'"),
        ("=5", "no setting is called '': Known: data.name, "),
        ("epoch=5", "no setting is called 'epoch': did you mean training.epochs? Use --epochs 5 in train, or --set "),
        ("batchsize=5", "no setting is called 'batchsize': did you mean training.batch_size? Use --set training.batch"),
        ("trainig.epochs=5", "no setting is called 'trainig.epochs': did you mean training.epochs? "),
        ("optimiser.beta_1=0.5", "no setting is called 'optimiser.beta_1': did you mean training.optimizer.beta_1? "),
        ("says=hello", "no setting is called 'says': "),
        ("training=5", "no setting is called 'training': Known: "),
        ("training.epoch=5", "no setting is called 'training.epoch': did you mean training.epochs? "),
        ("training.=5", "no setting is called 'training.': "),
        ("split.kid=head", "no setting is called 'split.kid': did you mean data.split.kind? "),
        ("seed=3", "no setting is called 'seed': it is an option of train: --seed 3"),
        ("epochs.x=1", "no setting is called 'epochs.x': did you mean training.epochs? "),
        ("hidden.0=5", "no setting is called 'hidden.0': did you mean network.hidden? Use --set network.hidden=5"),
        ("epochs=many", "recipe quick: training.epochs must be a whole number, 0 or more: got 'many'; use --set train"),
        ("epochs=", "recipe quick: training.epochs must be a whole number, 0 or more: got ''; use --set training.epo"),
        ("epochs=1.5", "recipe quick: training.epochs must be a whole number, 0 or more: got 1.5; use --set training."),
        ("epochs=" + "9" * 5000, "recipe quick: training.epochs must be a whole number, 0 or more: got '9999"),
        (
            "batch_size=0",
            "recipe quick: training.batch_size must be a whole number, 1 or more, or full: got 0; use ",
        ),
        (
            "hidden=0",
            "recipe quick: network.hidden must be whole numbers of at least 1, one for each hidden layer: got 0",
        ),
        ("hidden=" + "[" * 100_000, "recipe quick: network.hidden must be whole numbers of at least 1, one for each "),
        (
            "dropout=1.5",
            "recipe quick: network.dropout must be at least 0 and less than 1, for all hidden layers or one",
        ),
        (
            "dropout=nan",
            "recipe quick: network.dropout must be at least 0 and less than 1, for all hidden layers or one",
        ),
        (
            "dropout=[0.1, 'x']",
            "recipe quick: network.dropout must be at least 0 and less than 1, for all hidden layer",
        ),
        (
            "augment=5",
            "recipe quick: training.augment must be numbers by name: got 5; use --set training.augment='{rot",
        ),
        ("clip=x", "recipe quick: training.clip must be above 0 and finite: got 'x'; use --set training.clip=1.0"),
    ],
)
def test_changes_that_are_refused(change: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipes.read("quick").with_changes([change])
    assert str(caught.value).startswith(message)


RATES = ("lr", "LR", "learning_rate", "learning-rate", "rate", "eta", "training.learning_rate", "optimizer.lr")
MEANT = {  # what is written, and the line for `quick` and for `nielsen-30` that does what is meant
    **dict.fromkeys(RATES, ("--set training.schedule.rate=0.1", "--set training.schedule.rate=0.1")),
    "beta_1": (
        "--set training.optimizer.beta_1=0.1",
        "--set training.optimizer=adam --set training.optimizer.beta_1=0.1",
    ),
    **dict.fromkeys(
        ("momentum", "optimizer.momentum", "training.momentum"),
        ("--set training.optimizer=momentum --set training.optimizer.momentum=0.1",) * 2,
    ),
    **dict.fromkeys(
        ("smoothing", "label_smoothing", "loss.smoothing"),
        (
            "--set network.loss.label_smoothing=0.1",
            "--set network.loss=cross_entropy --set network.loss.label_smoothing=0.1",
        ),
    ),
    "l2": ("--set training.penalty=l2 --set training.penalty.strength=0.1",) * 2,
    "l1": ("--set training.penalty=l1 --set training.penalty.strength=0.1",) * 2,
    **dict.fromkeys(
        ("weight_decay", "wd"),
        (
            "--set training.optimizer.weight_decay=0.1",
            "--set training.penalty=l2 --set training.penalty.strength=0.1",
        ),
    ),
    "slope": ("--set network.activation=leaky_relu --set network.activation.slope=0.1",) * 2,
    "rotation": ("--set training.augment.rotation=0.1",) * 2,
    "dropout_rate": ("--set network.dropout=0.1",) * 2,
    "gradient_clipping": ("--set training.clip=0.1",) * 2,
    "ema": ("--set training.average=0.1",) * 2,
}


@pytest.mark.parametrize("name", ["quick", "nielsen-30"])
@pytest.mark.parametrize("word", MEANT)
def test_another_name_gets_a_line_that_works(word: str, name: str) -> None:
    recipe, line = recipes.read(name), MEANT[word][name == "nielsen-30"]
    with pytest.raises(RecipeError) as caught:
        recipe.with_changes([f"{word}=0.1"])
    message, path = str(caught.value), line.rpartition(" ")[2].partition("=")[0]
    assert message.startswith(f"no setting is called {word!r}: did you mean {path}? Use ")
    assert message.endswith(line)
    assert ("Use --learning-rate 0.1 in train, or " in message) == (word in RATES)
    changed: Any = recipe.with_changes([each.strip() for each in line.split("--set ") if each])
    for key in path.split("."):
        changed = changed[key] if isinstance(changed, dict) else getattr(changed, key)
    assert changed == 0.1


def test_what_is_known_names_the_nested_settings_of_this_recipe() -> None:
    known = {}
    for name in ("quick", "nielsen-30"):
        with pytest.raises(RecipeError) as caught:
            recipes.read(name).with_changes(["xyzzy=1"])
        known[name] = set(str(caught.value).partition("Known: ")[2].split(", "))
    assert {"training.schedule.rate", "training.epochs", "network.hidden"} <= known["quick"] & known["nielsen-30"]
    assert {"training.optimizer.weight_decay", "network.loss.label_smoothing"} <= known["quick"] - known["nielsen-30"]


def test_every_known_setting_can_be_set() -> None:
    """Each is taken, or refused for its value and not for its name."""
    for name in recipes.names():
        recipe = recipes.read(name)
        for path in advice("xyzzy", "1", tree_of(recipe)).removeprefix("Known: ").split(", "):
            with suppress(RecipeError):
                recipe.with_changes([f"{path}=1"])
                continue
            with pytest.raises(RecipeError, match=rf"^recipe {name}: ({path} must be|network.initializer.)"):
                recipe.with_changes([f"{path}=1"])


def test_a_plateau_lowers_what_the_schedule_says() -> None:
    """No loss falls by 1000 in an epoch, so after two of them the rate is a quarter, and so on."""
    recipe = recipes.read("quick").with_changes(
        ["hidden=[3]", "schedule={name='constant', rate=0.4, warm_up_epochs=1}"]
    )
    recipe = recipe.with_changes(["plateau={factor=0.25, patience=2, min_delta=1000}", "epochs=5"])
    job = build(recipe, images(), holdout=10)
    assert job.trainer.fit(job.train, job.validation)["learning_rate"][1:] == pytest.approx([0.4, 0.4, 0.1, 0.1, 0.025])
    with pytest.raises(SettingError, match="plateau has no setting 'factr': did you mean 'factor'"):
        build(recipe.with_changes(["plateau={factr=0.25}"]), images())
    job = build(recipe, images())
    with pytest.raises(SettingError, match=r"no column 'validation_loss': give a validation set"):
        job.trainer.fit(job.train)


NUMBERS = ["0", "1", "2", "-1", "0.5", "-0.5", "1e300", "-1e-300", "nan", "inf", "'1'", "true", "[1]", "1979-05-27"]
PLAUSIBLE = {
    "split": ["{kind='given', test=5}", "{kind='head', train=20}", "{kind='shuffled', test=5}", "{kind='stratified'}"],
    "split.kind": ["head", "shuffled", "stratified"],
    "split.train": ["0", "1", "29", "30", "-1"],
    "split.test": ["0", "1", "29", "30", "-1"],
    "scaling": ["unit", "raw", "standardized"],
    "hidden": ["[]", "[0]", "[-1]", "[1]", "[4, 3]", "[1, 1, 1]"],
    "activation": ["tanh", "leaky_relu", "softmax", "[]", "['elu', 'silu']", "[{name='elu', alpha=-1}]", "{}"],
    "activation.slope": NUMBERS,
    "output": ["softmax", "sigmoid", "identity", "relu", "{name='elu', alpha=0}"],
    "loss": ["quadratic", "cross_entropy", "binary_cross_entropy"],
    "loss.label_smoothing": NUMBERS,
    "initializer": ["uniform", "zeros", "glorot_uniform", "normal", "{weights='uniform', weights_factor=1e30}"],
    "initializer.biases_factor": NUMBERS,
    "dropout": [*NUMBERS, "[0.5]", "[0.5, 0.5]", "[1.0]", "[]"],
    "optimizer": ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lion", "{momentum=0.5}"],
    "optimizer.momentum": NUMBERS,
    "optimizer.epsilon": NUMBERS,
    "schedule": [
        f"{{name='{name}', rate=0.1}}" for name in ("constant", "cosine", "exponential", "step_decay", "line")
    ],
    "schedule.rate": NUMBERS,
    "schedule.name": ["constant", "cosine", "exponential", "step_decay", "one_cycle"],
    **{f"schedule.{key}": NUMBERS for key in ("warm_up", "warm_up_epochs", "every_epochs", "factor", "total_steps")},
    "epochs": ["0", "1", "2", "-1"],
    "batch_size": ["full", "1", "7", "1000", "0"],
    "penalty": ["l1", "l2", "{name='l2', strength=0.1}", "{strength=0.1}"],
    "penalty.strength": NUMBERS,
    "average": NUMBERS,
    "clip": NUMBERS,
    "augment": ["{}", "{rotation=5}", "{elastic_alpha=30, elastic_sigma=0}", "{rotate=5}"],
    "augment.shear": NUMBERS,
    "augment.scale": NUMBERS,
    "plateau": ["{}", "{patience=1, factor=0.5}", "{factor=1}", "{rate=0.1}", "{monitor='train_loss'}"],
    "plateau.patience": NUMBERS,
    "patience": ["0", "1", "-1"],
}
changes = st.sampled_from(list(PLAUSIBLE)).flatmap(
    lambda key: st.sampled_from(PLAUSIBLE[key]).map(lambda value: f"{key}={value}")
)


@settings(max_examples=200)
@given(st.lists(changes, min_size=1, max_size=3), st.sampled_from([0, 0, 4, 29, 30]))
def test_whatever_is_changed_trains_or_is_refused(changed: list[str], holdout: int) -> None:
    recipe = recipes.read("quick").with_changes(["epochs=1", "hidden=[3]"])
    with suppress(DeltaruleError):
        job = build(recipe.with_changes(changed), images(), holdout=holdout)
        history = job.trainer.fit(job.train, job.validation)
        assert len(history) == 1 + job.trainer.epochs
        assert np.isfinite(job.model.network.parameters.vector).all()
