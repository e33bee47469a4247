"""`deltarule diagnose`: why a network does not learn, or would not."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deltarule.cli.options import AsJson, Changes, DataName, ModelOrRecipe, Offline, Target
from deltarule.cli.printing import entry, print_json, print_text

if TYPE_CHECKING:
    from deltarule.inspection.diagnosis.findings import Diagnosis


def diagnose(
    name: ModelOrRecipe,
    data: DataName = None,
    target: Target = None,
    changes: Changes = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Say why a network does not learn, or would not.

    Faults, warnings and notes come each with their evidence in numbers and what to do. Of a recipe, data, starting
    weights and first steps are looked at; of a model, what it has become; of a run, its history, too.
    """
    from deltarule.cli.found import names_model, refuse_changes

    if Path(name).is_dir() or names_model(name):
        refuse_changes(changes, name)
    if Path(name).is_dir():
        found = of_run(name, data, target, offline)
    elif names_model(name):
        found = of_model(name, data, target, offline)
    else:
        found = of_recipe(name, data, target, offline, changes)
    if as_json:
        print_json(found.to_json_list())
    else:
        print_text(shown(found))


def shown(diagnosis: "Diagnosis") -> str:
    """A diagnosis in lines that fit the terminal."""
    return diagnosis.to_text(shutil.get_terminal_size().columns)


def looked(at: str, diagnosis: "Diagnosis") -> str:
    """What was looked at, and what was found."""
    if not diagnosis:
        return entry("looked", f"at {at}: nothing wrong was found")
    return f"{entry('looked', f'at {at}:')}\n{shown(diagnosis)}"


def of_recipe(name: str, data: str | None, target: str | None, offline: bool, changes: list[str] | None) -> "Diagnosis":
    """What is wrong with a recipe before it is carried out."""
    from deltarule.cli.examples import job_of
    from deltarule.inspection.diagnosis.diagnose import diagnose_training

    job = job_of(name, data, target, offline, changes)
    return diagnose_training(job.trainer, job.train, None if job.test is None else job.model.scaled(job.test))


def of_model(name: str, data: str | None, target: str | None, offline: bool) -> "Diagnosis":
    """What is wrong with a trained network."""
    from deltarule.cli.examples import parts
    from deltarule.cli.found import found_model
    from deltarule.inspection.diagnosis.diagnose import diagnose_network

    model = found_model(name)[1]
    train, test, _ = parts(model, data, target, offline)
    return diagnose_network(model.inner, model.scaled(train), None if test is None else model.scaled(test))


def of_run(folder: str, data: str | None, target: str | None, offline: bool) -> "Diagnosis":
    """What is wrong with a run: its history, and the network that it made, where there is one already."""
    from deltarule.cli.found import names_model
    from deltarule.errors import DataError
    from deltarule.files.run_folder import HISTORY, read_history
    from deltarule.inspection.diagnosis.findings import Diagnosis
    from deltarule.inspection.diagnosis.run_findings import history_findings

    rows = read_history(folder)
    if len(rows) < 2:
        raise DataError(f"{folder}: an epoch after epoch 0 is needed: got {len(rows)} rows in {HISTORY}; train longer")
    found = list(history_findings(rows))
    if names_model(folder):
        known = {each.id for each in found}
        found += [each for each in of_model(folder, data, target, offline) if each.id not in known]
    return Diagnosis.of(found)
