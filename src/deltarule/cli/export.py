"""`deltarule export`: a model as a file for other software."""

from deltarule.cli.options import DataOptions, ExportOptions
from deltarule.cli.printing import entry, print_result
from deltarule.cli.resolve import load_examples, load_model, model_path
from deltarule.cli.results import check_place, input_files
from deltarule.errors import SettingError
from deltarule.files.exchange.foreign import save_npz
from deltarule.files.exchange.onnx import save_onnx
from deltarule.files.page import show

KINDS = {"onnx": "ONNX file", "npz": "npz file", "html": "page"}  # kinds of files, by the option that names one


def export(options: ExportOptions) -> None:
    """Write a model in the format whose option is given, and print its size."""
    asked = {name: path for name in KINDS if (path := getattr(options, name)) is not None}
    if len(asked) != 1:
        wanted = " or ".join(f"--{name} FILE" for name in KINDS)
        got = " and ".join(f"--{name}" for name in asked) or "none of them"
        raise SettingError(f"an export has one format, {wanted}: got {got}; one run writes one file")
    ((name, path),) = asked.items()
    inputs = input_files(options.name, options.data)
    check_place(path, KINDS[name], force=options.force, inputs=inputs, option=f"--{name}")
    if options.floats and name != "onnx":
        raise SettingError(f"--floats is for ONNX files: got --{name}; leave it out")
    if options.data is not None and name != "html":
        raise SettingError(f"--data is for pages: got --{name}; leave it out")
    if name == "html" and path.suffix not in (".html", ".htm"):
        raise SettingError(f"a browser opens a page by its name: got {path}; use {path.with_suffix('.html')}")
    model, replaced = load_model(options.name, options.hidden), path.exists()
    if name == "onnx":
        save_onnx(model, path, pixels=False if options.floats else None, force=options.force)
    elif name == "npz":
        save_npz(model, path, force=options.force)
    else:
        asked_for = DataOptions(data=options.data, offline=options.offline)
        examples = None if options.data is None else load_examples(model, asked_for)
        show(model, examples).save(path, force=options.force)
    n_bytes, older = path.stat().st_size, ", replacing an older file" if replaced else ""
    facts = {"model": model_path(options.name), "format": name, "file": path, "bytes": n_bytes}
    print_result(facts, entry("saved", f"{path}, {n_bytes:,} bytes{older}"), as_json=options.as_json)
