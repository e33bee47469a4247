"""`deltarule diagnose`: why a network does not learn, or would not."""

from pathlib import Path

from deltarule.cli.options import DiagnoseOptions
from deltarule.cli.printing import entry, print_result, terminal_width
from deltarule.cli.resolve import is_model, refuse_changes, resolve, train_and_test
from deltarule.errors import DataError, sentence
from deltarule.files.run_folder import HISTORY, read_history
from deltarule.inspection.diagnosis.diagnose import diagnose_network, diagnose_training, history_findings
from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.model import Model


def diagnose(options: DiagnoseOptions) -> None:
    """Print what is wrong with a recipe, a model or a run: with its history first, where it has one."""
    name, found = options.name, Diagnosis(())
    if is_run := Path(name).is_dir():
        refuse_changes(options.changes, name)
        rows = read_history(name)
        if len(rows) < 2:
            raise DataError(sentence("command.short_run", name=name, n_rows=len(rows), file=HISTORY))
        found = Diagnosis.of(history_findings(rows))
    if not is_run or is_model(name):
        subject, known = resolve(options), {each.id for each in found}
        if isinstance(subject, Model):
            train, test, _ = train_and_test(subject, options)
            more = diagnose_network(subject.inner, subject.scaled(train), test and subject.scaled(test))
        else:
            test = subject.test and subject.model.scaled(subject.test)
            more = diagnose_training(subject.trainer, subject.train, test)
        found = Diagnosis.of([*found, *(each for each in more if each.id not in known)])
    print_result(found.to_json_list(), found.to_text(terminal_width()), as_json=options.as_json)


def diagnosis_note(place: str, diagnosis: Diagnosis) -> str:
    """What a look at some place has found, in lines that fit the terminal."""
    if not diagnosis:
        return entry("looked", f"at {place}: nothing wrong was found")
    return f"{entry('looked', f'at {place}:')}\n{diagnosis.to_text(terminal_width())}"
