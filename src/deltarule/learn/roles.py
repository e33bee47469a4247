"""The roles of functions and arguments, by their names in roles.toml."""

import re
import tomllib
from functools import cache
from pathlib import Path

TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def plain(name: str) -> str:
    """A name in lower case without underscores."""
    return name.replace("_", "").casefold()


@cache
def role_of(name: str) -> str:
    """The role of a function with this name; "" if the name does not show one."""
    return first_row("functions", plain(name))


@cache
def argument_of(name: str) -> str:
    """The role of an argument or a name of the module; "" if the name does not show one."""
    return first_row("arguments", plain(name)).partition("_2")[0]


@cache
def first_row(table: str, name: str) -> str:
    """The name of the first row in a table of roles.toml whose expression matches the whole name; "" if none does."""
    return next((row for row, pattern in TABLES[table].items() if re.fullmatch(pattern, name)), "")


@cache
def parameter_kind(path: str) -> str:
    """The kind of the parameter or parameters with this name, attribute or key: "weights" or "biases"; else ""."""
    parts = [each for each in re.findall(r"\w+", path) if not each.isdigit()]
    if "[" in path:
        container = path.partition("[")[0].rpartition(".")[2].casefold().strip("_")
        if first_row("containers", container) == "others":
            return ""
    for part in reversed(parts):
        name, rows = part.casefold().strip("_"), TABLES["parameters"]
        if re.fullmatch(rows["never"], name) and name not in ("w", "b"):
            return ""
        kind = next((row for row in ("weights", "biases") if re.fullmatch(rows[row], name)), "")
        if kind:
            return kind
        if "[" not in path:
            return ""
    return ""


@cache
def is_start(source: str, function: str) -> bool:
    """Whether a statement creates a parameter, by its text or its function's name, instead of updating one."""
    target, _, value = source.casefold().partition("=")
    name = re.split(r"\.|\[['\"]?", target.strip())[-1].strip("]'\"")
    own = rf"({re.escape(target.strip())}|\b{re.escape(name)}\b).* [-+] "
    is_moved = target.endswith(("+", "-")) or re.search(own, value)  # w -= rate / n_samples
    return "init" in function or (not is_moved and bool(re.search(TABLES["parameters"]["start"], value)))


@cache
def number_in(name: str) -> int | None:
    """The number at the end of a name, usually that of a layer: 2 of W2, dW_2, params['W2']. None without one."""
    found = re.search(r"(\d+)\D*$", name)
    return int(found[1]) if found else None


@cache
def is_gradient(name: str, of: str = "biases") -> bool:
    """Whether a name is that of a gradient. of: of "biases", of "weights", or by z ("errors": delta)."""
    return first_row("gradients", f"{of} {name.casefold().replace('_', '').rpartition('.')[2]}") == of
