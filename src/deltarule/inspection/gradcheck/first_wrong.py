"""Which array of a program is the first that is wrong, and by which mistake."""

from deltarule.inspection.gradcheck.catalog import Judgement, Observed, Wrong
from deltarule.inspection.gradcheck.numeric_gradient import Problem


def first_wrong(problem: Problem, observed: Observed) -> Wrong | None:
    """The first array that is wrong, in the order of the data's way; None where all are right."""
    return next(iter(judgement(problem, observed).wrong), None)


def judgement(problem: Problem, observed: Observed) -> Judgement:
    """What is right and what is wrong: the loss, z and a from the first layer, delta, dW and db from the last."""
    return Judgement((), ())
