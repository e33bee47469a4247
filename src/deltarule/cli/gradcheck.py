"""`deltarule gradcheck`: whether the gradient is the derivative of the loss, parameter by parameter."""

import shutil
from typing import TYPE_CHECKING

import typer

from deltarule.cli.options import AsJson, Changes, DataName, ModelOrRecipe, Offline, Target
from deltarule.cli.printing import print_json, print_text

if TYPE_CHECKING:
    from deltarule.inspection.gradcheck.check import GradientCheck

BATCH = slice(8)  # the first examples: more say no more


def gradcheck(
    name: ModelOrRecipe,
    data: DataName = None,
    target: Target = None,
    changes: Changes = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Check the gradient against numeric derivatives.

    Every parameter is nudged, on a batch of 8 examples, in float64. The exit code is 1 where the two disagree.
    """
    from deltarule.cli.found import names_model, refuse_changes

    if names_model(name):
        refuse_changes(changes, name)
        check = of_model(name, data, target, offline)
    else:
        check = of_recipe(name, data, target, offline, changes)
    print_json(check.to_json_dict()) if as_json else print_text(check.to_text(shutil.get_terminal_size().columns))
    if not check.ok:
        raise typer.Exit(1)


def of_model(name: str, data: str | None, target: str | None, offline: bool) -> "GradientCheck":
    """The check of a trained network, on examples that it has not seen."""
    from deltarule.cli.examples import unseen
    from deltarule.cli.found import found_model
    from deltarule.inspection.gradcheck import check

    model = found_model(name)[1]
    batch = model.scaled(unseen(model, data, target, offline).take(BATCH))
    return check.gradcheck(model.inner, batch.inputs, batch.targets)


def of_recipe(
    name: str, data: str | None, target: str | None, offline: bool, changes: list[str] | None
) -> "GradientCheck":
    """The check of a recipe's untrained network, its penalty included, on examples that it is to learn."""
    from deltarule.cli.examples import job_of
    from deltarule.inspection.gradcheck import check

    job = job_of(name, data, target, offline, changes)
    batch = job.train.take(BATCH)
    return check.gradcheck(job.trainer.network, batch.inputs, batch.targets, penalty=job.trainer.penalty)
