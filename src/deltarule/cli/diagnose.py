"""`deltarule diagnose`: why a network does not learn, or would not."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from deltarule.cli.options import SubjectOptions, with_options
from deltarule.cli.printing import entry, print_result, terminal_width

if TYPE_CHECKING:
    from deltarule.inspection.diagnosis.findings import Diagnosis, Finding


@with_options(SubjectOptions)
def diagnose(options: SubjectOptions) -> None:
    """Say why a network does not learn, or would not.

    Faults, warnings and notes come each with their evidence in numbers and what to do. Of a recipe, data, starting
    weights and first steps are looked at; of a model, what it has become; of a run, its history, too.
    """
    from deltarule.cli.resolve import is_model, refuse_changes
    from deltarule.inspection.diagnosis.findings import Diagnosis

    findings: list[Finding] = []
    if is_run := Path(options.name).is_dir():
        refuse_changes(options.changes, options.name)
        findings += run_findings(options.name)
    if not is_run or is_model(options.name):
        known = {each.id for each in findings}
        findings += [each for each in network_findings(options) if each.id not in known]
    diagnosis = Diagnosis.of(findings)
    print_result(diagnosis.to_json_list(), diagnosis.to_text(terminal_width()), as_json=options.as_json)


def run_findings(folder: str) -> "Iterable[Finding]":
    """What the history of a run shows."""
    from deltarule.errors import DataError
    from deltarule.files.run_folder import HISTORY, read_history
    from deltarule.inspection.diagnosis.run_findings import history_findings

    rows = read_history(folder)
    if len(rows) < 2:
        raise DataError(f"{folder}: an epoch after epoch 0 is needed: got {len(rows)} rows in {HISTORY}; train longer")
    return history_findings(rows)


def network_findings(options: SubjectOptions) -> "Iterable[Finding]":
    """What is wrong with a trained network, or with a recipe before it is carried out."""
    from deltarule.cli.resolve import resolve, train_and_test
    from deltarule.inspection.diagnosis.diagnose import diagnose_network, diagnose_training
    from deltarule.model import Model

    subject = resolve(options)
    if isinstance(subject, Model):
        train, test, _ = train_and_test(subject, options)
        return diagnose_network(subject.inner, subject.scaled(train), subject.scaled(test) if test else None)
    test = subject.test and subject.model.scaled(subject.test)
    return diagnose_training(subject.trainer, subject.train, test)


def diagnosis_note(place: str, diagnosis: "Diagnosis") -> str:
    """What a look at some place has found, in lines that fit the terminal."""
    if not diagnosis:
        return entry("looked", f"at {place}: nothing wrong was found")
    return f"{entry('looked', f'at {place}:')}\n{diagnosis.to_text(terminal_width())}"
