"""How `deltarule train` is carried out: recipe, data, run, score, files, report."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
from msgspec.structs import replace as with_fields

from deltarule.cli.diagnose import looked
from deltarule.cli.examples import load_data
from deltarule.cli.found import found_model, found_recipe
from deltarule.cli.output import entry, note, print_json, score_words
from deltarule.cli.progress import progress
from deltarule.cli.results import check_picture_place, check_place, write_picture
from deltarule.cli.train import TrainOptions
from deltarule.cli.verdict import next_commands, noun, score_sentence, worst_mistake
from deltarule.data.catalog import find_default
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DivergenceError
from deltarule.files.model_file import save
from deltarule.files.run_folder import MODEL, data_hash, environment, start_run, write_history, write_recording
from deltarule.inspection.diagnosis import Checkup
from deltarule.inspection.metrics import Report, evaluate_model
from deltarule.inspection.plots.runs import curves
from deltarule.inspection.recording import Recorder
from deltarule.model import Model
from deltarule.recipes.build import Job, build
from deltarule.recipes.fitting import fitted
from deltarule.recipes.schema import Recipe
from deltarule.training.callbacks import Callback, History, TrainingState
from deltarule.training.evaluation import SCORE_NAMES

DEFAULT_MODEL = Path(MODEL)
FEWEST_PROBED = 10  # examples that a recorder looks at; else one of a hundred
DIGITS_EPOCHS = 40  # so few images need more passes than the recipe makes over MNIST


@dataclass(frozen=True)
class Run:
    """What was asked for, the recipe as it can be carried out, the objects that do it, and what they run on."""

    options: TrainOptions
    recipe: Recipe
    job: Job
    environment: dict[str, Any]

    @property
    def out(self) -> Path:
        """Where the model goes."""
        folder = self.options.run
        return self.options.out or (folder / MODEL if folder else DEFAULT_MODEL)


class RunFolder(Callback):
    """Keeps the history in the folder of a run, after each epoch, and at the end what the recorder has seen."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self.folder, self.recorder = folder, recorder

    def epoch_end(self, state: TrainingState) -> None:
        write_history(self.folder, state.history.rows)

    def train_end(self, state: TrainingState) -> None:
        if self.recorder.recording is not None:
            write_recording(self.folder, self.recorder.recording.to_arrays())


def carry_out(options: TrainOptions) -> None:
    """Train what the options ask for, save it, and report."""
    check_places(options)
    recipe, splits = recipe_and_data(options)
    start = None if options.start is None else model_to_go_on_from(options.start, splits.train)
    job = build(recipe, splits, seed=options.seed, holdout=options.holdout, engine=options.engine, start=start)
    parts = [part for part in (splits.train, splits.test) if part is not None]
    run = Run(options, recipe, job, environment(seed=options.seed, data_hash=data_hash(*parts)))
    announce(run)
    shown = progress(job.train.n_samples, is_new=start is None)
    job.trainer.callbacks = [*job.trainer.callbacks, *checkups(run), shown, *folder_keepers(run)]
    try:
        finish(run, job.trainer.fit(job.train, job.validation))
    except KeyboardInterrupt:
        note(entry("stopped", f"by Ctrl-C; {save_early(run, shown.history)}"))
        diagnosis_of(run, shown.history)
        raise typer.Exit(130) from None
    except DivergenceError:
        note(entry("diverged", save_early(run, shown.history)))
        diagnosis_of(run, shown.history)
        raise


def folder_keepers(run: Run) -> list[Callback]:
    """Start the run's folder, and return what keeps it up to date; nothing where no folder is wanted."""
    if run.options.run is None:
        return []
    folder = start_run(run.options.run, recipe=run.recipe.to_toml(), environment=run.environment)
    recorder = Recorder(run.job.train.spread(max(run.job.train.n_samples // 100, FEWEST_PROBED)))
    return [recorder, RunFolder(folder, recorder)]


def checkups(run: Run) -> list[Checkup]:
    """What looks for faults while the network learns, after a look at what it starts from; nothing unless wanted."""
    if not run.options.diagnose:
        return []
    job = run.job
    judged_by = job.validation or (None if job.test is None else job.model.scaled(job.test))
    checkup = Checkup(job.model.network, job.train, judged_by)
    note(looked("data and starting weights", checkup.before))
    return [checkup]


def diagnosis_of(run: Run, history: History) -> dict[str, Any]:
    """What was found before the run and in it, as `diagnosis`, where that was wanted; the latter is said."""
    checkup = next((each for each in run.job.trainer.callbacks if isinstance(each, Checkup)), None)
    if checkup is None or not history.rows:
        return {}
    after = checkup.after(history)
    note(looked("the first steps and the history", after))
    return {"diagnosis": [*checkup.before.to_json_list(), *after.to_json_list()]}


def check_places(options: TrainOptions) -> None:
    """Raise SettingError where a result could not be written: now, and not when the work is done."""
    if options.out is not None or options.run is None:
        check_place(options.out or DEFAULT_MODEL)
    if options.plot is not None:
        check_picture_place(options.plot)


def recipe_and_data(options: TrainOptions) -> tuple[Recipe, Splits]:
    """The recipe that was asked for, changed as asked and to fit the data; what was chosen, and why, is said."""
    original, splits = found_recipe(options.recipe or "default"), None
    if options.recipe is None and options.data is None and options.target is None:
        original, splits = on_default_data(original, options.offline)
    epochs = [] if options.epochs is None else [f"training.epochs={options.epochs}"]
    recipe = original.changed([*(options.changes or []), *epochs])
    if options.data is not None:
        recipe = with_fields(recipe, data=with_fields(recipe.data, name=options.data))
    is_other = recipe.data.name != original.data.name
    if splits is None or is_other:
        splits = load_data(recipe.data.name, options.target, options.target_task, options.offline)
    note(entry("recipe", f"{recipe.about.name}: {recipe.about.says}"))
    if is_other:
        recipe, given_up = fitted(recipe, splits)
        if given_up:
            note(entry("changed", "; ".join(given_up)))
    return recipe, splits


def on_default_data(recipe: Recipe, offline: bool) -> tuple[Recipe, Splits]:
    """The recipe and MNIST, or the bundled digits where MNIST cannot be had; which, and why, is said."""
    splits, which = find_default(offline=offline)
    note(entry("data", which))
    if splits.train.name != recipe.data.name:
        recipe = recipe.changed([f"data.name={splits.train.name}", f"training.epochs={DIGITS_EPOCHS}"])
    return recipe, splits


def model_to_go_on_from(name: str, train: Dataset) -> Model:
    """A trained model, its outputs called as these data call them."""
    model = found_model(name)[1]
    return replace(model, class_names=train.class_names) if len(model.class_names) == train.n_outputs else model


def announce(run: Run) -> None:
    """Say what is about to learn, and from what."""
    job, network = run.job, run.job.model.network
    held_out = f", {job.validation.n_samples:,} to choose the best epoch by" if job.validation else ""
    tested = f", {job.test.n_samples:,} for the test" if job.test else ", none for a test"
    learned = f"{job.train.n_samples:,} {noun(job.train)} of {run.recipe.data.name} to learn from"
    note(entry("examples", learned + held_out + tested))
    note(entry("network", f"{'-'.join(map(str, network.layer_sizes))}, {network.parameters.size:,} parameters"))
    if job.trainer.engine.says:
        note(entry("engine", f"NumPy, without compiled kernels: {job.trainer.engine.says}"))


def facts_of(run: Run, history: History, report: Report | None) -> dict[str, Any]:
    """What there is to know about a run; `report` is on the test set, None where there was no test (yet)."""
    job = run.job
    return {
        "recipe": run.recipe.about.name,
        "dataset": run.recipe.data.name,
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
        "test_loss": report.loss if report else None,
        f"test_{SCORE_NAMES[job.model.task]}": report.score if report else None,
    }


def save_model(run: Run, facts: dict[str, Any]) -> str:
    """Save the network as it stands, with its training record; where it is, in words."""
    how = {"recipe_toml": run.recipe.to_toml(), "target": run.options.target, "environment": run.environment}
    model, replaced = replace(run.job.model, record=facts | how), run.out.exists()
    save(model, run.out)
    if run.options.run is not None and run.options.out is not None:
        save(model, run.options.run / MODEL)
    return f"{run.out}{', in the place of an older file' if replaced else ''}"


def save_early(run: Run, history: History) -> str:
    """Save what a run that broke off has learned, if anything; what became of it, in words."""
    if len(history) < 2:
        return "no epoch was complete, so nothing was saved"
    return f"what it had learned until then is in {save_model(run, facts_of(run, history, None))}"


def finish(run: Run, history: History) -> None:
    """Score a trained network, save it, draw what was asked for, and report."""
    options, job = run.options, run.job
    report = evaluate_model(job.model, job.test) if job.test else None
    facts = facts_of(run, history, report)
    saved = save_model(run, facts)
    diagnosis = diagnosis_of(run, history)
    if options.plot is not None:
        write_picture(curves(history.rows, history.best_epoch if job.validation else None), options.plot)
    if options.as_json:
        mistakes = report.to_json_dict().get("mistakes") if report else None
        more = {"stop_reason": history.stop_reason, "history": history.rows, "mistakes": mistakes}
        print_json({"model": run.out} | facts | more | diagnosis)
        return
    if history.stop_reason:
        note(entry("stopped", history.stop_reason))
    if job.validation:
        note(entry("kept", f"the network of epoch {history.best_epoch}, the best by its held-out loss"))
    typer.echo(f"\n{verdict(run, history, report)}\n\n{entry('saved', saved)}")
    for title, place in (("run", options.run), ("plot", options.plot)):
        if place is not None:
            typer.echo(entry(title, str(place)))
    for title, command in zip(("next", ""), next_commands(run.out, job.test), strict=True):
        typer.echo(f"{title:<9}{command}")


def verdict(run: Run, history: History, report: Report | None) -> str:
    """How good the network is, on examples that it has never seen where there are any."""
    if report is None or run.job.test is None:
        score = SCORE_NAMES[run.job.model.task]
        last = score_words(score, history[f"train_{score}"][-1])
        return entry("learned", f"{last} in the last epoch; there are no other examples for a test")
    tested = f"{score_sentence(report, run.job.test)}, none of them seen before; the test set was used once, at the end"
    return f"{entry('tested', tested)}\n\n{worst_mistake(run.job.model, run.job.test, report)}".rstrip()
