"""`deltarule evaluate`: how good a model is, class by class."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deltarule.cli.options import AsJson, DataName, Force, ModelName, Offline, Target
from deltarule.cli.printing import percent, print_json, print_table, print_text

COLUMNS = {
    "name": "",
    "support": "examples",
    "recall": "recall",
    "precision": "precision",
    "f1": "f1",
    "r2": "R2",
    "mean_absolute_error": "mean absolute error",
}

if TYPE_CHECKING:
    from deltarule.inspection.measures.metrics import Report
    from deltarule.nn.arrays import Array


def evaluate(
    model: ModelName,
    data: DataName = None,
    target: Target = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw what is taken for what: .png, .svg or .pdf.")
    ] = None,
    force: Force = False,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Say how good a model is, class by class.

    Without --data it is judged by those of its own data that were kept for the test.
    """
    from deltarule.cli.examples import unseen
    from deltarule.cli.found import found_model
    from deltarule.cli.results import check_picture_place, inputs_of, write_picture
    from deltarule.cli.verdict import score_sentence, worst_mistake
    from deltarule.inspection.measures.metrics import evaluate_model
    from deltarule.inspection.plots.kinds import confusion_picture

    if plot is not None:
        check_picture_place(plot, force=force, inputs=inputs_of(model, data))
    path, loaded = found_model(model)
    dataset = unseen(loaded, data, target, offline)
    report = evaluate_model(loaded, dataset)
    if plot is not None:
        write_picture(confusion_picture(report, dataset), plot, force=force)
    if as_json:
        print_json({"model": path, "dataset": dataset.name} | report.to_json_dict())
        return
    print_text(f"{score_sentence(report, dataset)}, loss {report.loss:.4f}\n")
    print_table(rows_of(report, dataset.class_names))
    if report.mistakes:
        print_text(f"\n{worst_mistake(loaded, dataset, report)}")


def rows_of(report: "Report", names: Sequence[str]) -> list[dict[str, str]]:
    """A row for each class, label or value."""
    rows = [
        {COLUMNS[name]: words(name, value) for name, value in asdict(score).items() if name in COLUMNS}
        for score in report.per_output
    ]
    if report.confusion is not None:
        for k, row in enumerate(rows):
            row["mostly taken for"] = rival(report.confusion, k, names)
    return rows


def rival(confusion: "Array", true: int, names: Sequence[str]) -> str:
    """Which other class examples of the class `true` are most often taken for, and how often."""
    counts = confusion[true].copy()
    counts[true] = 0
    return f"{names[counts.argmax()]} ({counts.max()})" if counts.any() else "-"


def words(name: str, value: str | float | None) -> str:
    """A cell of the table."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if name == "support":
        return f"{value:,.0f}"
    return f"{value:.4g}" if name in ("r2", "mean_absolute_error") else percent(value)
