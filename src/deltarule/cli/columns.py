"""The columns of a table in words, and the categories that a network cannot learn about."""

from collections.abc import Sequence

from deltarule.data.columns import Column
from deltarule.nn.arrays import Array

MOST_NAMED = 12


def columns_in_words(columns: Sequence[Column]) -> str:
    """How many there are, what they hold, and how many numbers a network reads of them."""
    n_inputs = sum(len(column.input_names) for column in columns)
    numbers = [column.name for column in columns if not column.categories]
    texts = [f"{each.name} ({len(each.categories)} categories)" for each in columns if each.categories]
    kinds = [f"{names_in_words(names)} as {what}" for what, names in (("numbers", numbers), ("text", texts)) if names]
    are, inputs = "is" if len(columns) == 1 else "are", "input" if n_inputs == 1 else "inputs"
    return f"{len(columns):,}, which {are} {n_inputs:,} {inputs}: {'; '.join(kinds)}"


def never_seen(columns: Sequence[Column], inputs: Array) -> list[str]:
    """The categories that no row holds of those to learn from, `inputs`, (n_samples, inputs), as `encoded` has them."""
    kinds = [(name, bool(column.categories)) for column in columns for name in column.input_names]
    return [name for k, (name, is_text) in enumerate(kinds) if is_text and not inputs[:, k].any()]


def names_in_words(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
