"""`deltarule gradcheck`: whether the gradient is the derivative of the loss, parameter by parameter."""

import typer

from deltarule.cli.options import GradcheckOptions
from deltarule.cli.printing import print_result, terminal_width
from deltarule.cli.resolve import load_examples, resolve
from deltarule.inspection.gradcheck import check
from deltarule.model import Model
from deltarule.nn.penalties import Penalty

BATCH = slice(8)  # the first examples: more say no more


def gradcheck(options: GradcheckOptions) -> None:
    """Compare the gradient with numeric derivatives and print the result; exit code 1 where the two disagree."""
    subject = resolve(options)
    if isinstance(subject, Model):
        examples = load_examples(subject, options)
        network, batch, penalty = subject.inner, subject.scaled(examples.take(BATCH)), Penalty()
    else:
        network, batch, penalty = subject.trainer.network, subject.train.take(BATCH), subject.trainer.penalty
    result = check.gradcheck(network, batch.inputs, batch.targets, penalty=penalty)
    print_result(result.to_json_dict(), result.to_text(terminal_width()), as_json=options.as_json)
    if not result.ok:
        raise typer.Exit(1)
