"""How `deltarule train` is carried out: recipe, data, run, score, files, report."""

from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import typer

from deltarule.cli.examples import load_data
from deltarule.cli.fitting import fitted
from deltarule.cli.found import DEFAULT_MODEL, found_model
from deltarule.cli.output import note, print_json
from deltarule.cli.places import check_picture_place, check_place, write_picture
from deltarule.cli.progress import progress
from deltarule.cli.train import TrainOptions
from deltarule.cli.verdict import print_verdict
from deltarule.data.dataset import Splits
from deltarule.errors import DivergenceError, DownloadError
from deltarule.files.model_file import save
from deltarule.files.run_folder import MODEL, data_hash, environment, start_run, write_history
from deltarule.inspection.metrics import Report, evaluate_model
from deltarule.inspection.plots import curves
from deltarule.model import Model
from deltarule.recipes import read
from deltarule.recipes.build import Job, build
from deltarule.recipes.schema import Recipe
from deltarule.training.callbacks import Callback, History, TrainingState

FALLBACK = "digits"  # the recipe for the bundled digits, where MNIST cannot be had


@dataclass(frozen=True)
class Run:
    """One run: what was asked for, the recipe as it is carried out, and the objects that do it."""

    options: TrainOptions
    recipe: Recipe
    job: Job

    @property
    def out(self) -> Path:
        """Where the model is saved."""
        folder = self.options.run
        return self.options.out or (folder / MODEL if folder else DEFAULT_MODEL)

    def facts(self, history: History, report: Report | None = None) -> dict[str, Any]:
        """What there is to know about the run; `report` is on the test set, None where there is none (yet)."""
        job, score = self.job, "r2" if self.job.model.task == "values" else "accuracy"
        return {
            "recipe": self.recipe.about.name,
            "dataset": self.recipe.data.name,
            "seed": self.options.seed,
            "engine": job.trainer.engine.name,
            "parameters": job.model.network.parameters.size,
            "train_examples": job.train.n_samples,
            "validation_examples": job.validation.n_samples if job.validation else 0,
            "test_examples": report.examples if report else 0,
            "epochs": len(history) - 1,
            "best_epoch": history.best_epoch,
            "train_seconds": history.rows[-1]["seconds"],
            "test_loss": report.loss if report else None,
            f"test_{score}": report.score if report else None,
        }

    def model(self, facts: dict[str, Any]) -> Model:
        """The network as it stands, with its training record."""
        how = {"recipe_toml": self.recipe.to_toml(), "target": self.options.target, "deltarule": version("deltarule")}
        return replace(self.job.model, record=facts | how)

    def save(self, facts: dict[str, Any]) -> str:
        """Save the model wherever it is wanted; "FILE", or what became of an older one."""
        places = {self.out} if self.options.run is None else {self.out, self.options.run / MODEL}
        existed = self.out.exists()
        for place in places:
            save(self.model(facts), place)
        return f"{self.out}{' (in the place of an older one)' if existed else ''}"
