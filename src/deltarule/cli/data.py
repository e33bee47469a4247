"""`deltarule data`: which data sets exist, where they are, and whether they are genuine."""

from pathlib import Path
from typing import Any

import numpy as np

from deltarule.cli.options import FetchOptions, InfoOptions, ListOptions, VerifyOptions
from deltarule.cli.printing import entry, in_a_line, note, print_result, print_text
from deltarule.data import catalog
from deltarule.data.readers.kinds import CSV, kind_of, read
from deltarule.data.readers.tables import column_verdicts
from deltarule.data.sources import SOURCES
from deltarule.errors import DataError, sentence

NOT_HERE = "not here"


def show_all(options: ListOptions) -> None:
    """List the named data sets and their folders."""
    rows = [{"name": name, "where": where(name), "says": source.says} for name, source in SOURCES.items()]
    lines = [f"{row['name']:<15}{row['where']}\n{entry('', row['says'], indent=2)}" for row in rows]
    print_result(rows, "\n".join(lines), as_json=options.as_json)


def fetch(options: FetchOptions) -> None:
    """Download a data set, unless it is here already."""
    folder = catalog.fetch(options.name)
    print_text(f"{options.name} {'comes with deltarule' if folder is None else f'is in {folder}'}")


def info(options: InfoOptions) -> None:
    """Show what data contain, how they were read, and their license; download nothing."""
    data, label = options.data, options.label
    content: dict[str, Any] = {"name": data}
    next_step, shown, splits = {}, dict[str, str](), None
    if known := SOURCES.get(data):
        content |= {"says": known.says, "license": known.license, "source": known.citation, "where": where(data)}
    if content.get("where") == NOT_HERE:
        next_step["next"] = f"deltarule data fetch {data}"
    elif not known and Path(data).is_file() and kind_of(Path(data)) is CSV:
        try:
            reading = read(data, label=label, announce=note)
            content |= reading.report
            splits = reading.splits
        except DataError:
            columns = column_verdicts(data)
            content |= {"holds": "a table", "columns": columns}
            shown = {each["column"]: f"{each['holds']}, such as {' and '.join(each['such'])}" for each in columns}
            next_step["next"] = f"deltarule train --data {data} --target COLUMN"
    else:
        splits = catalog.load(data, offline=True, label=label, announce=note)
    if splits is not None:
        content |= {"task": splits.train.task, "features": splits.train.n_features}
        content |= {"image_shape": splits.train.image_shape, "class_names": splits.train.class_names}
        for part, dataset in (("train", splits.train), ("test", splits.test)):
            content[f"{part}_examples"] = 0 if dataset is None else dataset.n_samples
            if dataset is not None and dataset.task == "classes":
                content[f"{part}_per_class"] = np.bincount(dataset.targets, minlength=dataset.n_outputs).tolist()
    facts = {key.replace("_", " "): in_words(value) for key, value in content.items() if key != "columns"}
    lines = [entry(key, value, indent=17) for key, value in (facts | shown | next_step).items()]
    print_result(content, "\n".join(lines), as_json=options.as_json)


def verify(options: VerifyOptions) -> None:
    """Print whether each file of a data set has its published SHA-256; DataError unless all do."""
    name = options.name
    states, lines = catalog.verify(name), []
    for each in states:
        lines += [f"missing  {each['file']}" if each["genuine"] is None else f"genuine  {each['genuine']}"]
        lines += [f"wrong    {problem}" for problem in each["wrong"]]
    text = "\n".join(map(in_a_line, lines)) or f"{name} comes with deltarule: there is nothing to verify"
    print_result(states, text, as_json=options.as_json)
    if (n_genuine := sum(each["genuine"] is not None for each in states)) < len(states):
        raise DataError(sentence("command.not_genuine", name=name, n_files=len(states), n_genuine=n_genuine))


def where(name: str) -> str:
    """The folder of a data set, "comes with deltarule", or NOT_HERE; only file names are looked at, not contents."""
    files = catalog.locate(name)
    is_ours = not catalog.describe(name).files
    return "comes with deltarule" if is_ours else str(files[0].parent) if files else NOT_HERE


def in_words(value: Any) -> str:
    """A value of `data info` as text: a list with commas, None as "-", a number with thousands separators."""
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else value
