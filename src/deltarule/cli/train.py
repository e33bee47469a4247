"""`deltarule train`: train a network, save it, and test it."""

from deltarule.cli.options import TrainOptions, with_options


@with_options(TrainOptions)
def train(options: TrainOptions) -> None:
    """Train a network, save it, and test it on new examples.

    With nothing else: the recipe `default` on MNIST's 60,000 handwritten digits, in a minute or less.

    \b
    Examples:
      deltarule train quick --epochs 2 --out quick.safetensors
      deltarule train --learning-rate 0.003 --set network.hidden=100,50
      deltarule train --data houses.csv --target price --missing mean
      deltarule train --data pictures --size 28 --run kept
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.training_run import carry_out

    carry_out(options)
