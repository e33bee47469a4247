"""What a recipe must give up for data that it was not written for."""

from msgspec.structs import replace

from deltarule.data.dataset import Splits
from deltarule.recipes.schema import Recipe, Split

HELD_OUT = 5  # of data that come in one part, every fifth example is kept for the test


def fitted(recipe: Recipe, splits: Splits) -> tuple[Recipe, list[str]]:
    """The recipe as it can be carried out on these data, and what had to be changed, in words."""
    data, network, training, changes = recipe.data, recipe.network, recipe.training, []
    split = fitting_split(data.split, splits)
    if split != data.split:
        data = replace(data, split=split)
        changes.append(f"{split.test} examples drawn at random for the test" if split.test else "the data's own test")
    if splits.train.image_shape is None and training.augment is not None:
        training = replace(training, augment=None)
        changes.append("no deformation, which is for images")
    if splits.train.image_shape is None and data.scaling == "unit":
        data = replace(data, scaling="standardized")
        changes.append("standardized inputs")
    task = splits.train.task
    if task == "values" and network.output != "identity":
        network = replace(network, output="identity", loss="quadratic")
        changes.append("identity output with quadratic loss, for values")
    if task == "labels" and network.output != "sigmoid":
        network = replace(network, output="sigmoid", loss="binary_cross_entropy")
        changes.append("sigmoid outputs with binary cross-entropy, for independent labels")
    return replace(recipe, data=data, network=network, training=training), changes


def fitting_split(wanted: Split, splits: Splits) -> Split:
    """The recipe's split where the data allow it, else their own, or a fifth of them where they come in one part."""
    n_samples, is_classes = splits.train.n_samples, splits.train.task == "classes"
    size = wanted.train if wanted.kind == "head" else wanted.test
    if wanted.kind != "given" and (size or 0) < n_samples and (is_classes or wanted.kind != "stratified"):
        return wanted
    if splits.test is not None or n_samples < HELD_OUT:
        return Split()
    return Split(kind="stratified" if is_classes else "shuffled", test=n_samples // HELD_OUT)
