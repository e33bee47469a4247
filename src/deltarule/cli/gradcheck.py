"""`deltarule gradcheck`: whether the gradient is the derivative of the loss, parameter by parameter."""

import shutil

import typer

from deltarule.cli.options import SubjectOptions, with_options
from deltarule.cli.printing import print_json, print_text

BATCH = slice(8)  # the first examples: more say no more


@with_options(SubjectOptions)
def gradcheck(options: SubjectOptions) -> None:
    """Check the gradient against numeric derivatives.

    Every parameter is nudged, on a batch of 8 examples, in float64. The exit code is 1 where the two disagree.
    """
    from deltarule.cli.resolve import resolve, unseen_examples
    from deltarule.inspection.gradcheck.check import gradcheck as check
    from deltarule.model import Model
    from deltarule.nn.penalties import Penalty

    subject = resolve(options)
    if isinstance(subject, Model):
        examples = unseen_examples(subject, options)
        network, batch, penalty = subject.inner, subject.scaled(examples.take(BATCH)), Penalty()
    else:
        network, batch, penalty = subject.trainer.network, subject.train.take(BATCH), subject.trainer.penalty
    result = check(network, batch.inputs, batch.targets, penalty=penalty)
    if options.as_json:
        print_json(result.to_json_dict())
    else:
        print_text(result.to_text(shutil.get_terminal_size().columns))
    if not result.ok:
        raise typer.Exit(1)
