"""What every command has in common: its help, advice on a wrong name, and errors, which become exit codes.

In the help, arguments are called what they are called here: newer versions of Typer put braces around them, and the
names of Python's types behind them. For an option that a command does not have, the error names the one that is meant,
or the setting of a recipe.
"""

import difflib
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

from typer import Exit
from typer.core import TyperCommand, TyperGroup

from deltarule.cli.printing import note, paragraph
from deltarule.elsewhere import words
from deltarule.errors import DeltaruleError, SettingError, ShapeError, closest, sentence

# Exit code 2: ask otherwise, as after an option, a name or a file of a kind that is not read. Any other error of ours
# is 1: the job failed, as after a damaged file.
FLAGS = {"v": "--version", "version": "--version", "h": "--help", "help": "--help"}  # by what else they are called
SPEC = re.compile(r"(optimizer|schedule|penalty) (\w+) (?:needs|has) .*use (\{.*\})")  # as a program writes it
WRONG_USE = (SettingError, ShapeError)


def error_message(error: BaseException) -> str:
    """What went wrong, for people; an error of the system says which file it is about."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, DeltaruleError):
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    says = str(error).replace("force=True", "--force")  # what a program passes is an option here
    says = says.replace(words()["rate_of_fit"].format(kind="Adam"), words()["rate_of_recipe"])
    if found := SPEC.match(says):
        key, change = f"training.{found[1]}", re.sub(r'"(\w+)": ', r"\1 = ", found[3])
        own = "" if "needs" in says else f"--set {key}={found[2]} alone, or "
        says = says.replace(found[3], f"{own}--set '{key}={change}'")
    return says or ("there is not enough memory" if isinstance(error, MemoryError) else type(error).__name__)


class Group(TyperGroup):
    """Commands. What goes wrong in one becomes a paragraph on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (DeltaruleError, OSError, MemoryError) as error:
            note(paragraph(f"Error: {error_message(error)}"))
            raise Exit(2 if isinstance(error, WRONG_USE) else 1) from error

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        (word, *rest), path = args, ctx.command_path
        meant, flag = [each for each in rest if each in self.commands][:1], FLAGS.get(word.lstrip("-").casefold())
        if word not in self.commands and (flag or word.startswith("-")):
            line = [flag] if flag else [word, *(each for each in rest if each not in meant)] if meant else ["--help"]
            what = "option" if word.startswith("-") else "command"
            raise SettingError(f"{path} has no {what} {word!r}: use {' '.join([path, shlex.join([*meant, *line])])}")
        if word not in self.commands:
            shown = [name for name, each in self.commands.items() if not each.hidden]
            offer = closest(args[0], shown, words()["commands"])
            raise SettingError(sentence("command.no_command", group=ctx.command_path, name=args[0], offer=offer))
        return super().resolve_command(ctx, args)


class Command(TyperCommand):
    """A command whose help is for people who do not know Python. An argument's metavar is the whole of its name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given, ctx.allow_extra_args = list(args), True  # what is left is answered here
        for before, key, value in zip(given, given[1:], given[2:], strict=False):
            if before == "--set" and not ("=" in key or key.startswith("-") or value.startswith("--")):
                raise SettingError(sentence("command.no_change", name=key, value=value))
        try:
            left = super().parse_args(ctx, args)
        except Exception as error:
            if not hasattr(error, "format_message"):  # which a UsageError has, a name that is Typer's own
                raise
            raise SettingError(self.answer(error, given, ctx.command_path)) from None
        if left:
            raise SettingError(self.surplus(left[0], given, ctx.command_path))
        return left

    def answer(self, error: Any, given: list[str], path: str) -> str:
        """The message for an option that does not exist, a wrong value, or one that is missing."""
        wrong: str = getattr(error, "option_name", "")
        of_name = next((each for each in self.params if wrong and wrong in each.opts), None)
        parameter: Any = getattr(error, "param", None) or of_name
        if hasattr(error, "possibilities"):
            advice = self.advice(wrong, given)
            joint = " " if advice.endswith("?") else "; "
            return f"{self.name} has no option {wrong}: {advice}{joint}{path} --help  lists its options"
        if parameter is None or "; use " in error.message:
            return str(error.message)
        option, examples = parameter.opts[0], words()["examples"]
        name, works = parameter.metavar, examples.get(path, f"{path} pretrained")
        if option.startswith("-"):
            name, works = option, f"{option} {examples.get(option, parameter.metavar)}"
        needed = error.message.removeprefix("Value error, ").removeprefix("Input should be ").partition(", unable")[0]
        needed = re.sub(r"^.* is not (one of .*?)\.?$", r"\1", needed)
        values = {"name": name, "works": works, "path": path}
        if parameter.param_type_name == "argument" or "requires an argument" in needed:
            key = "missing" if parameter.param_type_name == "argument" else "no_value"
            return sentence(f"command.{key}", says=parameter.help, **values)
        got = next((after for before, after in pairwise(given) if before == option), "")
        got = got or " ".join(given).partition(f"{option}=")[2].partition(" ")[0]
        if (meant := words()["choices"].get(got.casefold(), "")) and repr(meant) in needed:
            values["works"] = f"{option} {meant}"
        return sentence("command.wrong_value", needed=needed, got=got, **values)

    def surplus(self, word: str, given: list[str], path: str) -> str:
        """The message for an argument too many: the option that it was meant for, by its looks, or to leave one out."""
        at, known = len(given) - 1 - given[::-1].index(word), [name for each in self.params for name in each.opts]
        rest, looks = [*given[:at], *given[at + 1 :]], words()["surplus"].items()
        fits = (name for name, look in looks if name in known and name not in given and re.fullmatch(look, word))
        meant = next((name for name in fits if name not in ("--out", "--plot") or not Path(word).exists()), "")
        if not meant and given[0] in words()["verbs"]:
            word, rest = given[0], given[1:]
        line = shlex.join([*path.split(), *rest, *([meant, word] if meant else [])])
        return sentence("command.surplus", path=path, word=word, line=line)

    def advice(self, wrong: str, given: list[str]) -> str:
        """What was meant by an option that does not exist: another one, or a setting of the recipe."""
        known = sorted(name[2:] for each in self.params for name in each.opts if name.startswith("--"))
        word = wrong.lstrip("-").casefold()
        after = " ".join(given).partition(wrong)[2].lstrip("= ").partition(" ")[0]
        found = ["leave it out"] if f"no-{word}" in known else words()["options"].get(word, "").split("|")
        meant = next((each for each in found if each in (*known, "leave it out")), None)
        is_argument = meant == "leave it out" and len(found) > 1
        if is_argument or (meant is None and any(word in str(each.metavar).casefold() for each in self.arguments())):
            return f"leave it out, as in deltarule {self.name} {after}"
        near = [meant] if meant in known else [] if meant else difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        if near or meant == "leave it out":
            return f"did you mean --{near[0]}?" if near else "leave it out"
        from deltarule.recipes import names, read

        recipe = read(next((each for each in given if each in names()), "default"))
        setting = recipe.advice(word, after or "VALUE") if "set" in known else ""
        return setting if "did you mean" in setting else f"it has --{', --'.join(known)}"

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", *(each.metavar or "" for each in self.arguments())]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments = [(each.metavar, each.help) for each in self.arguments()]
        options = [each.get_help_record(ctx) for each in self.get_params(ctx) if each not in self.arguments()]
        for title, rows in (("Arguments", arguments), ("Options", options)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def arguments(self) -> list[Any]:
        """Its parameters that are no options."""
        return [each for each in self.params if each.param_type_name == "argument"]
