"""`deltarule plot`: pictures of a run, and of a model's mistakes."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deltarule.cli.options import DataName, Offline, Out, Target
from deltarule.errors import SettingError

if TYPE_CHECKING:
    from deltarule.data.dataset import Dataset
    from deltarule.inspection.metrics import Report
    from deltarule.inspection.picture import Picture


def plot(
    kind: Annotated[
        Literal["curves", "confusion", "mistakes"],
        typer.Argument(
            metavar="KIND",
            help="curves: a run's loss and accuracy by epoch. confusion: what a model takes for what. "
            "mistakes: the images that it was most confidently wrong about.",
        ),
    ],
    name: Annotated[str, typer.Argument(metavar="RUN|MODEL", help="The folder of a run; or a model's file.")],
    out: Out,
    data: DataName = None,
    target: Target = None,
    offline: Offline = False,
) -> None:
    """Draw curves, a confusion matrix or mistakes into a file."""
    from deltarule.cli.examples import unseen
    from deltarule.cli.found import found_model
    from deltarule.cli.results import check_picture_place, write_picture
    from deltarule.inspection.metrics import evaluate_model

    check_picture_place(out)
    if kind == "curves":
        picture = curves_picture(name)
    else:
        model = found_model(name)[1]
        dataset = unseen(model, data, target, offline)
        report = evaluate_model(model, dataset)
        picture = confusion_picture(report, dataset) if kind == "confusion" else mistakes_picture(report, dataset)
    write_picture(picture, out)
    typer.echo(f"{out}: {picture.description}")


def curves_picture(run: str) -> "Picture":
    """Loss and accuracy by epoch, from a run's folder."""
    from deltarule.files.run_folder import HISTORY, read_history
    from deltarule.inspection.plots import curves

    if not Path(run, HISTORY).is_file():
        raise SettingError(f"curves are drawn of a run's folder: got {run}; deltarule train --run FOLDER  makes one")
    rows = read_history(run)
    losses = [math.inf if loss is None else loss for loss in (row.get("validation_loss") for row in rows)]
    return curves(rows, losses.index(min(losses)) if any(map(math.isfinite, losses)) else None)


def confusion_picture(report: "Report", dataset: "Dataset") -> "Picture":
    """What is taken for what. SettingError where there are no classes."""
    from deltarule.inspection.plots import confusion

    if report.confusion is None:
        raise SettingError(f"only classes can be taken for each other: got {dataset.name}, which holds {dataset.task}")
    return confusion(report.confusion, dataset.class_names)


def mistakes_picture(report: "Report", dataset: "Dataset") -> "Picture":
    """The most confident mistakes. SettingError where there are no classes."""
    from deltarule.inspection.plots import mistakes

    if report.mistakes is None:
        raise SettingError(f"mistakes are drawn of classes: got {dataset.name}, which holds {dataset.task}")
    return mistakes(dataset, report.mistakes)
