"""`deltarule train`: read a recipe and data, train, score, write the files, report."""

import os
import shlex
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, Signals
from tempfile import gettempdir
from typing import Any

from deltarule.atomic import write_atomically
from deltarule.cli.evaluate import comparison, example_noun, score_sentence, worst_mistake
from deltarule.cli.interrupts import handle_interrupts
from deltarule.cli.options import TrainOptions
from deltarule.cli.printing import entry, in_a_line, note, percent, print_json, print_text, score_words, tell
from deltarule.cli.progress import Display
from deltarule.cli.resolve import changes_asked, load_model, plan_run, read_recipe, recipe_as_asked, training_record
from deltarule.cli.results import check_train_places
from deltarule.cli.resume import checkpoint_record, checkpoint_to_start_from, how_to_resume, resume_run, snapshot_of
from deltarule.data.columns import MOST_NAMED, columns_in_words, names_in_words, unseen_categories
from deltarule.data.dataset import data_hash
from deltarule.errors import LOG, DeltaruleError, DivergenceError, FileError, ModelFileError, SettingError, sentence
from deltarule.files import run_folder
from deltarule.files.checkpoint import Checkpoints
from deltarule.files.model_file import model_bytes
from deltarule.inspection.measures.layer_history import Recorder
from deltarule.inspection.measures.metrics import Report, evaluate_model
from deltarule.inspection.plots.result_plots import draw_curves
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.recipes import names
from deltarule.recipes.build import Job, build, plain_scores
from deltarule.recipes.schema import Recipe
from deltarule.training.callbacks import TrainingState
from deltarule.training.evaluation import loss_and_score
from deltarule.training.history import History
from deltarule.training.plan import SCORE_NAMES

UNBALANCED = 2  # times as many examples of one class as of another: from there on the report lists each class's recall
FEWEST_PROBED = 10  # a recorder looks at one example in a hundred, and at so many at least


@dataclass
class Run:
    """A run of `deltarule train`: its options, its recipe as it will run, its Job, and facts about the environment.

    saved: where the network was written, in words. files: what writes the folder of the run, if it has one.
    training_score, plain_scores: for a table, its training score, and scores by name to compare it with.
    """

    options: TrainOptions
    recipe: Recipe
    job: Job
    environment: dict[str, Any]
    saved: str = ""
    files: run_folder.RunFiles | None = None
    training_score: float | None = None
    plain_scores: dict[str, float] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        """The path of the model file to write."""
        return self.options.out or Path(self.options.run or "", run_folder.MODEL)

    def model(self, facts: dict[str, Any]) -> Model:
        """The model with its training record: `facts`, the recipe, the environment, and how its data were read."""
        how = {"recipe_toml": self.recipe.to_toml(), "environment": self.environment}
        how |= {name: getattr(self.options, name) for name in ("target", "label", "missing", "size", "skip_bad")}
        return replace(self.job.model, record=facts | how)


class RunFolder(Recorder):
    """Callback that writes the history to the folder of a run after each epoch, and the recording at the end.

    If a file cannot be written, a warning is logged and the run goes on, since what it learns is worth more.
    """

    def __init__(self, folder: Path, run: Run, *, goes_on: bool) -> None:
        recipe, earlier = run.recipe.to_toml(), dict[str, Array]()
        files = run_folder.RunFiles(folder, recipe=recipe, environment=run.environment, goes_on=goes_on)
        self.files = run.files = files
        with suppress(DeltaruleError):  # a run that broke off has none: pictures then begin where it resumes
            earlier = run_folder.read_recording(folder) if goes_on else earlier
        super().__init__(run.job.train.spread(max(run.job.train.n_samples // 100, FEWEST_PROBED)), earlier)

    def epoch_end(self, state: TrainingState) -> None:
        super().epoch_end(state)  # what fails now is tried again after the next epoch
        self.keep("history", self.files.write_history, state.history.rows)

    def train_end(self, state: TrainingState) -> None:
        if self.recording is not None:
            self.keep("recording", self.files.write_recording, vars(self.recording))

    def keep(self, what: str, write: Callable[[Any], None], content: Any) -> None:
        """Call `write` with `content`; if it fails, log a warning that `what` was not written."""
        try:
            write(content)
        except FileError as error:
            LOG.warning("%s not written: %s", what, error)


def train(options: TrainOptions) -> None:
    """Train as the options say, save the model, and report."""
    options, checkpoints, resumed = resume_run(options)
    options, begun = checkpoint_to_start_from(options)
    earlier = resumed or begun
    named = earlier.recipe if earlier and not options.recipe else read_recipe(options.recipe or "default")
    if (name := options.recipe) and Path(name, run_folder.CHECKPOINTS).is_dir() and not earlier:
        tell("again", f"from the start of {name};  deltarule train --resume {name}  goes on from its last checkpoint")
    if Path(f"{name}.toml").is_file() and name in names():
        tell("recipe", f"the one that comes with deltarule;  deltarule train {name}.toml  takes the file here")
    check_train_places(options, recipe_as_asked(named, options).data.name)
    start = None if options.start is None or begun else load_model(options.start)
    if start is not None and start.columns:
        options = replace(options, missing=training_record(start).missing)
    recipe, splits = plan_run(options, named, start)
    if start is not None and len(start.class_names) == splits.train.n_outputs:
        start = start.with_meaning(class_names=splits.train.class_names)
    job = build(recipe, splits, seed=options.seed, holdout=options.holdout, engine=options.engine, start=start)
    if begun is not None:
        vector, parameters = begun.snapshot.arrays["parameters"], job.trainer.network.parameters
        if vector.size != parameters.size:
            sizes = {"n_before": vector.size, "n_now": parameters.size}
            raise SettingError(sentence("command.other_sizes", path=options.start, **sizes))
        parameters.vector[:] = vector
    parts = [part for part in (splits.train, splits.test) if part is not None]
    run = Run(options, recipe, job, run_folder.environment(seed=options.seed, data_hash=data_hash(*parts)))
    model_bytes(run.model({"from": options.start}))  # what cannot be saved is refused now, not after training
    announce(run)
    display = Display(job.train.n_samples, is_new=options.start is None)
    lock = nullcontext() if options.run is None else run_folder.FolderLock(options.run)
    with handle_interrupts(checkpoints), lock:
        folder = RunFolder(options.run, run, goes_on=resumed is not None) if options.run else None
        callbacks = [*job.trainer.callbacks, display, folder, checkpoints]
        job.trainer.callbacks = [each for each in callbacks if each is not None]
        try:
            if checkpoints is not None:
                checkpoints.record = checkpoint_record(options, recipe, job)
            snapshot = None if resumed is None else snapshot_of(resumed, options, job)
            finish(run, job.trainer.fit(job.train, job.validation, resume=snapshot))
        except BaseException as error:
            keep_progress(run, display.history, checkpoints, error)
            raise


def announce(run: Run) -> None:
    """Print what will be trained, and on what."""
    job, network = run.job, run.job.model.network
    held_out = f", {job.validation.n_samples:,} to choose the best epoch by" if job.validation else ""
    tested = f", {job.test.n_samples:,} for the test" if job.test else ", none for a test"
    learned = f"{job.train.n_samples:,} {example_noun(job.train)} of {run.recipe.data.name} to learn from"
    tell("examples", learned + held_out + tested)
    if job.model.columns:
        tell("columns", columns_in_words(job.model.columns))
    if unseen := unseen_categories(job.model.columns, job.train.inputs):
        tell("unseen", f"{names_in_words(unseen)}: in no example to learn from, so nothing is learned of it")
    tell("network", f"{'-'.join(map(str, network.layer_sizes))}, {network.parameters.size:,} parameters")
    if smoothing := getattr(network.loss, "label_smoothing", 0.0):
        lowest = f"the lowest possible is {network.loss.lowest(network.layer_sizes[-1]):.4f}"
        tell("labels", f"smoothed by {smoothing:g}, so the loss cannot reach 0: {lowest}")
    if job.trainer.engine.says:
        tell("engine", f"NumPy: {job.trainer.engine.says}")


def facts(run: Run, history: History, report: Report | None) -> dict[str, Any]:
    """The facts about a run, for --json and the model's record; report: on the test set, or None without a test."""
    job = run.job
    return {
        "recipe": run.recipe.about.name,
        "dataset": run.recipe.data.name,
        "task": job.model.task,
        "seed": run.options.seed,
        "from": run.options.start,
        "engine": job.trainer.engine.name,
        "parameters": job.model.network.parameters.size,
        "train_examples": job.train.n_samples,
        "validation_examples": job.validation.n_samples if job.validation else 0,
        "test_examples": report.examples if report else 0,
        "epochs": len(history) - 1,
        "best_epoch": history.best_epoch,
        "train_seconds": history.rows[-1]["seconds"],
        "lowest_loss": job.model.network.loss.lowest(job.model.network.layer_sizes[-1]),
        "test_loss": report.loss if report else None,
        f"test_{SCORE_NAMES[job.train.task]}": report.score if report else None,
        "training_score": run.training_score,
        "plain_scores": run.plain_scores,
    }


def save_model(run: Run, history: History, report: Report | None = None) -> None:
    """Save the network as it stands, with its training record; `run.saved` says where it is.

    Raises FileError if it cannot be written where it was asked for; the message says where it is instead.
    """
    data, saved = model_bytes(run.model(facts(run, history, report))), ""
    older = ", replacing an older file" * run.out.exists()
    try:
        for place in dict.fromkeys([run.out, *([run.files.folder / run_folder.MODEL] if run.files else [])]):
            write_atomically(place, data, "model", force=run.options.force)
            saved = saved or f"The network is in {place}"
        if run.files:
            run.files.note({run_folder.MODEL: data})
    except FileError as error:
        run.saved = saved or rescue_model(data)
        raise FileError(f"{error}. {run.saved}") from error
    run.saved = f"{run.out}{older}"


def rescue_model(data: bytes) -> str:
    """Write a model to another folder after writing to its path failed; return a sentence that says where it is."""
    for folder in (".", gettempdir()):
        with suppress(OSError):  # a FileError, or the current folder is gone
            place = Path(folder).absolute() / f"deltarule-rescued-{os.getpid()}.safetensors"
            write_atomically(place, data, "model")
            return f"To save it, the network was written to {place}"
    return "Nor could the network be written elsewhere"


def keep_progress(run: Run, history: History, checkpoints: Checkpoints | None, error: BaseException) -> None:
    """After an exception ended a run, save what it had learned, if anything, and print where."""
    is_interrupt = isinstance(error, KeyboardInterrupt)
    if not (history.rows or is_interrupt) or (run.saved and not is_interrupt):
        return  # nothing was learned, or the error says where it is
    learned = "no epoch was complete, so nothing was saved"
    if len(history) >= 2:
        try:
            if not run.saved:
                save_model(run, history)
            learned = f"what it had learned until then is in {run.saved}"
        except (OSError, MemoryError, ModelFileError) as failure:
            learned = str(failure) or "there is not enough memory to save what it had learned until then"
    if isinstance(error, DivergenceError):
        tell("diverged", learned)
        given = [("--data", run.options.data), ("--target", run.options.target)]
        given += [("--set", change) for change in changes_asked(run.options)]
        words = [run.options.recipe or run.recipe.about.name]
        words += [word for name, value in given if value for word in (name, value)]
        folder = run.options.run if len(history) >= 2 else None
        note(in_a_line(f"next     deltarule check {shlex.join([str(folder)] if folder else words)}"))
    else:
        signum = getattr(error, "signum", SIGINT)
        by = "an error" if not is_interrupt else "Ctrl-C" if signum == SIGINT else Signals(signum).name
        tell("stopped", f"by {by}; {learned}")
        if checkpoints is not None:
            tell("go on", how_to_resume(checkpoints, run.options.out))


def finish(run: Run, history: History) -> None:
    """Score a trained network, save it, draw its curves, and report."""
    options, job = run.options, run.job
    report = evaluate_model(job.model, job.test) if job.test else None
    if job.test and job.model.columns:
        run.plain_scores = plain_scores(run.recipe, job.train, job.model.scaled(job.test), options.seed)
        run.training_score = loss_and_score(job.model.inner, job.train, job.trainer.engine)[1]
    save_model(run, history, report)
    if options.plot is not None:
        curves = draw_curves(history.rows, history.best_epoch if job.validation else None)
        write_atomically(options.plot, curves.to_bytes(options.plot.suffix), "picture", force=options.force)
    if options.as_json:
        mistakes = report.to_json_dict().get("mistakes") if report else None
        more = {"stop_reason": history.stop_reason, "history": history.rows, "mistakes": mistakes}
        print_json({"model": run.out} | facts(run, history, report) | more)
        return
    if history.stop_reason:
        tell("stopped", history.stop_reason)
    if job.validation:
        tell("kept", f"the network of epoch {history.best_epoch}, the best by its held-out loss")
    print_text(f"\n{verdict(run, history, report)}\n\n{entry('saved', run.saved)}")
    for title, place in (("run", options.run), ("plot", options.plot)):
        if place is not None:
            print_text(entry(title, str(place)))
    model = shlex.quote(f"./{run.out}" if str(run.out).startswith("-") else str(run.out))
    can_draw = job.test and job.test.image_shape and job.test.task == "classes" and find_spec("matplotlib")
    commands = [f"evaluate {model}", f"plot mistakes {model} --out mistakes.png" if can_draw else "recipes"]
    score = report.score if report else history[f"train_{SCORE_NAMES[job.train.task]}"][-1]
    chance = 1.0 / job.train.n_outputs if job.train.task == "classes" else 0.0
    recalls = [getattr(each, "recall", None) for each in report.per_output] if report else []
    if score < (1.0 + chance) / 2.0 or 0.0 in recalls:
        commands.insert(0, f"check {model}")  # below halfway from chance to perfect, or a class is never predicted
    for title, command in zip(["next", "", ""], commands, strict=False):
        print_text(in_a_line(f"{title:<9}deltarule {command}"))


def verdict(run: Run, history: History, report: Report | None) -> str:
    """The text on how good the network is: its score on the test, or on the training data if there is no test."""
    if report is None or run.job.test is None:
        score = SCORE_NAMES[run.job.train.task]
        last = score_words(score, history[f"train_{score}"][-1])
        return entry("learned", f"training {last} in the last epoch; there are no other examples for a test")
    tested = f"{score_sentence(report, run.job.test)}, none of them seen before; the test set was used once, at the end"
    compared = comparison(report, run.training_score, run.plain_scores)
    if compared and report.confusion is not None:
        names, counts, found = run.job.test.class_names, report.confusion.sum(axis=1), report.confusion.diagonal()
        if counts.max() > UNBALANCED * counts.min() > 0 and len(names) <= MOST_NAMED:
            recalls = (f"{name} {percent(share)}" for name, share in zip(names, found / counts, strict=True))
            compared += f"\n{entry('recall', ', '.join(recalls))}"
    return f"{entry('tested', tested)}\n{compared}\n{worst_mistake(run.job.model, run.job.test, report)}".rstrip()
