"""`deltarule export`: what it can be asked. `exporting.py` carries it out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deltarule.cli.options import AsJson, Force, ModelName, Offline, taken_apart


@dataclass(frozen=True, eq=False, repr=False)
class ExportOptions:
    """What `deltarule export` was asked for. The fields that `exporting.FORMATS` names say where to."""

    name: ModelName
    onnx: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For every runtime of ONNX: opset 17, scaling inside.")
    ] = None
    npz: Annotated[Path | None, typer.Option(metavar="FILE", help="The arrays and what they mean, for NumPy.")] = None
    floats: Annotated[
        bool, typer.Option("--floats", help="With --onnx: images come as floats, value / 255, not as uint8.")
    ] = False
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A page that opens from disk: draw, look inside.")
    ] = None
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="With --html: 200 examples to show mistakes on.")
    ] = None
    force: Force = False
    offline: Offline = False
    as_json: AsJson = False


@taken_apart(ExportOptions)
def export(options: ExportOptions) -> None:
    """Write a model for other software to read.

    The same model gives the same bytes. An older export is replaced, whole or not at all; any other file by --force.

    \b
    Examples:
      deltarule export model.safetensors --onnx digits.onnx
      deltarule export pretrained --html digits.html --data digits
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.exporting import carry_out

    carry_out(options)
