"""`deltarule learn`: write a network yourself, function by function; grade what others wrote."""

import time
from pathlib import Path
from typing import Any

from deltarule.cli.options import LearnOptions
from deltarule.cli.printing import entry, note, percent, print_result, print_text, table_text, tell
from deltarule.errors import SettingError
from deltarule.learn.lessons.course import BROKEN, FILE, Course, Mark, read_file
from deltarule.learn.lessons.exercises import Exercise, find_exercise, says, steps
from deltarule.learn.lessons.grade import class_report, grade_folders, mark_text, write_tests
from deltarule.learn.lessons.milestones import MILESTONES, attain, still_missing
from deltarule.learn.lessons.worker import Worker

SHOWN = ("id", "number", "title", "says", "equation_text", "signature")  # what --json prints of a step
DEFAULT = "my-network"
WORDS = ("check", "hint", "solution", "train", "watch", "help", "start")  # not names for a new folder: probably options
SHOWN_LINES = 3  # of what a learner's function prints
POLL_SECONDS = 0.03  # how often --watch looks whether a file was saved


def learn(options: LearnOptions) -> None:
    """Show what is right in the learner's code and what comes next; or, by option, hint, train, watch or grade."""
    words = options.words or []
    with Worker() as worker:
        if words[:1] == ["grade"]:
            grade(words[1:], options, worker)
            return
        if len(words) > 1:
            raise SettingError(says("learn.words", words=" ".join(words)))
        word = words[0] if words else ""
        is_step = word.isdigit() or any(word == step.id for step in steps())
        if (is_step or word in WORDS) and not Path(word).is_dir():
            raise SettingError(says("learn.number" if is_step else "learn.command", word=word))
        course = Course(Path(word) if words else Path() if Path(FILE).exists() else Path(DEFAULT))
        course.open()
        if options.watch:
            watch(course, worker)
            return
        wanted = find_exercise(options.step) if options.step else None
        marks = [] if wanted and (options.hint or options.solution) else course.marks(worker)
        for path in course.created:
            tell("written", str(path))
        current = wanted or next((mark.exercise for mark in marks if mark.state != "right"), None)
        if options.train:
            train(course, worker, marks or course.marks(worker))
        elif options.hint or options.solution:
            help_with(course, current, options)
        else:
            if wanted is None:
                facts: dict[str, Any] = {"folder": str(course.folder), "next": current and current.id}
                facts |= {"trained": course.milestones, "exercises": [mark.to_json_dict() for mark in marks]}
                text = overview_text(course, marks, current)
            else:
                marks = [mark for mark in marks if mark.exercise == wanted]  # none without a file
                facts = {name: getattr(wanted, name) for name in SHOWN} | {"state": marks[0].state if marks else None}
                states = [says("learn.verdict", file=course.path_of(wanted).name, state=mark.state) for mark in marks]
                text = "\n\n".join([exercise_text(wanted), *states, *finding_texts(course, marks)])
            print_result(facts, text, as_json=options.as_json)
            if any(mark.state in ("wrong", "refused") and not mark.exercise.faulty for mark in marks):
                raise SystemExit(1)


def help_with(course: Course, exercise: Exercise | None, options: LearnOptions) -> None:
    """Print the next hint for an exercise, or its solution; exercise is None if all are right."""
    facts: dict[str, Any] | None = None
    if exercise is None:
        text = says("learn.all_right")
    elif options.solution:
        text = exercise.solution if not exercise.faulty else f"{', '.join(exercise.faulty)}: {exercise.says}"
        facts = {"id": exercise.id, "solution": text}
    else:
        number, hint = course.hint(exercise)
        facts = {"id": exercise.id, "number": number, "hint": hint}
        words, *code = hint.strip().split("\n")
        text = "\n".join([entry(f"hint {number}", words), *(f"         {line}".rstrip() for line in code)])
    print_result(facts, text.rstrip("\n"), as_json=options.as_json)


def exercise_text(exercise: Exercise, *, is_guessed: bool = False) -> str:
    """The text of an exercise: title, why, equation, signature. is_guessed: the learner found a network's mistake."""
    if exercise.faulty:
        key = "learn.guessed" if is_guessed else "learn.repair"
        return entry("repair", says(key, number=exercise.number, title=exercise.title))
    lines = [f"Step {exercise.number}: {exercise.title}", "", entry("", exercise.says, 2), ""]
    lines += [f"    {line}" for line in exercise.equation_text.splitlines()]
    return "\n".join([*lines, "", *(f"  {line}".rstrip() for line in exercise.signature.strip().splitlines())])


def overview_text(course: Course, marks: list[Mark], current: Exercise | None) -> str:
    """The text that shows which exercises are right, then what comes next, and at the end what is wrong."""
    words = {"right": "repaired", "wrong": "broken"}
    states = [words.get(mark.state, mark.state) if mark.exercise.faulty else mark.state for mark in marks]
    rows = zip([mark.exercise for mark in marks], states, strict=True)
    lines, n_steps = [f"{each.number:>3}  {state:<9} {each.title}" for each, state in rows], len(steps())
    parts = ["\n".join(lines[:n_steps])]
    if lines[n_steps:]:
        parts.append("\n".join([says("learn.broken"), *lines[n_steps:]]))
    n_right = sum(mark.state == "right" for mark in marks[:n_steps])
    parts.append(says("learn.count", n=n_right, verb="is" if n_right == 1 else "are", steps=n_steps, file=course.file))
    if n_right == n_steps:
        parts.append(says("learn.steps_right" if current else "learn.all_right", folder=course.folder / BROKEN))
    waiting = [each.name for each in MILESTONES if each.name not in course.milestones]
    if waiting and not still_missing(marks):
        parts.append(says("learn.train", names=", ".join(waiting), folder=course.folder))
    if current is not None:
        is_guessed = any(mark.exercise is current and mark.is_guessed for mark in marks)
        parts += [exercise_text(current, is_guessed=is_guessed), says("learn.next", folder=course.folder)]
    return "\n\n".join([*parts, *finding_texts(course, marks)])


def finding_texts(course: Course, marks: list[Mark]) -> list[str]:
    """Texts on what is wrong or half done, whether a guess is right, what was repaired, and what functions printed."""
    texts = dict[str, str]()
    for mark in marks:
        step = mark.exercise
        is_half = mark.fault is not None and mark.fault.is_half
        if mark.words != says("repair.no_guess") if step.faulty else is_half or mark.state in ("wrong", "refused"):
            is_whole = step.faulty or (mark.fault is not None and not mark.fault.function)
            name = course.path_of(step).name if is_whole else str(step.number)
            texts.setdefault(mark.words, entry(name, mark.words, 12))
        if mark.printed.strip() and mark.state != "right" and not step.faulty:
            lines = ["".join(filter(str.isprintable, line))[:100] for line in mark.printed.splitlines()[:SHOWN_LINES]]
            texts[step.id] = "\n            ".join([says("learn.printed", number=step.number), *lines])
    return list(texts.values())


def train(course: Course, worker: Worker, marks: list[Mark]) -> None:
    """Train the learner's own network on every milestone; exit code 1 if one is missed or a step is wrong."""
    if missing := still_missing(marks):
        print_text(missing)
        raise SystemExit(1)
    source, is_reached = read_file(course.file).source, True
    for milestone in MILESTONES:
        result = attain(milestone, source, worker, show_epoch)
        name = result.milestone.name
        if result.is_reached:
            course.keep("milestones", milestone.name, result.accuracies[-1])
        is_reached &= result.is_reached
        stands_in = says("learn.stands_in") if name != milestone.name else ""
        reached = percent(result.accuracies[-1]) if result.accuracies else "-"
        goal = f"{100 * result.milestone.reach:g} %"
        words = {"name": name, "reached": reached, "reach": goal, "problem": result.problem}
        key = "reached" if result.is_reached else "missed"
        print_text(entry(name, " ".join(filter(None, [says(f"learn.{key}", **words), stands_in]))))
    if not is_reached:
        raise SystemExit(1)


def show_epoch(number: int, accuracy: float) -> None:
    """Tell on stderr how far training is."""
    note(f"  epoch {number:>2}  accuracy {percent(accuracy)}")


def watch(course: Course, worker: Worker) -> None:
    """Check the learner's code whenever a file of the course is saved, until Ctrl-C."""
    seen: dict[Path, int] = {course.file: 0}
    print_text(says("learn.watching", file=course.file))
    while True:
        paths = [course.file, *(course.folder / BROKEN).glob("*.py")]
        now = {path: path.stat().st_mtime_ns for path in paths if path.exists()}
        if now != seen and course.file in now:
            start = time.perf_counter()
            print_text(watch_text(course.marks(worker), start))
        elif now != seen and course.file in seen:
            print_text(says("learn.gone", file=course.file))
        seen = now
        time.sleep(POLL_SECONDS)


def watch_text(marks: list[Mark], start: float) -> str:
    """A line with how many steps and repairs are right, the first that is not, and the seconds since `start`."""
    counts = []
    for word, part in (("steps", marks[: len(steps())]), ("repairs", marks[len(steps()) :])):
        counts += [f"{sum(mark.state == 'right' for mark in part)} of {len(part)} {word}"] if part else []
    first, what = next((mark for mark in marks if mark.state != "right"), None), says("learn.all_right")
    if first is not None:
        step, kind = first.exercise, "repair" if first.exercise.faulty else "step"
        what = says("learn.first", kind=kind, number=step.number, title=step.title, mark=mark_text(first))
    return entry(f"{', '.join(counts)}  ", f"{what}  ({time.perf_counter() - start:.2f} s)")


def grade(words: list[str], options: LearnOptions, worker: Worker) -> None:
    """Grade a folder or a whole class, or write tests for other grading tools."""
    for path in write_tests(options.tests, options.secret or "") if options.tests is not None else ():
        tell("written", str(path))
    if options.tests is not None and not words:
        return
    if len(words) != 1:
        raise SettingError(says("learn.grade_words"))
    grades = grade_folders(Path(words[0]), worker, options.secret or "", options.student or "")
    if (Path(words[0]) / FILE).is_file():
        facts = grades[0].to_json_dict()
        lines = [f"{test['score']:>3} / {test['max_score']}  {test['name']}" for test in facts["tests"]]
        lines = [f"{line}\n{entry('', test['output'], 9)}" for line, test in zip(lines, facts["tests"], strict=True)]
        print_result(facts, "\n".join([*lines, facts["output"]]), as_json=options.as_json)
        return
    report = class_report(grades)
    rows = [{"student": each.student, "points": str(each.score), "slips": str(len(each.slips))} for each in grades]
    right = [{"step": word, "right": f"{n} of {len(grades)}"} for word, n in report["steps"].items()]
    slips = [(slip["students"], slip["says"]) for slip in report["slips"]]
    texts = [entry(f"{len(students)} x", f"{slip} ({', '.join(students)})", 5) for students, slip in slips]
    print_result(report, "\n\n".join([table_text(rows), table_text(right), *texts]), as_json=options.as_json)
