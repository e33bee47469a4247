"""`deltarule predict`: what a model makes of the user's own files."""

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from deltarule.cli.options import AsJson, Force
from deltarule.cli.printing import (
    anyone_reads,
    entry,
    image_text,
    in_a_line,
    note,
    paragraph,
    percent,
    print_json,
    print_text,
)
from deltarule.errors import NoDigitError, SettingError

if TYPE_CHECKING:
    from deltarule.model import Answers, Model
    from deltarule.nn.arrays import Array

Answer = dict[str, Any]


class Asked(NamedTuple):
    """A file that a model was asked about: its rows and their answers, None for a blank picture."""

    name: str
    rows: "Array | None"
    answers: "Answers | None"


def predict(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE...]", help="Pictures, folders of them; or a CSV, an npz or an IDX file."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Else pictures go to the pretrained one, the rest to ./model.safetensors, if any."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Draw each image in text, too.")] = False,
    kaggle: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Kaggle's test.csv, to be answered as Kaggle wants it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="With --kaggle: where the answers go.")] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Ask a model: a line for each image, or row of numbers.

    The line says the answer and its probability (or the activation of its neuron, where that is no probability).
    A picture of a digit may be a PNG, JPEG, WebP or BMP of any size.

    \b
    Examples:
      deltarule predict photo.jpg --show
      deltarule predict new.csv --model prices.safetensors --json
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.inputs import files_in, how_to_read, name_file
    from deltarule.cli.resolve import load_model
    from deltarule.cli.results import check_place, input_files
    from deltarule.data.readers.kinds import read

    if bool(files) == (kaggle is not None) or (kaggle is None) != (out is None):
        raise SettingError("give either FILE... or both --kaggle test.csv and --out submission.csv")
    paths = files_in(files or ())
    name = model or model_for(paths)
    if out is not None:
        check_place(out, "table", force=force, inputs=input_files(name, str(kaggle)))
    loaded = load_model(name)
    if show and loaded.image_shape is None:
        raise SettingError("--show draws images: this model reads rows of numbers")
    asked: list[Asked] = []
    for path in paths if kaggle is None else [kaggle]:
        try:
            rows = read(path, **how_to_read(loaded)).rows
            with name_file(path):
                asked.append(Asked(str(path), rows, loaded.answers(rows)))
        except NoDigitError as error:
            if kaggle is not None:
                raise
            note(paragraph(str(error)))
            asked.append(Asked(str(path), None, None))
    if out is not None:
        write_submission(loaded, asked[0], out, force=force, as_json=as_json)
        return
    answers = ((each, answer) for each in asked for answer in answers_about(each, loaded))
    if as_json:
        print_json([answer for _, answer in answers])
    else:
        for each, answer in takewhile(lambda _: anyone_reads(), answers):
            print_answer(answer, each.rows, loaded.image_shape if show else None)
    if any(each.answers is None for each in asked):
        raise typer.Exit(1)


def model_for(files: list[Path]) -> str:
    """The model that answers where the user names none: the pretrained one reads pictures, whatever lies here.

    Other files are for the model that was trained here last, where there is one.
    """
    from deltarule.data.readers.kinds import PICTURE_ENDINGS
    from deltarule.files.model_file import PRETRAINED
    from deltarule.files.run_folder import MODEL

    if not Path(MODEL).is_file():
        return PRETRAINED.stem
    if files and all(path.suffix.lower() in PICTURE_ENDINGS for path in files):
        note(entry("here", f"{MODEL} is not asked about pictures unless you say  --model {MODEL}"))
        return PRETRAINED.stem
    return MODEL


def print_answer(answer: Answer, raw: "Array | None", image_shape: tuple[int, int] | None) -> None:
    """A line for an answer to a row of `raw`; with an image_shape, below its picture."""
    if raw is not None and image_shape is not None:
        print_text(image_text(raw[answer["row"]], image_shape))
    print_text(in_a_line(answer_line(answer, alone=raw is None or len(raw) == 1)))


def answers_about(asked: Asked, model: "Model") -> Iterator[Answer]:
    """An answer for each row of a file; for a blank picture, None, one without."""
    kind = ("probability", "probabilities") if model.has_probabilities else ("activation", "activations")
    name = asked.name
    if asked.answers is None:
        yield {"input": name, "row": 0, "label": None, kind[0]: None, kind[1]: None}
        return
    outputs, predicted = asked.answers
    for row, (a, answer) in enumerate(zip(outputs.tolist(), predicted.tolist(), strict=True)):
        named = dict(zip(model.class_names, a, strict=True))
        result: Answer = {"input": name, "row": row}
        if model.task == "values":
            result |= {"values": dict(zip(model.class_names, answer, strict=True))}
        elif model.task == "classes":
            result |= {"label": model.class_names[answer], kind[0]: a[answer], kind[1]: named}
        else:
            on = [label for label, is_on in zip(model.class_names, answer, strict=True) if is_on]
            result |= {"label": on, kind[1]: named}
        yield result


def answer_line(answer: Answer, *, alone: bool) -> str:
    """An answer in a line; `alone` in its file, it needs no row."""
    place = answer["input"] if alone else f"{answer['input']}[{answer['row']}]"
    if answer.get("label", "") is None:
        return f"{place}  no digit"
    if "values" in answer:
        return f"{place}  " + "  ".join(f"{name} = {value:.6g}" for name, value in answer["values"].items())
    if isinstance(answer["label"], list):
        numbers = answer.get("probabilities") or answer["activations"]
        words = (f"{'' if name in answer['label'] else 'not '}{name} ({a:.4f})" for name, a in numbers.items())
        return f"{place}  " + "  ".join(words)
    sure = percent(answer["probability"]) if "probability" in answer else f"activation {answer['activation']:.4f}"
    return f"{place}  {answer['label']}  {sure}"


def write_submission(model: "Model", asked: Asked, out: Path, *, force: bool, as_json: bool) -> None:
    """Write ImageId,Label for every row, counted from 1, whole or not at all; and say how many there are."""
    from deltarule.atomic import write_atomically

    if model.task != "classes" or asked.answers is None:
        raise SettingError(f"a submission needs a class for each image: this model answers {model.task}")
    labels = [model.class_names[k] for k in asked.answers.predicted]
    rows = "".join(f"{number},{label}\n" for number, label in enumerate(labels, start=1))
    write_atomically(out, f"ImageId,Label\n{rows}".encode(), "table", force=force)
    if as_json:
        print_json({"rows": len(labels), "out": out})
    else:
        print_text(f"{len(labels):,} answers are in {out}")
