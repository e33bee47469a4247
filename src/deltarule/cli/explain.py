"""`deltarule explain`: what it can be asked. `explaining.py` carries it out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deltarule.cli.options import AsJson, Changes, DataName, ModelOrRecipe, Offline, Target, taken_apart


@dataclass(frozen=True, eq=False, repr=False)
class ExplainOptions:
    """What `deltarule explain` was asked for."""

    name: ModelOrRecipe
    data: DataName = None
    example: Annotated[
        int | None,
        typer.Option(metavar="N", help="Which of the data, counted from 0; else one that costs much."),
    ] = None
    image: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An image of your own, or rows of numbers, instead of --data."),
    ] = None
    label: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="With --image: what it is; else what the network takes it for."),
    ] = None
    layer: Annotated[int | None, typer.Option(metavar="L", help="The layer of --neuron, from 0; else 0.")] = None
    neuron: Annotated[
        int | None,
        typer.Option(metavar="J", help="The neuron to show in full, from 0; else that with the largest error."),
    ] = None
    equation: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="One equation alone, with symbols, code and proof: forward, C, BP1 to BP4, update, "
            "BP1-softmax, BP1-sigmoid.",
        ),
    ] = None
    target: Target = None
    changes: Changes = None
    offline: Offline = False
    as_json: AsJson = False


@taken_apart(ExplainOptions)
def explain(options: ExplainOptions) -> None:
    """Follow one example through a network and back.

    Every number is shown: forward pass, loss, the four equations, a step. And every number is checked.

    \b
    Examples:
      deltarule explain model.safetensors --example 3 --neuron 7
      deltarule explain pretrained --image photo.jpg --label 4 --equation BP2
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.explaining import carry_out

    carry_out(options)
