"""`deltarule export`: a model in a file for other software."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from deltarule.cli.options import AsJson, DataOptions, Force, ModelName, Offline, with_options
from deltarule.cli.printing import entry, print_result
from deltarule.errors import SettingError

if TYPE_CHECKING:
    from deltarule.model import Model


@dataclass(frozen=True, eq=False, repr=False)
class ExportOptions:
    """The options of `deltarule export`; those that FORMATS names say where to."""

    name: ModelName
    onnx: Annotated[
        Path | None, Option(metavar="FILE", help="For every runtime of ONNX: opset 17, scaling inside.")
    ] = None
    npz: Annotated[Path | None, Option(metavar="FILE", help="The arrays and what they mean, for NumPy.")] = None
    floats: Annotated[
        bool, Option("--floats", help="With --onnx: images come as floats, value / 255, not as uint8.")
    ] = False
    html: Annotated[Path | None, Option(metavar="FILE", help="A page that opens from disk: draw, look inside.")] = None
    data: Annotated[
        str | None, Option("--data", metavar="DATA", help="With --html: 200 examples to show mistakes on.")
    ] = None
    force: Force = False
    offline: Offline = False
    as_json: AsJson = False


@with_options(ExportOptions)
def export(options: ExportOptions) -> None:
    """Write a model for other software to read.

    The same model gives the same bytes. An older export is replaced, whole or not at all; any other file by --force.

    \b
    Examples:
      deltarule export model.safetensors --onnx digits.onnx
      deltarule export pretrained --html digits.html --data digits
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.resolve import load_model, model_path
    from deltarule.cli.results import check_place, input_files

    asked = {name: path for name in FORMATS if (path := getattr(options, name)) is not None}
    if len(asked) != 1:
        wanted = " or ".join(f"--{name} FILE" for name in FORMATS)
        got = " and ".join(f"--{name}" for name in asked) or "none of them"
        raise SettingError(f"an export has one format, {wanted}: got {got}; one run writes one file")
    ((name, path),) = asked.items()
    kind, write = FORMATS[name]
    inputs = input_files(options.name, options.data)
    check_place(path, kind, force=options.force, inputs=inputs, option=f"--{name}")
    if options.floats and name != "onnx":
        raise SettingError(f"--floats says what an ONNX file takes: got --{name}; leave it out")
    if options.data is not None and name != "html":
        raise SettingError(f"--data names examples for a page: got --{name}; leave it out")
    model, replaced = load_model(options.name), path.exists()
    write(model, path, options)
    n_bytes, older = path.stat().st_size, ", in the place of an older file" if replaced else ""
    facts = {"model": model_path(options.name), "format": name, "file": path, "bytes": n_bytes}
    print_result(facts, entry("saved", f"{path}, {n_bytes:,} bytes{older}"), as_json=options.as_json)


def write_onnx(model: "Model", path: Path, options: ExportOptions) -> None:
    """Write an ONNX file."""
    from deltarule.files.exchange.onnx import save_onnx

    save_onnx(model, path, pixels=False if options.floats else None, force=options.force)


def write_npz(model: "Model", path: Path, options: ExportOptions) -> None:
    """Write the arrays, for NumPy."""
    from deltarule.files.exchange import save_npz

    save_npz(model, path, force=options.force)


def write_page(model: "Model", path: Path, options: ExportOptions) -> None:
    """Write a page that opens from disk, with examples where --data names some."""
    from deltarule.cli.resolve import unseen_examples
    from deltarule.files.page import show

    if path.suffix not in (".html", ".htm"):
        raise SettingError(f"a browser opens a page by its name: got {path}; use {path.with_suffix('.html')}")
    wanted = DataOptions(data=options.data, offline=options.offline)
    examples = None if options.data is None else unseen_examples(model, wanted)
    show(model, examples).save(path, force=options.force)


Writer = Callable[["Model", Path, ExportOptions], None]
FORMATS: dict[str, tuple[str, Writer]] = {  # the option that says where to, the kind of file, and what writes it
    "onnx": ("ONNX file", write_onnx),
    "npz": ("npz file", write_npz),
    "html": ("page", write_page),
}
