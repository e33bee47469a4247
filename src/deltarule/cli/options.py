"""What can be written on the command line: a class for each command. Its docstring is the help, its fields the options.

Nothing here carries a command out: the help waits for no more than this module.
"""

import math
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, BadParameter, Context, Option

from deltarule.settings import NUMBERS

File = Path | None  # what is None unless the command line gives it
Text = str | None
Number = int | None
Task = Literal["classes", "values"] | None
Missing = Literal["error", "drop", "mean"]
EQUATIONS = "forward, C, BP1 to BP4, update, BP1-softmax, BP1-sigmoid, BP1-exponential"


def argument(metavar: str, says: str) -> Any:
    """An argument: what the help calls it, and what the help says of it."""
    return Argument(metavar=metavar, help=says)


def option(metavar: str, says: str, *names: str, **limits: Any) -> Any:
    """An option with a value. names: where they are not the field's. limits: `min`, `max`, `parser`, as for Typer."""
    return Option(*names, metavar=metavar, help=says, **limits)


ModelName = Annotated[str, argument("MODEL", "A file, the folder of a run, or pretrained.")]
ModelOrRecipe = Annotated[str, argument("MODEL|RECIPE", "A file, the folder of a run, pretrained, or a recipe.")]
DataName = Annotated[Text, option("DATA", "A name that `data list` shows, or a file or folder of your own.", "--data")]
Target = Annotated[Text, option("COLUMN", "For a CSV that is a table: the column to learn.")]
Label = Annotated[Text, option("COLUMN", "For a CSV of pixels: the column of the labels, by name or number.")]
Hidden = Annotated[
    Text, option("NAME", "For a MODEL that is an npz of W1, b1 ... or PyTorch's: its hidden activation.")
]
SkipBad = Annotated[bool, Option("--skip-bad", help="Leave out pictures that cannot be read.")]
Changes = Annotated[list[str] | None, option("KEY=VALUE", "Change a value of the recipe; may be repeated.", "--set")]
Offline = Annotated[bool, Option("--offline", help="Never download anything.")]
AsJson = Annotated[bool, Option("--json", help="Print one JSON value on stdout and nothing else.")]
Force = Annotated[bool, Option("--force", help="Replace any file but an input of this command.")]


@dataclass(eq=False, repr=False, kw_only=True)
class DataOptions:
    """Options for the data that a command works on; they stand behind those of the command."""

    data: DataName = None
    target: Target = None
    offline: Offline = False
    as_json: AsJson = False


@dataclass(eq=False, repr=False)
class SubjectOptions(DataOptions):
    """A model or a recipe to look at, and data."""

    name: ModelOrRecipe
    changes: Changes = None


KEPT = "kept"  # marks the options that a checkpoint keeps, from where `train --resume` takes them


def positive_rate(text: str) -> float:
    """A learning rate from the command line. Raises BadParameter unless it is a number above 0."""
    with suppress(ValueError):
        if 0.0 < float(text) < math.inf:
            return float(text)
    raise BadParameter(f"a learning rate is a number above 0: got {text!r}; use --learning-rate 0.01")


@dataclass(eq=False, repr=False)
class TrainOptions:
    """Train a network, save it, and test it on new examples.

    With nothing else: the recipe `default` on MNIST's 60,000 handwritten digits, in a minute or less.

    \b
    Examples:
      deltarule train quick --epochs 2 --out quick.safetensors
      deltarule train --learning-rate 0.003 --set network.hidden=100,50
      deltarule train --data houses.csv --target price --missing mean
      deltarule train --data pictures --size 28 --run kept
    """  # noqa: D301 - a backspace is what keeps the lines below it apart

    # Behind an option stands the key of the recipe that it changes, or that a checkpoint keeps it.
    context: Context = None  # type: ignore[assignment]  # unless a command line gives it
    recipe: Annotated[Text, argument("[RECIPE]", "A name that `recipes` lists, a TOML file, or a run's folder.")] = None
    data: DataName = None
    target: Annotated[Target, KEPT] = None
    label: Annotated[Label, KEPT] = None
    target_task: Annotated[Task, Option("--task", help="What the target is; else a guess, printed."), KEPT] = None
    missing: Annotated[Missing, Option(help="Rows that lack a cell: refuse, leave out, or fill in."), KEPT] = "error"
    without: Annotated[list[str] | None, option("COLUMN", "Leave a column out; may be repeated."), KEPT] = None
    size: Annotated[Number, option("N", "Bring a folder's images to N x N pixels.", min=1, max=1024), KEPT] = None
    skip_bad: Annotated[SkipBad, KEPT] = False
    seed: Annotated[int, option("N", NUMBERS["seed"].says, min=0), KEPT] = 0
    epochs: Annotated[
        Number, option("N", f"{NUMBERS['epochs'].says[:-1]}, instead of the recipe's.", min=1), "training.epochs"
    ] = None
    learning_rate: Annotated[
        float | None,
        option("R", "The schedule's highest or only rate.", parser=positive_rate),
        "training.schedule.rate",
    ] = None
    holdout: Annotated[int, option("N", NUMBERS["holdout"].says, min=0), KEPT] = 0
    engine: Annotated[str, option("NAME", "numpy, native, or auto: native if it is there."), KEPT] = "auto"
    start: Annotated[Text, option("MODEL", "Start from its weights, or a checkpoint's.", "--from"), KEPT] = None
    changes: Changes = None
    out: Annotated[File, option("FILE", "Where to save the model; else model.safetensors, in --run."), KEPT] = None
    run: Annotated[File, option("DIR", "Keep all about the run here, for `plot`."), KEPT] = None
    plot: Annotated[File, option("FILE", "Draw loss and accuracy by epoch: .png, .svg or .pdf."), KEPT] = None
    checkpoint: Annotated[File, option("DIR", "Keep where the run stands, once a minute.")] = None
    every_steps: Annotated[Number, option("N", "Keep it after every N steps instead.", min=1)] = None
    every_seconds: Annotated[float | None, option("S", "Or every S seconds.", min=0.01)] = None
    resume: Annotated[File, option("DIR", "Go on with a run; --data if its data moved.")] = None
    resume_anyway: Annotated[bool, Option("--resume-anyway", help="Even if settings or data differ.")] = False
    diagnose: Annotated[bool, Option("--diagnose", help="Look for what keeps it from learning."), KEPT] = False
    force: Force = False
    offline: Offline = False
    as_json: AsJson = False

    def is_given(self, name: str) -> bool:
        """Whether the command line names an option, be it with its default."""
        source = self.context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"


MARKS = {each.name: mark for each in fields(TrainOptions) for mark in getattr(each.type, "__metadata__", ())[1:]}
RECIPE_KEYS = {name: mark for name, mark in MARKS.items() if mark != KEPT}  # of the recipe, by the option's name


@dataclass(eq=False, repr=False)
class EvaluateOptions(DataOptions):
    """Say how good a model is, class by class.

    Without --data it is judged by those of its own data that were kept for the test.
    """

    name: ModelName
    label: Label = None
    hidden: Hidden = None
    skip_bad: SkipBad = False
    plot: Annotated[File, option("FILE", "Draw what is taken for what: .png, .svg or .pdf.")] = None
    force: Force = False


@dataclass(eq=False, repr=False)
class PredictOptions:
    """Ask a model: a line for each image, or row of numbers.

    The line says the answer and its probability (or the activation of its neuron, where that is not a probability).
    A picture of a digit may be a PNG, JPEG, WebP, BMP or TIFF of any size.

    \b
    Examples:
      deltarule predict photo.jpg --show
      deltarule predict new.csv --model prices.safetensors --json
    """  # noqa: D301

    files: Annotated[
        list[Path] | None, argument("[FILE...]", "Pictures, folders of them; or a CSV, an npz or an IDX file.")
    ] = None
    model: Annotated[
        Text, option("MODEL", "Else pictures go to the pretrained one, the rest to ./model.safetensors, if any.")
    ] = None
    show: Annotated[bool, Option("--show", help="Draw each image in text, too.")] = False
    hidden: Hidden = None
    anyway: Annotated[bool, Option("--anyway", help="Read a picture even if it shows several digits.")] = False
    skip_bad: SkipBad = False
    kaggle: Annotated[File, option("FILE", "Kaggle's test.csv, to be answered as Kaggle wants it.")] = None
    out: Annotated[
        File, option("FILE", "Where the answers go: for a CSV, its columns and they; with --kaggle, its form.")
    ] = None
    unseen: Annotated[
        Literal["error", "other"], Option(help="Texts that were not learned from: refuse, or count as none.")
    ] = "error"
    force: Force = False
    as_json: AsJson = False


@dataclass(eq=False, repr=False)
class ExplainOptions(SubjectOptions):
    """Follow one example through a network and back.

    Every number is shown: forward pass, loss, the four equations, a step. And every number is checked.

    \b
    Examples:
      deltarule explain model.safetensors --example 3 --neuron 7
      deltarule explain pretrained --image photo.jpg --label 4 --equation BP2
    """  # noqa: D301

    example: Annotated[Number, option("N", "Which of the data, from 0; else a costly one.")] = None
    image: Annotated[File, option("FILE", "An image of your own, or rows of numbers, instead of --data.")] = None
    label: Annotated[Text, option("CLASS", "What --image is; else the network's answer.")] = None
    layer: Annotated[Number, option("L", "The layer of --neuron, from 0; else 0.")] = None
    neuron: Annotated[Number, option("J", "The neuron to show, from 0; else that with the largest error.")] = None
    equation: Annotated[Text, option("ID", f"One equation alone, with symbols, code and proof: {EQUATIONS}.")] = None


@dataclass(eq=False, repr=False)
class CheckOptions(SubjectOptions):
    """Find what is wrong with a program, a model, a recipe or a run.

    Of a program that you wrote (a Python file, a notebook, a page with code): the first line that is wrong, the
    equation, and what to write instead. Its functions run: do not check files of strangers. Of the others: the
    gradient against numeric derivatives, and what keeps the network from learning. The exit code is 1 where something
    is wrong.

    \b
    Examples:
      deltarule check network.py
      deltarule check notebook.ipynb --no-train
      deltarule check model.safetensors
    """  # noqa: D301

    name: Annotated[str, argument("THING", "A .py, .ipynb or .md file, a model, a run's folder, or a recipe.")]
    run: Annotated[bool, Option("--run", help="Run the whole program first, with its training and its data.")] = False
    no_train: Annotated[bool, Option("--no-train", help="Leave out a right program's training on digits.")] = False


class GradcheckOptions(SubjectOptions):
    """Check the gradient against numeric derivatives: a part of `check`.

    Every parameter is nudged, on a batch of 8 examples, in float64. The exit code is 1 where the two disagree.
    """


class DiagnoseOptions(SubjectOptions):
    """Say why a network does not learn, or would not: a part of `check`.

    Faults, warnings and notes come each with their evidence in numbers and what to do. Of a recipe, data, starting
    weights and first steps are looked at; of a model, what it has become; of a run, its history, too.
    """


@dataclass(eq=False, repr=False)
class PlotOptions(DataOptions):
    """Draw a picture of a run or a model, or print its numbers.

    \b
    Of a run's folder, which `deltarule train --run FOLDER` makes:
      curves        loss and accuracy by epoch
      histograms    weights, activations, deltas, gradients by layer and epoch
      gradients     gradient norm and update ratio by layer and epoch
      surface       the loss as a landscape, and the path of descent on it

    \b
    Of a model and the examples to judge it by:
      confusion     what is taken for what
      scores        recall of each class, with its 95 % interval, and precision
      mistakes      the images that it was most confidently wrong about
      reliability   whether its probabilities keep their word
      staircase     along one weight, the loss is smooth and accuracy a staircase
      digits        a sheet of examples and its answers; no MODEL, no answers

    \b
    Of a model:
      weights       what the neurons of the first layer look for
      architecture  the network as a diagram
      activations   its activations and their derivatives; no MODEL: all

    \b
    Of a model, a run or a recipe:
      rates         a learning-rate range test, which trains for 150 steps

    \b
    Examples:
      deltarule plot curves kept --out curves.png
      deltarule plot mistakes model.safetensors --out mistakes.png
    """  # noqa: D301

    kind: Annotated[str, argument("KIND", "One of those above.")]
    name: Annotated[
        Text, argument("[MODEL|RUN]", "A file, the folder of a run, or pretrained; for rates a recipe, too.")
    ] = None
    out: Annotated[File, option("FILE", "Where to: .png, .svg or .pdf.")] = None
    layer: Annotated[Number, option("L", "From 0; else histograms show all layers, staircase the last.")] = None
    changes: Changes = None
    force: Force = False


@dataclass(eq=False, repr=False)
class PlaygroundOptions:
    """Open a page to draw on, look inside and train.

    Draw a digit and watch every neuron answer; walk the drawing backwards, watch a network learn, see its mistakes.
    Everything stays on this machine: the page is served to it alone.
    """

    model: Annotated[str, argument("[MODEL]", "A file, or a run's folder; else the pretrained one.")] = "pretrained"
    data: DataName = None
    port: Annotated[int, option("N", "Where to serve it; 0 takes any free port.", min=0, max=65_535)] = 8000
    no_browser: Annotated[bool, Option("--no-browser", help="Only print the page's address.")] = False
    host: Annotated[str, option("ADDRESS", "Listen here: others with the token can then open the page.")] = "127.0.0.1"
    offline: Offline = False


@dataclass(eq=False, repr=False)
class ExportOptions:
    """Write a model for other software to read.

    The same model gives the same bytes. An older export is replaced, whole or not at all; any other file by --force.

    \b
    Examples:
      deltarule export model.safetensors --onnx digits.onnx
      deltarule export pretrained --html digits.html --data digits
    """  # noqa: D301

    name: ModelName
    hidden: Hidden = None
    onnx: Annotated[File, option("FILE", "For every runtime of ONNX: opset 17, scaling inside.")] = None
    npz: Annotated[File, option("FILE", "The arrays and what they mean, for NumPy.")] = None
    floats: Annotated[
        bool, Option("--floats", help="With --onnx: images come as floats, value / 255, not as uint8.")
    ] = False
    html: Annotated[File, option("FILE", "A page that opens from disk: draw, look inside.")] = None
    data: Annotated[Text, option("DATA", "With --html: 200 examples to show mistakes on.", "--data")] = None
    force: Force = False
    offline: Offline = False
    as_json: AsJson = False


@dataclass(eq=False, repr=False)
class RecipesOptions:
    """List what there is to train, or print one recipe.

    The list says of each recipe its network (hidden layers, output), its data, the result to expect, and its source.
    """

    name: Annotated[Text, argument("[RECIPE]", "Print this one, as TOML to be changed.")] = None
    changes: Changes = None
    as_json: AsJson = False


@dataclass(eq=False, repr=False)
class LearnOptions:
    """Write a neural network yourself, and have every step checked.

    The folder gets a network.py to fill in, in sixteen steps from the sigmoid to Adam. This command says what is
    right, names what is wrong, and shows what comes next. Once all is right it adds twelve broken networks to repair.

    \b
    Examples:
      deltarule learn my-network
      deltarule learn my-network --watch
      deltarule learn my-network --step softmax --hint
      deltarule learn grade my-network --json
      deltarule learn grade submissions --secret WORD
    """  # noqa: D301

    words: Annotated[
        list[str] | None,
        argument(
            "[DIR] | grade DIR", "Your folder (default: my-network). To grade: one student's, or a folder of many."
        ),
    ] = None
    hint: Annotated[bool, Option("--hint", help="A hint for the next step. Repeat it for a plainer hint.")] = False
    solution: Annotated[bool, Option("--solution", help="The solution of the next step.")] = False
    step: Annotated[Text, option("STEP", "A step other than the next one: its number or its name.")] = None
    train: Annotated[bool, Option("--train", help="Train your own network: a dog, xor, then digits.")] = False
    watch: Annotated[bool, Option("--watch", help="Check again whenever you save, until Ctrl-C.")] = False
    secret: Annotated[Text, option("WORD", "Grading: the test data depends on this word and on the student.")] = None
    student: Annotated[Text, option("NAME", "Grading: the student's name (default: the folder's).")] = None
    tests: Annotated[File, option("FOLDER", "Grading: write tests for Otter, nbgrader and Gradescope.")] = None
    as_json: AsJson = False
