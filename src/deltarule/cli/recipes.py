"""`deltarule recipes`: the list of recipes, or one recipe."""

from msgspec import to_builtins

from deltarule.cli.options import RecipesOptions
from deltarule.cli.printing import entry, print_result
from deltarule.errors import SettingError
from deltarule.recipes import names, read
from deltarule.recipes.schema import Recipe


def recipes(options: RecipesOptions) -> None:
    """Print the list of recipes, or one of them."""
    if options.name is not None:
        recipe = read(options.name).with_changes(options.changes or ())
        print_result(to_builtins(recipe), recipe.to_toml().rstrip("\n"), as_json=options.as_json)
        return
    if options.changes:
        raise SettingError("--set changes one recipe: got none; name it: deltarule recipes quick --set epochs=2")
    every, rows, lines = [read(name) for name in names()], [], []
    for about, network, data in ((each.about, network_in_words(each), each.data.name) for each in every):
        more = {"expected": about.expected, "source": about.source}
        rows.append({"name": about.name, "network": network, "data": data} | more)
        told = entry("", "expected: {expected}. Source: {source}".format(**more), indent=2)
        lines.append(f"{about.name:<26}{network:<28}{data}\n{told}")
    print_result(rows, "\n".join(lines), as_json=options.as_json)


def network_in_words(recipe: Recipe) -> str:
    """A recipe's network in words: hidden sizes and activations, then that of the output: 512-256 relu, softmax."""
    network = recipe.network
    hidden = network.activation if isinstance(network.activation, list) else [network.activation]
    *hidden_names, output = (spec if isinstance(spec, str) else spec["name"] for spec in [*hidden, network.output])
    if not network.hidden:
        return output
    return f"{'-'.join(map(str, network.hidden))} {' '.join(hidden_names)}, {output}"
