"""`deltarule plot`: what it can be asked. `pictures.py` finds what there is to draw."""

from dataclasses import dataclass
from typing import Annotated

import typer

from deltarule.cli.options import AsJson, Changes, DataName, Force, Offline, Out, Target, taken_apart
from deltarule.errors import SettingError


@dataclass(frozen=True, eq=False, repr=False)
class PlotOptions:
    """What `deltarule plot` was asked for."""

    kind: Annotated[str, typer.Argument(metavar="KIND", help="One of those above.")]
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL|RUN]", help="A file, the folder of a run, or pretrained; for rates a recipe, too."
        ),
    ] = None
    out: Out = None
    data: DataName = None
    target: Target = None
    layer: Annotated[
        int | None, typer.Option(metavar="L", help="From 0; else histograms show all layers, staircase the last.")
    ] = None
    changes: Changes = None
    force: Force = False
    offline: Offline = False
    as_json: AsJson = False


@taken_apart(PlotOptions)
def plot(options: PlotOptions) -> None:
    """Draw a picture of a run or a model, or print its numbers.

    \b
    Of a run's folder, which `deltarule train --run FOLDER` makes:
      curves        loss and accuracy by epoch
      histograms    weights, activations, deltas, gradients by layer and epoch
      gradients     gradient norm and update ratio by layer and epoch
      surface       the loss as a landscape, and the path of descent on it

    \b
    Of a model and the examples to judge it by:
      confusion     what is taken for what
      scores        recall of each class, with its 95 % interval, and precision
      mistakes      the images that it was most confidently wrong about
      reliability   whether its probabilities keep their word
      staircase     along one weight, the loss is smooth and accuracy a staircase
      digits        a sheet of examples and its answers; no MODEL, no answers

    \b
    Of a model:
      weights       what the neurons of the first layer look for
      architecture  the network as a diagram
      activations   its activations and their derivatives; no MODEL: all

    \b
    Of a model, a run or a recipe:
      rates         a learning-rate range test, which trains for 150 steps

    \b
    Examples:
      deltarule plot curves kept --out curves.png
      deltarule plot mistakes model.safetensors --out mistakes.png
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.pictures import found
    from deltarule.cli.printing import in_a_line, print_json, print_text
    from deltarule.cli.results import check_picture_place, inputs_of, write_picture

    if options.out is None and not options.as_json:
        raise SettingError("a picture needs a file to go to: give --out FILE, or --json for its numbers")
    if options.out is not None:
        inputs = inputs_of(options.name, options.data)
        check_picture_place(options.out, force=options.force, inputs=inputs, option="--out")
    drawing = found(options)
    if options.out is not None:
        picture = drawing.draw()
        write_picture(picture, options.out, force=options.force)
        if not options.as_json:
            print_text(in_a_line(f"{options.out}: {picture.description}"))
    if options.as_json:
        print_json({"kind": options.kind} | drawing.facts)
