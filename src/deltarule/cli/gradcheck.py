"""`deltarule gradcheck`: whether the gradient is the derivative of the loss, parameter by parameter."""

import typer

from deltarule.cli.options import SubjectOptions, with_options
from deltarule.cli.printing import print_result, terminal_width

BATCH = slice(8)  # the first examples: more say no more


@with_options(SubjectOptions)
def gradcheck(options: SubjectOptions) -> None:
    """Check the gradient against numeric derivatives.

    Every parameter is nudged, on a batch of 8 examples, in float64. The exit code is 1 where the two disagree.
    """
    from deltarule.cli.resolve import resolve, unseen_examples
    from deltarule.inspection.gradcheck import check
    from deltarule.model import Model
    from deltarule.nn.penalties import Penalty

    subject = resolve(options)
    if isinstance(subject, Model):
        examples = unseen_examples(subject, options)
        network, batch, penalty = subject.inner, subject.scaled(examples.take(BATCH)), Penalty()
    else:
        network, batch, penalty = subject.trainer.network, subject.train.take(BATCH), subject.trainer.penalty
    result = check.gradcheck(network, batch.inputs, batch.targets, penalty=penalty)
    print_result(result.to_json_dict(), result.to_text(terminal_width()), as_json=options.as_json)
    if not result.ok:
        raise typer.Exit(1)
