"""What a recipe gives up for data that it was not written for."""

from msgspec.structs import replace

from deltarule.data.dataset import Splits
from deltarule.recipes.schema import Recipe, Split

HELD_OUT = 5  # of data that come in one part, every fifth example is kept for the test
DIGITS, DIGITS_EPOCHS = 1437, 40  # so few images need more passes than the recipe makes over MNIST; fewer, still more
TABLE_STEPS, TABLE_BATCH = 3000, 32
MOST_EPOCHS = 200
OUTPUTS = {  # that fit a task, with their losses
    "values": ("identity", "quadratic", "identity output with quadratic loss, for values"),
    "labels": ("sigmoid", "binary_cross_entropy", "sigmoid outputs with binary cross-entropy, for independent labels"),
}


def resize(recipe: Recipe, splits: Splits) -> Recipe:
    """A recipe made for MNIST as it suits data of another size; `default` also as it suits a table."""
    n_samples, training = splits.train.n_samples, recipe.training
    if splits.train.image_shape is not None:
        epochs = max(training.epochs, min(DIGITS * DIGITS_EPOCHS // n_samples, MOST_EPOCHS))
        return replace(recipe, training=replace(training, epochs=epochs))
    epochs = min(max(training.epochs, TABLE_STEPS * TABLE_BATCH // n_samples), MOST_EPOCHS)
    network = replace(recipe.network, hidden=[64, 32], loss="cross_entropy")
    schedule = {"name": "one_cycle", "rate": 0.003}
    training = replace(training, epochs=epochs, batch_size=TABLE_BATCH, schedule=schedule)
    return replace(recipe, network=network, training=training)


def size_in_words(recipe: Recipe, splits: Splits) -> str:
    """What the recipe has become."""
    what = "rows of a table" if splits.train.image_shape is None else "images"
    hidden, training = "-".join(map(str, recipe.network.hidden)), recipe.training
    passes = f"{training.epochs} epoch{'' if training.epochs == 1 else 's'}"
    batches = "the full batch" if training.batch_size == "full" else f"batches of {training.batch_size}"
    return f"to {splits.train.n_samples:,} {what}: hidden layers {hidden}, {passes}, {batches}"


def adapt(recipe: Recipe, splits: Splits) -> tuple[Recipe, list[str]]:
    """The recipe as it can be carried out on these data, and what had to be changed, in words."""
    data, network, training, changes = recipe.data, recipe.network, recipe.training, []
    if (split := split_for(data.split, splits)) != data.split:
        data = replace(data, split=split)
        changes.append(f"{split.test} examples drawn at random for the test" if split.test else "the data's own test")
    if splits.train.image_shape is None and training.augment is not None:
        training = replace(training, augment=None)
        changes.append("no deformation, which is for images")
    if splits.train.image_shape is None and data.scaling == "unit":
        data = replace(data, scaling="standardized")
        changes.append("standardized inputs")
    output, loss, says = OUTPUTS.get(splits.train.task, (network.output, network.loss, ""))
    if network.output != output:
        network = replace(network, output=output, loss=loss)
        changes.append(says)
    return replace(recipe, data=data, network=network, training=training), changes


def split_for(wanted: Split, splits: Splits) -> Split:
    """The recipe's split where the data allow it, else their own, or a fifth of them where they come in one part."""
    n_samples, is_classes = splits.train.n_samples, splits.train.task == "classes"
    size = wanted.train if wanted.kind == "head" else wanted.test
    if wanted.kind != "given" and (size or 0) < n_samples and (is_classes or wanted.kind != "stratified"):
        return wanted
    if splits.test is not None or n_samples < HELD_OUT:
        return Split()
    return Split(kind="stratified" if is_classes else "shuffled", test=n_samples // HELD_OUT)
