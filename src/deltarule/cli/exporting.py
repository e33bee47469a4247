"""How `deltarule export` is carried out: which format, which writer, and what is said of the file."""

from collections.abc import Callable
from pathlib import Path

from deltarule.cli.examples import unseen
from deltarule.cli.export import ExportOptions
from deltarule.cli.found import found_model
from deltarule.cli.printing import entry, print_json, print_text
from deltarule.cli.results import check_place, inputs_of
from deltarule.errors import SettingError
from deltarule.files.exchange import save_npz
from deltarule.files.exchange.onnx import save_onnx
from deltarule.files.page import show
from deltarule.model import Model

Writer = Callable[[Model, Path, ExportOptions], None]


def _onnx(model: Model, path: Path, options: ExportOptions) -> None:
    save_onnx(model, path, pixels=False if options.floats else None, force=options.force)


def _npz(model: Model, path: Path, options: ExportOptions) -> None:
    save_npz(model, path, force=options.force)


def _html(model: Model, path: Path, options: ExportOptions) -> None:
    if path.suffix not in (".html", ".htm"):
        raise SettingError(f"a browser opens a page by its name: got {path}; use {path.with_suffix('.html')}")
    examples = None if options.data is None else unseen(model, options.data, None, options.offline)
    show(model, examples).save(path, force=options.force)


FORMATS: dict[str, Writer] = {"onnx": _onnx, "npz": _npz, "html": _html}  # each an option that says where to

KINDS = {"onnx": "ONNX file", "npz": "npz file", "html": "page"}


def carry_out(options: ExportOptions) -> None:
    """Write the file that the options ask for, and say so."""
    format_name, path = chosen(options)
    inputs = inputs_of(options.name, options.data)
    check_place(path, KINDS[format_name], force=options.force, inputs=inputs, option=f"--{format_name}")
    if options.floats and format_name != "onnx":
        raise SettingError(f"--floats says what an ONNX file takes: got --{format_name}; leave it out")
    if options.data is not None and format_name != "html":
        raise SettingError(f"--data names examples for a page: got --{format_name}; leave it out")
    source, model = found_model(options.name)
    replaced = path.exists()
    FORMATS[format_name](model, path, options)
    n_bytes = path.stat().st_size
    if options.as_json:
        print_json({"model": source, "format": format_name, "file": path, "bytes": n_bytes})
    else:
        older = ", in the place of an older file" if replaced else ""
        print_text(entry("saved", f"{path}, {n_bytes:,} bytes{older}"))


def chosen(options: ExportOptions) -> tuple[str, Path]:
    """The one format that was asked for, and where to. SettingError where it is none, or more than one."""
    asked = {name: path for name in FORMATS if (path := getattr(options, name)) is not None}
    if len(asked) != 1:
        wanted = " or ".join(f"--{name} FILE" for name in FORMATS)
        got = " and ".join(f"--{name}" for name in asked) or "none of them"
        raise SettingError(f"an export has one format, {wanted}: got {got}; one run writes one file")
    ((name, path),) = asked.items()
    return name, path
