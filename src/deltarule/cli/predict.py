"""`deltarule predict`: what a model predicts for the user's own files."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from deltarule.atomic import write_atomically
from deltarule.cli.options import PredictOptions
from deltarule.cli.printing import image_text, in_a_line, note, paragraph, percent, print_result, tell
from deltarule.cli.resolve import check_width, load_model, reads_digits, training_record
from deltarule.cli.results import check_place, input_files
from deltarule.data.readers.csv import dialect_of, read_rows
from deltarule.data.readers.images import SUFFIXES, pictures_among
from deltarule.data.readers.kinds import UNKNOWN, kind_of, read
from deltarule.errors import DataError, NoDigitError, SettingError, SeveralDigitsError, sentence
from deltarule.files.model_file import PRETRAINED
from deltarule.files.run_folder import MODEL
from deltarule.model import Answers, Model
from deltarule.nn.arrays import Array
from deltarule.training.history import table_text

Answer = dict[str, Any]


class Asked(NamedTuple):
    """A file to predict: its rows and the model's answers, both None if it does not show one digit; why: the reason."""

    name: str
    rows: Array | None
    answers: Answers | None
    why: str = ""


def predict(options: PredictOptions) -> None:
    """Print a model's answers to the rows of files, or write them to a CSV."""
    files, kaggle, out, as_json = options.files, options.kaggle, options.out, options.as_json
    if bool(files) == (kaggle is not None) or (kaggle is not None and out is None):
        raise SettingError("give either FILE..., or both --kaggle test.csv and --out submission.csv")
    paths = files_in(files or ())
    if out is not None and len(paths) > 1:
        raise SettingError(f"--out answers one CSV: got {', '.join(map(str, paths[:3]))}; give one, and --model MODEL")
    name = options.model or model_for(paths)
    check_place(out, "table", force=options.force, inputs=[*input_files(name, str(kaggle)), *paths])
    model = load_model(name, options.hidden)
    if options.show and model.image_shape is None:
        raise SettingError("--show draws images: this model reads rows of numbers")
    how = how_to_read(model) | {"anyway": options.anyway, "unseen": options.unseen}
    asked: list[Asked] = []
    said = {""}
    for path in paths if kaggle is None else [kaggle]:
        try:
            reading = read(path, **how)
            with name_file(model, path, reading.rows):
                asked.append(Asked(str(path), reading.rows, model.answers(reading.rows)))
            if (read_as := reading.report.get("read", "")) not in said:
                said.add(read_as)
                tell("read", f"{path}: {read_as}")
        except NoDigitError as error:
            if kaggle is not None:
                raise
            note(paragraph(str(error)))
            why = "several digits" if isinstance(error, SeveralDigitsError) else "no digit"
            asked.append(Asked(str(path), None, None, why))
        except DataError as error:
            if not options.skip_bad or len(paths) < 2:
                raise
            note(paragraph(f"skipped: {error}"))
    if out is not None:
        table = csv_with_answers(model, asked[0]) if kaggle is None else submission(model, asked[0])
        write_atomically(out, table.encode(), "table", force=options.force)
        n_rows = len(asked[0].answers.predicted) if asked[0].answers else 0
        print_result({"rows": n_rows, "out": out}, f"{n_rows:,} answers are in {out}", as_json=as_json)
        return
    answers, lines = list[Answer](), list[str]()
    for each in asked:
        for answer in answers_about(each, model):
            answers.append(answer)
            if options.show and each.rows is not None and model.image_shape is not None:
                lines.append(image_text(each.rows[answer["row"]], model.image_shape))
            lines.append(in_a_line(answer_line(answer, each)))
    if lines or as_json:
        print_result(answers, "\n".join(lines), as_json=as_json)
    if any(each.answers is None for each in asked):
        raise SystemExit(1)


def model_for(files: list[Path]) -> str:
    """The name of the model to use if the user names none: for pictures, always the pretrained one.

    For other files, the model that `deltarule train` saved last in this folder; if there is none, the pretrained one.
    """
    are_pictures = bool(files) and all(path.suffix.lower() in SUFFIXES for path in files)
    has_model = Path(MODEL).is_file()
    if has_model and are_pictures:
        tell("here", f"{MODEL} is used for pictures only if you pass  --model {MODEL}")
    return MODEL if has_model and not are_pictures else PRETRAINED.stem


def how_to_read(model: Model) -> dict[str, Any]:
    """The arguments with which `data.readers.kinds.read` reads files for a model, as its training data were read.

    A model that learned from images with ink from 0 to 1 gets such images. In a table, a string becomes its index among
    the column's categories.
    """
    record = training_record(model)
    how: dict[str, Any] = {"rows_only": True, "announce": partial(tell, "table")}
    if not (model.pixels or model.image_shape):
        how |= {"columns": model.columns, "target": record.target}
    how |= {"image_shape": model.image_shape or (28, 28), "size": record.size, "label": record.label}
    return how | {"is_digit": reads_digits(model), "is_unit": model.reads_ink}


@contextmanager
def name_file(model: Model, path: Path, rows: Array) -> Iterator[None]:
    """Run a block in which a DataError's message gets the file's path. SettingError if the rows have a wrong width."""
    check_width(model, str(path), rows[:1].size)
    try:
        yield
    except DataError as error:
        raise type(error)(f"{path}: {error}") from error


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files, with each folder replaced by its images, sorted by name. SettingError for a folder without images."""
    files: list[Path] = []
    for path in paths:
        found = pictures_among(path.rglob("*"), path, partial(tell, "read")) if path.is_dir() else [path]
        if not found:
            raise SettingError(sentence("command.no_pictures", path=path))
        files += found
    return files


def answers_about(asked: Asked, model: Model) -> Iterator[Answer]:
    """Yield an answer, a dict as --json prints, for each row of a file; its label is None if there is no digit."""
    kind = ("probability", "probabilities") if model.has_probabilities else ("activation", "activations")
    name = asked.name
    if asked.answers is None:
        yield {"input": name, "row": 0, "label": None, kind[0]: None, kind[1]: None}
        return
    outputs, predicted, unusual = asked.answers
    for row, (a, answer) in enumerate(zip(outputs.tolist(), predicted.tolist(), strict=True)):
        named = dict(zip(model.class_names, a, strict=True))
        result: Answer = {"input": name, "row": row}
        if model.task == "values":
            result |= {"values": dict(zip(model.class_names, answer, strict=True))}
        elif model.task == "classes":
            result |= {"label": model.class_names[answer], kind[0]: a[answer], kind[1]: named}
            result |= {} if unusual is None else {"unusual": float(unusual[row])}
        else:
            on = [label for label, is_on in zip(model.class_names, answer, strict=True) if is_on]
            result |= {"label": on, kind[1]: named}
        yield result


def answer_line(answer: Answer, asked: Asked) -> str:
    """The line of text for an answer; without a row number if its file has only one row."""
    is_alone = asked.rows is None or len(asked.rows) == 1
    place = answer["input"] if is_alone else f"{answer['input']}[{answer['row']}]"
    if answer.get("label", "") is None:
        return f"{place}  {asked.why}"
    if "values" in answer:
        return f"{place}  " + "  ".join(f"{name} = {value:.6g}" for name, value in answer["values"].items())
    if isinstance(answer["label"], list):
        numbers = answer.get("probabilities") or answer["activations"]
        words = (f"{'' if name in answer['label'] else 'not '}{name} ({a:.4f})" for name, a in numbers.items())
        return f"{place}  " + "  ".join(words)
    sure = percent(answer["probability"]) if "probability" in answer else f"activation {answer['activation']:.4f}"
    unusual = answer.get("unusual", 0.0)
    doubt = f"  unusual ({percent(unusual)}): unlike what it learned" if unusual >= 0.5 else ""
    return f"{place}  {answer['label']}  {sure}{doubt}"


def csv_with_answers(model: Model, asked: Asked) -> str:
    """The text of a CSV: the columns of the file unchanged, then the model's answers, one column per number."""
    if asked.rows is None or kind_of(Path(asked.name)).name not in ("CSV", UNKNOWN):
        raise SettingError(f"--out adds answers to a CSV: got {asked.name}; use  deltarule predict {asked.name} --json")
    dialect = dialect_of(asked.name)
    rows = [cells for _, cells in read_rows(asked.name, dialect)]
    header = rows.pop(0) if len(rows) > len(asked.rows) else [*map(str, range(1, len(rows[0]) + 1))]
    answers = list(answers_about(asked, model))
    numbers = [each.get("values") or each.get("probabilities") or each["activations"] for each in answers]
    kind = "predicted" if model.task == "values" else "probability" if model.has_probabilities else "activation"
    names = [*["prediction"] * (model.task != "values"), *(f"{kind}_{name}" for name in model.class_names)]
    table = StringIO()
    writer = csv.writer(table, lineterminator="\n", delimiter=dialect.separator)
    writer.writerow([*header, *names])
    for cells, answer, row in zip(rows, answers, numbers, strict=True):
        label = answer.get("label", [])
        said = [" ".join(label)] if model.task == "labels" else [label] * (model.task == "classes")
        writer.writerow([*cells, *said, *row.values()])
    return table.getvalue()


def submission(model: Model, asked: Asked) -> str:
    """The text of a CSV for Kaggle: ImageId, counted from 1, and Label, the name of the predicted class."""
    if model.task != "classes" or asked.answers is None:
        raise SettingError(f"a submission needs a class for each image: this model answers {model.task}")
    predicted = enumerate(asked.answers.predicted, start=1)
    return table_text([{"ImageId": number, "Label": model.class_names[k]} for number, k in predicted])
