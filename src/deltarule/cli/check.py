"""`deltarule check`: what is wrong with a program or a network."""

from functools import partial
from pathlib import Path

from deltarule.cli.options import CheckOptions, SubjectOptions
from deltarule.cli.printing import print_result, terminal_width
from deltarule.cli.resolve import is_model, refuse_changes, resolve, train_and_test
from deltarule.errors import DataError, SettingError, sentence
from deltarule.files.run_folder import HISTORY, MODEL, is_run, read_history
from deltarule.inspection.diagnosis.diagnose import diagnose_network, diagnose_training, history_findings
from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.learn.check import check_program
from deltarule.learn.code_files import find_program
from deltarule.learn.network_check import NetworkCheck
from deltarule.learn.report import ProgramCheck
from deltarule.model import Model
from deltarule.nn.penalties import Penalty

BATCH = slice(8)  # the first examples: more would show nothing new


def check(options: CheckOptions) -> None:
    """Print what is wrong with a program or a network; exit code 1 if something is, 2 for an unrecognized program."""
    is_network = any(Path(options.name, each).exists() for each in (MODEL, HISTORY)) or is_run(options.name)
    result: ProgramCheck | NetworkCheck
    program = None if is_network else find_program(options.name)
    if program is not None:
        if options.data or options.target or options.changes:
            raise SettingError(sentence("command.check_program", name=options.name))
        result = check_program(program, run=options.run, train=not options.no_train)
    elif options.run or options.no_train:
        raise SettingError(sentence("command.check_network", name=options.name))
    else:
        result = check_network(options)
    print_result(result.to_json_dict(), result.to_text(terminal_width()), as_json=options.as_json)
    if not result.ok:
        raise SystemExit(2 if result.ok is None else 1)


def check_network(options: SubjectOptions) -> NetworkCheck:
    """The findings about a network: a gradient check on a few examples, its run's history, and the network itself."""
    history = Diagnosis(())
    if Path(options.name).is_dir():
        refuse_changes(options.changes, options.name)
        rows = read_history(options.name)
        if len(rows) < 2:
            raise DataError(sentence("command.short_run", name=options.name, n_rows=len(rows), file=HISTORY))
        history = Diagnosis.of(history_findings(rows))
        if not is_model(options.name):
            return NetworkCheck(None, history)
    subject = resolve(options)
    if isinstance(subject, Model):
        train, test, _ = train_and_test(subject, options)
        train, test = subject.scaled(train), test and subject.scaled(test)
        network, penalty, diagnose = subject.inner, Penalty(), partial(diagnose_network, subject.inner)
    else:
        train, test = subject.train, subject.test and subject.model.scaled(subject.test)
        network, penalty = subject.trainer.network, subject.trainer.penalty
        diagnose = partial(diagnose_training, subject.trainer)
    batch = train.take(BATCH)
    gradient = gradcheck(network, batch.inputs, batch.targets, penalty=penalty)
    found = diagnose(train, test)
    known = {each.id for each in history}
    return NetworkCheck(gradient, Diagnosis.of([*history, *(each for each in found if each.id not in known)]))
