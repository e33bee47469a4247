"""The options of the command line: a class for each command. Its docstring is the help, its fields are the options.

Nothing here runs a command, so that the help needs only this module.
"""

from collections.abc import Collection
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, dataclass_transform

from deltarule.errors import FileError, SettingError
from deltarule.settings import NUMBERS

File = Path | None  # None unless the command line gives it
Text = str | None
Texts = list[str] | None
Number = int | None
Real = float | None
Task = Literal["classes", "values"] | None
Missing = Literal["error", "drop", "mean", "median", "indicator"]
EQUATIONS = "forward, C, BP1 to BP4, update, BP1-softmax, BP1-sigmoid, BP1-exponential"
KEPT = "kept"  # the `key` of an option that checkpoints keep for `train --resume`


def option(metavar: str, says: str, default: Any = None, *, name: str = "", within: str = "", key: str = "") -> Any:
    """A dataclass field for an option. metavar: what the help calls its value. says: its description.

    name: the option's name, if not the field's. within: the range of a number, as in `Setting`. key: the recipe's key
    that the option changes, or KEPT.
    """
    metadata = {"metavar": metavar, "says": says, "name": name, "within": within, "key": key}
    return field(default=default, metadata=metadata)


def argument(metavar: str, says: str, default: Any = MISSING) -> Any:
    """A dataclass field for an argument of a command, which has no --name."""
    return field(default=default, metadata={"metavar": metavar, "says": says, "within": "", "is_argument": True})


def output(says: str, *, key: str = "") -> Any:
    """A dataclass field for an option that names a file to write."""
    return field(default=None, metadata=dict(option("FILE", says, key=key).metadata) | {"reads": output_path})


def output_path(text: str) -> Path:
    """`text` as the path of a file to write. SettingError if it ends in a slash, and so names a folder."""
    from deltarule.atomic import file_path  # here, since `--help` need not wait for it

    try:
        return file_path(text)
    except FileError as error:
        raise SettingError(str(error)) from None


def flag(says: str, *, name: str = "", key: str = "") -> Any:
    """A dataclass field that is True if its option is given."""
    return option("", says, False, name=name, key=key)


def setting(name: str, **others: Any) -> Any:
    """A dataclass field for a declared setting of a run, with its description, default and range from NUMBERS."""
    asked = NUMBERS[name]
    return option("N", asked.says, **{"default": asked.default, "within": asked.within} | others)


MODEL = ("MODEL", "A model file, a run's folder, or pretrained.")
DATA = ("DATA", "A name that `data list` shows, or a file or folder of your own.")
TARGET = ("COLUMN", "The column of a CSV table to predict.")
LABEL = ("COLUMN", "The column of labels in a CSV of pixels, by name or number.")
HIDDEN = ("NAME", "The hidden activation of a MODEL that is an npz of W1, b1 ... or PyTorch's.")
CHANGE = ("KEY=VALUE", "Change a value of the recipe; may be repeated.")
SKIP_BAD = "Leave out pictures that cannot be read."
OFFLINE = "Never download anything."
JSON = "Print one JSON value on stdout and nothing else."
FORCE = "Replace any file but an input of this command."


@dataclass_transform()
@dataclass(eq=False, repr=False, kw_only=True)
class Options:
    """The base of all options classes. given: the names of the fields that the user set on the command line."""

    given: Collection[str] = ()

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        dataclass(eq=False, repr=False, kw_only=kw_only)(cls)


class JsonOptions(Options, kw_only=True):
    """The base for commands that print numbers: it adds --json, after their own options."""

    as_json: bool = flag(JSON, name="--json")


class DataOptions(Options, kw_only=True):
    """The base for commands that work on data: it adds --data and others, after their own options."""

    data: Text = option(*DATA)
    target: Text = option(*TARGET)
    offline: bool = flag(OFFLINE)
    as_json: bool = flag(JSON, name="--json")


class SubjectOptions(DataOptions):
    """The base for commands that look at a model or a recipe, and data."""

    name: str = argument("MODEL|RECIPE", "A model file, a run's folder, pretrained, or a recipe.")
    changes: Texts = option(*CHANGE, name="--set")


class TrainOptions(JsonOptions):
    """Train a network, save it, and test it on new examples.

    Without options: the recipe `default` on MNIST's 60,000 handwritten digits, in a minute or less.

    Examples:
      deltarule train quick --epochs 2 --out quick.safetensors
      deltarule train --learning-rate 0.003 --set network.hidden=100,50
      deltarule train --data houses.csv --target price --missing mean
      deltarule train --data pictures --size 28 --run my-run
    """

    recipe: Text = argument("[RECIPE]", "A name that `recipes` lists, a TOML file, or a run's folder.", None)
    data: Text = option(*DATA)
    target: Text = option(*TARGET, key=KEPT)
    label: Text = option(*LABEL, key=KEPT)
    target_task: Task = option("", "The kind of target; else a guess, which is printed.", name="--task", key=KEPT)
    missing: Missing = option("", "Rows with missing cells: refuse, leave out, or fill in.", "error", key=KEPT)
    without: Texts = option("COLUMN", "Leave a column out; may be repeated.", key=KEPT)
    size: Number = option("N", "Resize a folder's images to N x N pixels.", within="[1, 1025)", key=KEPT)
    skip_bad: bool = flag(SKIP_BAD, key=KEPT)
    seed: int = setting("seed", key=KEPT)
    epochs: Number = setting("epochs", default=None, within="[1, inf)", key="training.epochs")
    learning_rate: Real = option(
        "R", "The schedule's highest or only rate.", within="(0, inf)", key="training.schedule.rate"
    )
    holdout: int = setting("holdout", key=KEPT)
    engine: str = option("NAME", "numpy, native (in C), or auto: native if installed.", "auto", key=KEPT)
    start: Text = option("MODEL", "Start from its weights, or a checkpoint's.", name="--from", key=KEPT)
    changes: Texts = option(*CHANGE, name="--set")
    out: File = output("Where to save the model; else model.safetensors, in --run.", key=KEPT)
    run: File = option("DIR", "Folder for everything about the run, for `plot`.", key=KEPT)
    plot: File = output("Draw loss and accuracy by epoch: .png, .svg or .pdf.", key=KEPT)
    checkpoint: File = option("DIR", "Folder for checkpoints, one a minute.")
    every_steps: Number = option("N", "A checkpoint every N steps instead of every minute.", within="[1, inf)")
    every_seconds: Real = option("S", "A checkpoint every S seconds; not with --every-steps.", within="[0.01, inf)")
    resume: File = option("DIR", "Resume a run; --data if its data moved.")
    resume_anyway: bool = flag("Resume even if settings or data differ.")
    force: bool = flag(FORCE)
    offline: bool = flag(OFFLINE)


KEYS = {each.name: each.metadata["key"] for each in fields(TrainOptions) if each.metadata.get("key")}
RECIPE_KEYS = {name: key for name, key in KEYS.items() if key != KEPT}  # {option: key of the recipe}


class EvaluateOptions(DataOptions):
    """Show how good a model is, class by class.

    Without --data the model is scored on the part of its own data that was kept for the test.
    """

    name: str = argument(*MODEL)
    label: Text = option(*LABEL)
    hidden: Text = option(*HIDDEN)
    skip_bad: bool = flag(SKIP_BAD)
    plot: File = output("Draw the confusion matrix: .png, .svg or .pdf.")
    force: bool = flag(FORCE)


class PredictOptions(JsonOptions):
    """Predict with a model: a line for each image, or row of numbers.

    The line gives the answer and its probability (or its activation, if that is not a probability).
    A picture of a digit may be a PNG, JPEG, WebP, BMP or TIFF of any size.

    Examples:
      deltarule predict photo.jpg --show
      deltarule predict new.csv --model prices.safetensors --json
    """

    files: list[Path] | None = argument(
        "[FILE...]", "Pictures, folders of them; or a CSV, an npz or an IDX file.", None
    )
    model: Text = option("MODEL", "By default pretrained for pictures, ./model.safetensors for the rest.")
    show: bool = flag("Draw each image in text, too.")
    hidden: Text = option(*HIDDEN)
    anyway: bool = flag("Read a picture even if it shows several digits.")
    skip_bad: bool = flag(SKIP_BAD)
    kaggle: File = option("FILE", "Kaggle's test.csv, answered in Kaggle's format.")
    out: File = output("Write the CSV with answers added; with --kaggle, in Kaggle's format.")
    unseen: Literal["error", "other"] = option("", "Unseen categories: an error, or none of the known ones.", "error")
    force: bool = flag(FORCE)


class ExplainOptions(SubjectOptions):
    """Follow one example through a network and back.

    Every number is shown and checked: forward pass, loss, the four equations, a step.

    Examples:
      deltarule explain model.safetensors --example 3 --neuron 7
      deltarule explain pretrained --image photo.jpg --label 4 --equation BP2
    """

    example: Number = option("N", "Which example, from 0; else one with a large loss.", within="(-inf, inf)")
    image: File = option("FILE", "Your own image, or rows of numbers, instead of --data.")
    label: Text = option("CLASS", "The class of --image; else the network's answer.")
    layer: Number = option("L", "The layer of --neuron, from 0; else 0.", within="(-inf, inf)")
    neuron: Number = option("J", "The neuron of --layer, from 0; else of largest |delta|.", within="(-inf, inf)")
    equation: Text = option("ID", f"One equation alone, with symbols, code and proof: {EQUATIONS}.")


class CheckOptions(SubjectOptions):
    """Find what is wrong with a program, a model, a recipe or a run.

    For a program that you wrote (a Python file, a notebook, a page with code), show the first line that is wrong, the
    equation, and what to write instead. Its functions run: do not check files of strangers. For a model, a recipe or a
    run, compare the gradient with numeric derivatives, and show what keeps the network from learning. The exit code is
    1 if something is wrong.

    Examples:
      deltarule check network.py
      deltarule check notebook.ipynb --no-train
      deltarule check model.safetensors
    """

    name: str = argument("THING", "A .py, .ipynb or .md file, a model, a run's folder, or a recipe.")
    run: bool = flag("Run the whole program first, including its training and data.")
    no_train: bool = flag("Do not train a correct program on digits.")


class PlotOptions(DataOptions):
    """Draw a picture of a run or a model, or print its numbers.

    From a run's folder, which `deltarule train --run FOLDER` makes:
      curves        loss and accuracy by epoch
      gradients     gradient norm and update ratio by layer and epoch
      surface       the loss as a landscape, and the path of descent on it

    From a model and examples to score it on:
      confusion     which classes are mistaken for which
      mistakes      the images with the most confident mistakes
      staircase     along one weight: the loss is smooth, accuracy a staircase
      boundary      its answers over its two inputs, and the examples
      digits        a sheet of examples, with its answers if MODEL is given

    From a model:
      weights       what the neurons of the first layer look for
      architecture  the network as a diagram

    From a model, a run or a recipe:
      rates         a learning-rate range test, which trains for 150 steps

    Examples:
      deltarule plot curves my-run --out curves.png
      deltarule plot mistakes model.safetensors --out mistakes.png
    """

    kind: str = argument("KIND", "One of those above.")
    name: Text = argument("[MODEL|RUN]", "A model file, a run's folder, or pretrained; for rates a recipe, too.", None)
    out: File = output("File for the picture: .png, .svg or .pdf.")
    changes: Texts = option(*CHANGE, name="--set")
    force: bool = flag(FORCE)


class PlaygroundOptions(Options):
    """Open a page to draw on, look inside and train.

    Draw a digit and watch every neuron; walk through backpropagation, watch a network learn, see its mistakes.
    Everything stays on this machine: the page is served only to it.
    """

    model: str = argument("[MODEL]", "A file, or a run's folder; else the pretrained one.", "pretrained")
    data: Text = option(*DATA)
    port: int = option("N", "The port; 0 takes any free one.", 8000, within="[0, 65536)")
    learn: File = option("DIR", "Show your own network, from the folder of `deltarule learn DIR`.")
    html: File = output("Write the page to FILE, which needs no server, and exit.")
    no_browser: bool = flag("Print the page's address, do not open it.")
    offline: bool = flag(OFFLINE)


class ExportOptions(JsonOptions):
    """Write a model for other software to read.

    The same model gives the same bytes. An older export is replaced; any other file only with --force.

    Examples:
      deltarule export model.safetensors --onnx digits.onnx
      deltarule export pretrained --html digits.html --data digits
    """

    name: str = argument(*MODEL)
    hidden: Text = option(*HIDDEN)
    onnx: File = output("For any ONNX runtime: opset 17, scaling included.")
    npz: File = output("The arrays and what they mean, for NumPy.")
    floats: bool = flag("With --onnx: images are floats, value / 255, not uint8.")
    html: File = output("A page that opens from disk: draw, look inside.")
    data: Text = option("DATA", "With --html: 200 of these examples, to show mistakes.")
    force: bool = flag(FORCE)
    offline: bool = flag(OFFLINE)


class RecipesOptions(JsonOptions):
    """List the recipes, or print one of them.

    The list shows each recipe's network (hidden layers, output), data, expected result and source.
    """

    name: Text = argument("[RECIPE]", "Print this one, as TOML to edit.", None)
    changes: Texts = option(*CHANGE, name="--set")


class LearnOptions(JsonOptions):
    """Write a neural network yourself, and have every step checked.

    The folder gets a network.py to fill in, in sixteen steps from the sigmoid to Adam. This command shows what is
    right, what is wrong, and what comes next. Once all is right it adds twelve broken networks to repair.

    Examples:
      deltarule learn my-network
      deltarule learn my-network --watch
      deltarule learn my-network --step softmax --hint
      deltarule learn grade my-network --json
      deltarule learn grade submissions --secret WORD
    """

    words: Texts = argument(
        "[DIR] | grade DIR", "Your folder (default: my-network). To grade: one student's, or a folder of many.", None
    )
    hint: bool = flag("A hint for the next step. Repeat it for a plainer hint.")
    solution: bool = flag("The solution of the next step.")
    step: Text = option("STEP", "A step other than the next one: its number or its name.")
    train: bool = flag("Train your own network on cute-dog, xor, then digits.")
    watch: bool = flag("Check again whenever you save, until Ctrl-C.")
    secret: Text = option("WORD", "Grading: the test data depends on this word and on the student.")
    student: Text = option("NAME", "Grading: the student's name (default: the folder's).")
    tests: File = option("FOLDER", "Grading: write tests for Otter, nbgrader and Gradescope.")


class ListOptions(JsonOptions):
    """List the named data sets and their folders."""


class FetchOptions(Options):
    """Download a data set, unless it is here already."""

    name: str = argument("NAME", "One that `data list` shows.")


class InfoOptions(JsonOptions):
    """Show what data contain, how they were read, and their license; download nothing."""

    data: str = argument("DATA", "A name that `data list` shows, or a path.")
    label: Text = option(*LABEL)


class VerifyOptions(FetchOptions, JsonOptions):
    """Compare the files of a data set with their published SHA-256.

    The exit code is 1 unless all of them exist and match.
    """
