"""`deltarule recipes`: what there is to train, or what one recipe says."""

from typing import TYPE_CHECKING, Annotated

import typer

from deltarule.cli.options import AsJson, Changes
from deltarule.cli.printing import entry, print_json, print_text
from deltarule.errors import SettingError

if TYPE_CHECKING:
    from deltarule.recipes.schema import Recipe


def recipes(
    name: Annotated[
        str | None, typer.Argument(metavar="[RECIPE]", help="Print this one, as TOML to be changed.")
    ] = None,
    changes: Changes = None,
    as_json: AsJson = False,
) -> None:
    """List what there is to train, or print one recipe.

    The list says of each recipe its network (hidden layers, output), its data, the result to expect, and its source.
    """
    from msgspec import to_builtins

    from deltarule.recipes import names, read

    if name is not None:
        recipe = read(name).with_changes(changes or ())
        print_json(to_builtins(recipe)) if as_json else print_text(recipe.to_toml().rstrip("\n"))
        return
    if changes:
        raise SettingError("--set changes one recipe: got none; name it: deltarule recipes quick --set epochs=2")
    rows = [
        {
            "name": recipe.about.name,
            "network": network_in_words(recipe),
            "data": recipe.data.name,
            "expected": recipe.about.expected,
            "source": recipe.about.source,
        }
        for recipe in map(read, names())
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print_text(f"{row['name']:<26}{row['network']:<28}{row['data']}")
        print_text(entry("", f"expected: {row['expected']}. Source: {row['source']}", indent=2))


def network_in_words(recipe: "Recipe") -> str:
    """Hidden sizes and activations, then the output's: 512-256 relu, softmax."""
    network = recipe.network
    hidden = network.activation if isinstance(network.activation, list) else [network.activation]
    *hidden_names, output = (spec if isinstance(spec, str) else spec["name"] for spec in [*hidden, network.output])
    if not network.hidden:
        return output
    return f"{'-'.join(map(str, network.hidden))} {' '.join(hidden_names)}, {output}"
