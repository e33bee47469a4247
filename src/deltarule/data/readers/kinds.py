"""Finds out the kind of a file, by its content or its name; `read` reads files of all kinds."""

import os
import re
from collections.abc import Callable
from gzip import GzipFile
from pathlib import Path
from typing import Any, NamedTuple

from deltarule.data.dataset import Splits
from deltarule.data.ink.pictures import FORMATS
from deltarule.data.readers.idx import IMAGES, TRAIN, idx_files, read_idx, read_idx_pairs
from deltarule.data.readers.images import read_image_folder, read_picture_rows
from deltarule.data.readers.npz import read_npy, read_npz
from deltarule.data.readers.pixel_rows import read_pixel_rows
from deltarule.data.readers.tables import read_table_examples, read_table_rows
from deltarule.data.reading import How, Reading, open_stored
from deltarule.errors import SettingError, read_tables, sentence

GUNZIP = "only IDX files and CSVs are read as gzip compresses them: run  gunzip {path}"
HEAD_BYTES = 16  # of a file, enough to tell its kind


class Kind(NamedTuple):
    """A kind of file or folder.

    name: what messages call it. signature: a pattern for the beginning of its content. endings: of its name.
    reader: the function that reads it; None if the kind is unsupported: `advice` then says how to convert it.
    has_targets: whether it can contain targets.
    """

    name: str
    signature: bytes = b""
    endings: tuple[str, ...] = ()
    reader: Callable[[Path, How], Reading | Splits] | None = None
    has_targets: bool = False
    advice: str = ""


TABLES = read_tables("data/readers/kinds")
READERS: dict[str, Callable[[Path, How], Reading | Splits]] = {
    **dict.fromkeys(TABLES["pictures"]["signatures"], read_picture_rows),
    "IDX": lambda path, how: Reading((rows := read_idx(path)).reshape(len(rows), -1), report={"holds": "pixels"}),
    "CSV": read_pixel_rows,
    "npz": lambda path, how: read_npz(path, how.announce),
    "npy": lambda path, how: Reading(read_npy(path)),
    "pairs of IDX files": lambda path, how: read_idx_pairs(path, how.announce),
    "folder of images": lambda path, how: read_image_folder(path, **vars(how)),
}
ASKED = TABLES["pictures"]["advice"]
PICTURES = {name: [begins, FORMATS[name.upper()], ASKED] for name, begins in TABLES["pictures"]["signatures"].items()}
KINDS = {
    name: Kind(name, begins.encode(), tuple(endings), READERS.get(name), name in TABLES["have_targets"], advice)
    for name, (begins, endings, advice) in (PICTURES | TABLES["kinds"]).items()
}
MODEL, IDX, CSV = KINDS["a model"], KINDS["IDX"], KINDS["CSV"]
UNKNOWN = "unknown"


def read(path: str | os.PathLike[str], **how: Any) -> Reading:
    """Read a file or folder of any supported kind; the report in the result says what it was read as.

    how: the fields of `How`: what the user, or the model, says about the file.

    Raises SettingError if there is no such file, for an unsupported kind, and for one without columns if a column was
    named; DataError for wrong content, NoDigitError for a blank picture, and the errors of the readers.

    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp(), "a.csv")
    >>> _ = file.write_text("7,0,1,2,255")
    >>> reading = read(file)
    >>> reading.rows.tolist(), reading.examples.train.targets.tolist(), reading.report["kind"]
    ([[0, 1, 2, 255]], [7], 'CSV')
    """
    path, wish = Path(path), How(**how)
    kind = kind_of(path)
    if wish.is_table and kind.name == UNKNOWN:
        kind = CSV
    if wish.is_table and kind is not CSV and not wish.rows_only:
        raise SettingError(sentence("readers.no_table", path=path, target=wish.target, got=what_it_is(path, kind)))
    if kind.reader is read_picture_rows and wish.columns:
        names = ", ".join(column.name for column in wish.columns)
        raise SettingError(sentence("command.other_inputs", reads=f"the columns {names} of a table", name=path))
    if kind.reader is None:
        raise SettingError(sentence("readers.kind", path=path, got=what_it_is(path, kind)))
    reader = kind.reader
    if kind is CSV and wish.is_table:
        reader = read_table_rows if wish.rows_only else read_table_examples
    found = reader(path, wish)
    reading = Reading((found.test or found.train).inputs, found) if isinstance(found, Splits) else found
    report = {"file": str(path), "kind": kind.name} | reading.report
    is_unit = wish.is_unit and report.get("holds") == "pixels"
    return Reading(reading.rows / 255.0 if is_unit else reading.rows, reading.examples, report)


def kind_of(path: Path) -> Kind:
    """Find out the kind of a file or folder: by its content if that shows it, else by its name.

    Raises SettingError if there is no such file or folder, DataError if it cannot be read.
    """
    if path.is_dir():
        return KINDS["pairs of IDX files" if idx_files(path, TRAIN + IMAGES) else "folder of images"]
    if not path.exists():
        if idx_files(path.parent, path.name + IMAGES):
            return KINDS["pairs of IDX files"]
        more = "; numbers go into a CSV, a line for each sample" if re.fullmatch(r"-?[0-9.]+", path.name) else ""
        more = "; download it first" if path.parts[0] in ("http:", "https:") else more
        more = ", the standard input; save it in a file, and give that" if path.name == "-" else more
        raise SettingError(f"a file must exist: got {path}{more}")
    with open_stored(path, "a file") as file:
        head, is_compressed = file.read(HEAD_BYTES), isinstance(file, GzipFile)
    by_content = [kind for kind in KINDS.values() if re.match(kind.signature, head, re.DOTALL)]
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    by_name = [kind for kind in KINDS.values() if suffix in kind.endings]
    by_both = [kind for kind in by_content if kind in by_name]
    kind, *_ = [*by_both, *by_content, *by_name, Kind(UNKNOWN, advice=head[:4].hex(" ") or "an empty file")]
    if is_compressed and kind not in (IDX, CSV):
        name = f"{'a file' if kind.name == UNKNOWN else kind.name} in gzip"
        unpacked = kind.advice.replace("open(", "gzip.open(").replace("pickle,", "gzip, pickle,")
        return Kind(name, advice=unpacked if kind.name == "pickle" else GUNZIP)
    return kind


def what_it_is(path: Path, kind: Kind) -> str:
    """A phrase for a message: what kind an unsupported file is, and how to convert it."""
    advice = kind.advice.format(path=str(path))
    return advice if kind.name == UNKNOWN else "; ".join(filter(None, [kind.name, advice]))
