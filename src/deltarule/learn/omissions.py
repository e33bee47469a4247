"""How a program was read, in words: what was left out and why, and what was read differently."""

from collections.abc import Sequence

from deltarule.learn.code_files import Note, Place
from deltarule.learn.program import TABLES, Program
from deltarule.learn.sandbox import Failure

MOST_PLACES = 3


def omissions(program: Program) -> tuple[str, ...]:
    """One text for each reason why statements were left out, with their lines: "line 9 reads a file"."""
    places: dict[str, list[Place]] = {}
    for each in program.left_out:
        places.setdefault(each.why, []).append(each.place)
    places = {why: list(dict.fromkeys(found)) for why, found in places.items()}
    several = TABLES["several"]
    return tuple(
        f"{places_in_words(found)} {why if len(found) == 1 else several[why]}" for why, found in places.items()
    )


def notes(program: Program) -> tuple[str, ...]:
    """Texts on code that was read differently from how it is written: one for each kind, or for each syntax error."""
    groups: dict[tuple[str, str], list[Note]] = {}
    for note in program.notes:
        groups.setdefault((note.kind, note.says if note.kind in ("syntax", "twice") else ""), []).append(note)
    texts = []
    for (kind, says), found in groups.items():
        instead = ", ".join(dict.fromkeys(note.says for note in found))
        where = places_in_words([note.place for note in found])
        texts.append(TABLES["notes"][kind].format(places=where, instead=instead, says=says.partition("\n")[0]))
    return tuple(texts)


def omission_behind(program: Program, error: Failure | None) -> str:
    """A note if a NameError arises only because the statement that sets the name was left out; "" for other errors."""
    if error is not None and error.kind == "NameError":
        for each in program.left_out:
            for name in each.names:
                if repr(name) in error.message:
                    return TABLES["notes"]["missing"].format(name=name, place=places_in_words([each.place]))
    return ""


def stop_behind(program: Program, error: Failure | None) -> str:
    """A note on where a call was stopped by time, memory, exit, input or recursion; "" for other errors."""
    if error is None or not error.line or error.kind not in TABLES["stops"]:
        return ""
    return TABLES["stops"][error.kind].format(place=program.home(error.file).place(error.line))


def places_in_words(places: Sequence[Place]) -> str:
    """The first three places as text, and the number of others: "lines 3, 4, 7 and 2 more", "cell 2, line 3"."""
    unique = list(dict.fromkeys(places))  # a line may hold several statements
    shown = [str(each.line) if each.cell is None else f"{each.cell}:{each.line}" for each in unique[:MOST_PLACES]]
    if len(unique) == 1:
        return f"line {shown[0]}" if unique[0].cell is None else f"cell {unique[0].cell}, line {unique[0].line}"
    more = [f"{len(unique) - MOST_PLACES} more"] if len(unique) > MOST_PLACES else []
    *first, last = [*shown, *more]
    return f"{'lines' if unique[0].cell is None else 'cell:line'} {', '.join(first)} and {last}"
