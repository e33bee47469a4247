"""`deltarule evaluate`: how good a model is, class by class, and its most confident mistake."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from deltarule.atomic import write_atomically
from deltarule.cli.options import EvaluateOptions
from deltarule.cli.printing import entry, image_text, in_a_line, percent, print_result, score_words, table_text
from deltarule.cli.resolve import load_examples, load_model, model_path, training_record
from deltarule.cli.results import check_place, input_files
from deltarule.data.dataset import Dataset
from deltarule.inspection.measures.metrics import Report, evaluate_model
from deltarule.inspection.plots.kinds import confusion_picture
from deltarule.model import Model

COLUMNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (  # a figure of the report, its title, and how it is shown
    ("name", "", str),
    ("support", "examples", "{:,.0f}".format),
    ("recall", "recall", percent),
    ("precision", "precision", percent),
    ("f1", "f1", percent),
    ("r2", "R2", "{:.4g}".format),
    ("mean_absolute_error", "mean absolute error", "{:.4g}".format),
)


def evaluate(options: EvaluateOptions) -> None:
    """Score a model, print its figures, and draw the confusion matrix if --plot asks for it."""
    inputs = input_files(options.name, options.data)
    check_place(options.plot, "picture", force=options.force, inputs=inputs, option="--plot")
    model = load_model(options.name, options.hidden)
    dataset = load_examples(model, options)
    report = evaluate_model(model, dataset)
    if options.plot is not None:
        picture = confusion_picture(report, dataset)
        write_atomically(options.plot, picture.to_bytes(options.plot.suffix), "picture", force=options.force)
    facts = {"model": model_path(options.name), "dataset": dataset.name} | report.to_json_dict()
    score = f"{score_sentence(report, dataset)}, loss {report.loss:.4f}"
    if options.data is None:
        record = training_record(model)
        score = f"{score}\n{comparison(report, record.training_score, record.plain_scores)}".rstrip("\n")
    text = f"{score}\n\n{table_text(table_rows(report, dataset))}\n\n{worst_mistake(model, dataset, report)}"
    print_result(facts, text.rstrip("\n"), as_json=options.as_json)


def table_rows(report: Report, dataset: Dataset) -> list[dict[str, str]]:
    """A row {title: text} for each class, label or value; for a class, also which class it is mostly mistaken for."""
    rows = []
    for k, figures in enumerate(map(asdict, report.per_output)):
        shown = ((title, figures[name], show) for name, title, show in COLUMNS if name in figures)
        row = {title: "-" if figure is None else show(figure) for title, figure, show in shown}
        if report.confusion is not None:
            counts = report.confusion[k].copy()
            counts[k] = 0
            most = f"{dataset.class_names[counts.argmax()]} ({counts.max()})"
            row["mostly mistaken for"] = most if counts.any() else "-"
        rows.append(row)
    return rows


def example_noun(dataset: Dataset) -> str:
    """The noun for the examples of a dataset: "images" or "examples"."""
    return "examples" if dataset.image_shape is None else "images"


def score_sentence(report: Report, dataset: Dataset) -> str:
    """The score in words: how many answers are right, or R2, how much of the targets' variance is explained."""
    if report.score_name == "r2":
        return f"R2 {report.score:.4f} on {report.examples:,} {example_noun(dataset)}"
    n_answers = dataset.targets.size
    what = example_noun(dataset) if n_answers == report.examples else "answers"
    return f"{round(report.score * n_answers):,} of {n_answers:,} {what} right, {percent(report.score)}"


def comparison(report: Report, training_score: float | None, plain_scores: dict[str, float]) -> str:
    """For a table, lines with the score on the training rows and the test scores of simple models; else ""."""
    if not plain_scores or training_score is None:
        return ""
    shown = {name: score_words(report.score_name, score).split()[1:] for name, score in plain_scores.items()}
    others = ", ".join(f"{name} {' '.join(score)}" for name, score in shown.items())
    lines = [entry("learned", f"{score_words(report.score_name, training_score)} on the rows learned from")]
    lines.append(entry("compare", f"on the same test: {others}"))
    best = max(plain_scores, key=plain_scores.__getitem__)
    if report.score <= plain_scores[best]:
        lines.append(entry("note", f"the network is not better than {best}: more rows or columns may help"))
    return "\n".join(lines)


def worst_mistake(model: Model, dataset: Dataset, report: Report) -> str:
    """A sentence on the most confident mistake, with the image in text if it is one; "" if there is no mistake."""
    if not report.mistakes:
        return ""
    mistakes, names = report.mistakes, dataset.class_names
    example, measure = mistakes.example[0].item(), "probability" if model.has_probabilities else "activation"
    sentence = in_a_line(
        f"The most confident mistake, {example_noun(dataset)[:-1]} {example}, is {names[mistakes.true[0]]}, taken for "
        f"{names[mistakes.predicted[0]]} with {measure} {mistakes.activation[0]:.4f}"
    )
    if dataset.image_shape is None:
        return sentence
    return f"{sentence}\n{image_text(dataset.inputs[example], dataset.image_shape)}"
