"""`deltarule recipes`: what there is to train, or what one recipe says."""

from typing import TYPE_CHECKING, Annotated

import typer

from deltarule.cli.options import AsJson
from deltarule.cli.output import print_json, print_table

if TYPE_CHECKING:
    from deltarule.recipes.schema import Recipe


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="RECIPE", help="Print this one, as TOML to be changed.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what there is to train: network, data, expected result, source. Or print one recipe."""
    from msgspec import to_builtins

    from deltarule.recipes import names, read

    if name is not None:
        recipe = read(name)
        print_json(to_builtins(recipe)) if as_json else typer.echo(recipe.to_toml(), nl=False)
        return
    rows = [summary(read(each)) for each in names()]
    print_json(rows) if as_json else print_table(rows)


def summary(recipe: "Recipe") -> dict[str, str]:
    """A recipe in a row."""
    return {
        "name": recipe.about.name,
        "network": network_in_words(recipe),
        "data": recipe.data.name,
        "expected": recipe.about.expected,
        "source": recipe.about.source,
    }


def network_in_words(recipe: "Recipe") -> str:
    """ "512-256 relu, softmax": hidden sizes and activations, then the output's."""
    network = recipe.network
    activations = network.activation if isinstance(network.activation, list) else [network.activation]
    words = [spec if isinstance(spec, str) else spec["name"] for spec in [*activations, network.output]]
    *hidden, output = words
    if not network.hidden:
        return output
    return f"{'-'.join(map(str, network.hidden))} {' '.join(hidden)}, {output}"
