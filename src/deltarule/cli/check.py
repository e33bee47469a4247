"""`deltarule check`: what is wrong with a program or a network."""

from pathlib import Path

from deltarule.cli.options import CheckOptions, SubjectOptions
from deltarule.cli.printing import print_result, terminal_width
from deltarule.cli.resolve import is_model, load_examples, refuse_changes, resolve, train_and_test
from deltarule.errors import DataError, SettingError, sentence
from deltarule.files.run_folder import HISTORY, MODEL, is_run, read_history
from deltarule.inspection.diagnosis.diagnose import diagnose_network, diagnose_training, history_findings
from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.inspection.gradcheck import check as gradient_check
from deltarule.learn.check import check_program
from deltarule.learn.code_files import find_program
from deltarule.learn.network_check import NetworkCheck
from deltarule.learn.report import ProgramCheck
from deltarule.model import Model
from deltarule.nn.penalties import Penalty
from deltarule.recipes.build import Job

BATCH = slice(8)  # the first examples: more say no more


def check(options: CheckOptions) -> None:
    """Print what is wrong with a program or a network; exit code 1 where something is, 2 for an unknown program."""
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
        subject, history = subject_and_history(options)
        gradient = None if subject is None else gradient_of(subject, options)
        result = NetworkCheck(gradient, findings(subject, history, options))
    print_result(result.to_json_dict(), result.to_text(terminal_width()), as_json=options.as_json)
    if not result.ok:
        raise SystemExit(2 if result.ok is None else 1)


def subject_and_history(options: SubjectOptions) -> tuple[Model | Job | None, Diagnosis]:
    """The network that a command names, if there is one, and what is found in the history of a run."""
    if not Path(options.name).is_dir():
        return resolve(options), Diagnosis(())
    refuse_changes(options.changes, options.name)
    rows = read_history(options.name)
    if len(rows) < 2:
        raise DataError(sentence("command.short_run", name=options.name, n_rows=len(rows), file=HISTORY))
    return resolve(options) if is_model(options.name) else None, Diagnosis.of(history_findings(rows))


def gradient_of(subject: Model | Job, options: SubjectOptions) -> gradient_check.GradientCheck:
    """The check of a network's gradient on a few examples."""
    if isinstance(subject, Model):
        examples = load_examples(subject, options)
        network, batch, penalty = subject.inner, subject.scaled(examples.take(BATCH)), Penalty()
    else:
        network, batch, penalty = subject.trainer.network, subject.train.take(BATCH), subject.trainer.penalty
    return gradient_check.gradcheck(network, batch.inputs, batch.targets, penalty=penalty)


def findings(subject: Model | Job | None, history: Diagnosis, options: SubjectOptions) -> Diagnosis:
    """What the history of a run has shown, and what a look at its network adds."""
    if subject is None:
        return history
    if isinstance(subject, Model):
        train, test, _ = train_and_test(subject, options)
        more = diagnose_network(subject.inner, subject.scaled(train), test and subject.scaled(test))
    else:
        test = subject.test and subject.model.scaled(subject.test)
        more = diagnose_training(subject.trainer, subject.train, test)
    known = {each.id for each in history}
    return Diagnosis.of([*history, *(each for each in more if each.id not in known)])
