"""What every command has in common: parameters, help, advice on a wrong name, and errors, which become exit codes.

The library click splits a line into options and arguments; `options` declares them, and `Value` converts them. For an
option that a command does not have, the error names the option that was meant, or the recipe's setting.
"""

import difflib
import json
import re
import shlex
from contextlib import suppress
from dataclasses import MISSING, Field, fields
from importlib import import_module
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path
from signal import SIGINT
from typing import Any, Literal, get_args, get_origin

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from deltarule.cli.options import RECIPE_KEYS
from deltarule.cli.printing import note, paragraph
from deltarule.elsewhere import words
from deltarule.errors import DeltaruleError, SettingError, ShapeError, closest, sentence
from deltarule.settings import Setting

# Exit code 2: wrong use, such as an unknown option or name, or an unsupported kind of file. Any other error gives 1:
# the job failed, for example on a damaged file.
FLAGS = {"v": "--version", "version": "--version", "h": "--help", "help": "--help"}  # {what users type: option}
LONG_DASHES = "+\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # which chats and web pages make of --
CALL = re.compile(r"(\w+) must be a name .*?, not (.*); use dr.*?, without quotes, or (\{.*\})")
RATE = re.compile(r"(\w+) (has no argument .*): .* use fit\(.* learning_rate=(.*)\)")
SPEC = re.compile(r"(optimizer|schedule|penalty) (\w+) (?:needs|has) .*use (\{.*\})")  # a spec in an error message
WRONG_USE = (SettingError, ShapeError)


def error_message(error: BaseException) -> str:
    """The message for an exception: Python arguments become options, and an operating system's error names its file."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, DeltaruleError):
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    says = str(error).replace("force=True", "--force")  # an argument in Python is an option here
    says = says.replace(words()["rate_of_fit"].format(kind="Adam"), words()["rate_of_recipe"])
    if found := CALL.fullmatch(says):
        from deltarule.recipes.schema import KINDS, inline

        place = next(place for place, kind in KINDS.items() if kind == found[1])
        change = shlex.quote(f"{place}={inline(json.loads(found[3]))}")
        says = f"{found[1]} is a name, not {found[2]}; use --set {change}"
    if found := RATE.fullmatch(says):
        optimizer = f"--set training.optimizer={found[1].lower()}"
        says = f"{found[1]} {found[2]}: use {optimizer} --learning-rate {found[3]}"
    if found := SPEC.match(says):
        key, change = f"training.{found[1]}", re.sub(r'"(\w+)": ', r"\1 = ", found[3])
        own = "" if "needs" in says else f"--set {key}={found[2]} alone, or "
        says = says.replace(found[3], f"{own}--set '{key}={change}'")
    return says or ("there is not enough memory" if isinstance(error, MemoryError) else type(error).__name__)


class Value(click.ParamType):  # type: ignore[type-arg]  # it is generic since click 8.4
    """Converts the value of an argument or option: to a path, a string, one of a few words, or a number in a range."""

    name = "value"

    def __init__(self, kind: Any, within: str) -> None:
        self.choices = get_args(kind)  # of a Literal
        self.read = str if self.choices else kind
        self.asked = Setting(kind, within) if within else None
        self.limits = self.asked.range_in_words.removesuffix("finite").removesuffix(" and ") if self.asked else ""

    def convert(self, value: str, param: Any, ctx: Any) -> Any:
        if re.match(r"https?://", value):
            raise SettingError(sentence("command.address", address=value, file=value.rpartition("/")[2]))
        with suppress(ValueError):
            found = self.read(value)
            if found in self.choices if self.choices else self.asked is None or self.asked.accepts(found):
                return found
        option, meant = param.opts[0], words()["choices"].get(value.casefold(), "")
        near = self.asked.like(value) if self.asked else meant if meant in self.choices else None
        works = f"{option} {near or words()['examples'].get(option, param.metavar)}"
        needed = "a whole number" if self.read is int else "a number"
        needed = f"one of {str(self.choices)[1:-1]}" if self.choices else f"{needed}, {self.limits}".rstrip(", ")
        raise SettingError(sentence("command.wrong_value", name=option, needed=needed, got=value, works=works))

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        offers = [CompletionItem(word) for word in self.choices if word.startswith(incomplete)]
        return offers if self.choices else [CompletionItem(incomplete, type="file")]


def parameter(each: "Field[Any]") -> click.Parameter:
    """click's argument or option for a field of an options class; the field's type determines how it is read."""
    about, default, is_list = each.metadata, each.default, "list[" in str(each.type)
    kind: Any = each.type
    while get_args(kind) and get_origin(kind) is not Literal:  # list[str] | None is made of str
        kind = get_args(kind)[0]
    value, says = Value(about.get("reads", kind), about["within"]), about["says"]
    metavar = "|".join(value.choices) or about["metavar"]
    if about.get("is_argument"):
        many = -1 if is_list else 1
        return click.Argument([each.name], required=default is MISSING, type=value, nargs=many, metavar=metavar)
    names = [about["name"] or f"--{each.name.replace('_', '-')}", each.name]
    if kind is bool:
        return click.Option(names, is_flag=True, help=says)
    default = "the recipe's" if about["key"] in RECIPE_KEYS.values() else default
    notes = ["" if default is None else f"default: {default}", value.limits]
    says += f"  [{'; '.join(filter(None, notes))}]" if any(notes) else ""
    return click.Option(names, type=value, multiple=is_list, metavar=metavar, help=says)


class Group(click.Group):
    """A group of commands, listed in order. An error in a command becomes a paragraph on stderr and an exit code."""

    ignore_unknown_options = True  # `resolve_command` explains them

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (DeltaruleError, OSError, MemoryError) as error:
            note(paragraph(f"Error: {error_message(error)}"))
            raise SystemExit(2 if isinstance(error, WRONG_USE) else 1) from error
        except KeyboardInterrupt as error:
            raise SystemExit(128 + getattr(error, "signum", SIGINT)) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        (word, *rest), path, is_option = args, ctx.command_path, args[0].startswith("-")
        if word in self.commands or ctx.resilient_parsing:  # a shell that asks for completions gets no error
            return super().resolve_command(ctx, args)
        from deltarule.recipes import names

        meant, flag = [each for each in rest if each in self.commands][:1], FLAGS.get(word.lstrip("-").casefold())
        flag = flag if any(flag in each.opts for each in self.get_params(ctx)) else None
        if flag or is_option:
            line = [flag] if flag else [word, *(each for each in rest if each not in meant)] if meant else ["--help"]
            what, line = "option" if is_option else "command", [*meant, *line]
            raise SettingError(f"{path} has no {what} {word!r}: use {path} {shlex.join(line)}")
        offer = closest(word, [name for name, each in self.commands.items() if not each.hidden], words()["commands"])
        does = next((does for ending, does in words()["files"].items() if word.endswith(ending)), "")
        does = "deltarule train {}" if "train" in self.commands and word in names() else does
        offer = f"use {does.format(word)}" if does else offer
        raise SettingError(sentence("command.no_command", group=path, name=word, offer=offer))


class Command(click.Command):
    """A command whose help is for people who do not know Python. An argument is shown by its metavar alone.

    record: its options class, of which `function` gets an object. function: "MODULE.FUNCTION", imported when it runs.
    """

    def __init__(self, name: str, record: type[Any], function: str, *, hidden: bool = False) -> None:
        self.record, self.function = record, function
        own = sorted((each for each in fields(record) if each.metadata), key=lambda each: bool(each.kw_only))
        self.about = {each.name: each.metadata for each in own}
        says = cleandoc(record.__doc__ or "")
        kept = re.sub(r"(?<=\n\n)(?=.*:\n  )", "\b\n", says)  # so that click keeps indented lines apart
        super().__init__(name, params=[*map(parameter, own)], help=kept, short_help=says.split("\n")[0], hidden=hidden)
        self.arguments = [each for each in self.params if isinstance(each, click.Argument)]

    def invoke(self, ctx: Any) -> None:
        source, typed = ctx.get_parameter_source, ParameterSource.COMMANDLINE
        given = {name: value for name, value in ctx.params.items() if source(name) is typed}
        lists = {name: list(value) for name, value in given.items() if isinstance(value, tuple)}
        module, _, function = self.function.partition(".")
        options = self.record(**(given | lists), given=tuple(given))
        getattr(import_module(f"deltarule.cli.{module}"), function)(options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        home = str(Path.home())  # for --data=~/file, which a shell leaves as it is
        given = args = [re.sub(r"^(--[\w-]+=)~(?=/)", lambda found: found[1] + home, each) for each in args]
        ctx.allow_extra_args = True  # surplus words are explained here
        pairs = [(*each.partition("=")[::2], after) for each, after in pairwise([*given, ""])]
        for option in (each for each in self.params if isinstance(each, click.Option)):
            values = [value or after for word, value, after in pairs if word in option.opts]
            if len(values) > 1 and not (option.is_flag or option.multiple):
                raise SettingError(sentence("command.twice", name=option.opts[0], got=" and ".join(values)))
        for place in () if ctx.resilient_parsing else [i for i, each in enumerate(given[:-2], 1) if each == "--set"]:
            key, *more = (each.strip("=") for each in given[place : place + 3])
            value = next(filter(None, more), "--")
            if not ("=" in key or key.startswith("-") or value.startswith("--")):
                raise SettingError(sentence("command.no_change", name=key, value=value))
        try:
            left = super().parse_args(ctx, list(args))
        except click.UsageError as error:
            raise SettingError(self.answer(error, given, ctx.command_path)) from None
        optional = (str(ctx.params[each.name]) for each in self.arguments if not each.required)
        left = [*left, *(word for word in optional if word.isdigit() and not Path(word).exists())]  # an option's value
        if left and not ctx.resilient_parsing:
            raise SettingError(self.surplus(left[0], given, ctx.command_path))
        return left

    def answer(self, error: Any, given: list[str], path: str) -> str:
        """The message for click's `error`: an option that does not exist, or a value that is missing or surplus."""
        wrong = getattr(error, "option_name", None)
        if isinstance(error, click.NoSuchOption):
            advice = self.advice(str(wrong), given)
            return f"{self.name} has no option {wrong}: {advice}; {path} --help  lists its options"
        missing: Any = getattr(error, "param", None) or next((each for each in self.params if wrong in each.opts), None)
        if missing is None or getattr(missing, "is_flag", False):
            got = next(each for each in given if each.startswith(f"{wrong}="))
            return f"{wrong} takes no value: got {got}; use {wrong} alone"
        says, examples = self.about[missing.name]["says"], words()["examples"]
        if missing in self.arguments:
            works = examples.get(path, f"{path} pretrained")
            return sentence("command.missing", path=path, name=missing.metavar, says=says, works=works)
        works = f"{wrong} {examples.get(wrong, missing.metavar)}"
        return sentence("command.no_value", name=wrong, says=says, works=works)

    def surplus(self, word: str, given: list[str], path: str) -> str:
        """The message for the surplus argument `word`: the line with the option that was meant, or without it."""
        from deltarule.data.catalog import can_find
        from deltarule.recipes import names

        at, known = len(given) - 1 - given[::-1].index(word), [name for each in self.params for name in each.opts]
        rest, looks, word = [*given[:at], *given[at + 1 :]], words()["surplus"].items(), word.lstrip(LONG_DASHES)
        fits = (name for name, look in looks if name in known and name not in given and re.fullmatch(look, word))
        is_second = self.name == "train" and word in names() and not can_find(word)  # of two recipes
        is_place = word.endswith(".json") and "--json" in given
        option, equals, value = word.partition("=")
        key = option.rpartition(".")[2]
        near = self.advice(f"--{key}", [f"--{key}", value]) if equals and f"--{key}" not in known else ""
        if is_second or word.startswith("--") or is_place:
            line = [each for each in given if each != "--" and (each != word or word.startswith("--"))]
        elif f"--{word}" in known:
            line = [*given[:at], f"--{word}", *given[at + 1 :]]
        elif near.startswith("did you mean"):
            return f"{path} does not take {word}: {near}; {path} --help  lists its options"
        elif equals and (f"--{option}" in known or "--set" in known):
            line = [*rest, *([f"--{option}", value] if f"--{option}" in known else ["--set", word])]
        else:
            meant = next((name for name in fits if name not in ("--out", "--plot") or not Path(word).exists()), "")
            if not meant and given[0] in words()["verbs"]:
                word, rest = given[0], given[1:]
            line = [*rest, *([meant, word] if meant else [])]
        works = shlex.join([*path.split(), *line]) + f" > {word}" * is_place
        return sentence("command.surplus", path=path, word=word, line=works)

    def advice(self, wrong: str, given: list[str]) -> str:
        """The advice for an option that does not exist: the option or recipe setting that was meant, or to omit it."""
        does = {name: (each.metavar, self.about[each.name]["says"]) for each in self.params for name in each.opts}
        known = sorted(name[2:] for name in does if name.startswith("--"))
        word = wrong.lstrip("-").casefold()
        after = " ".join(given).partition(wrong)[2].lstrip("= ").partition(" ")[0]
        found = ["leave it out"] if f"no-{word}" in known else words()["options"].get(word, "").split("|")
        meant = next((each for each in found if each in (*known, "leave it out")), None)
        is_argument = meant == "leave it out" and len(found) > 1 and found[0] != "target"
        if is_argument or (meant is None and any(word in str(each.metavar).casefold() for each in self.arguments)):
            return f"leave it out, as in deltarule {self.name} {after}"
        if name := meant or next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.8)), ""):
            metavar, says = does.get(f"--{name}", ("", ""))
            line = f"--{name} {metavar or ''}".rstrip()
            return name if name == "leave it out" else f"did you mean --{name}? Use {line} ({says.rstrip('.')})"
        from deltarule.recipes import names, read
        from deltarule.recipes.schema import advice, tree_of

        recipe = read(next((each for each in given if each in names()), "default"))
        setting = advice(word, after or "VALUE", tree_of(recipe)) if "set" in known else ""
        return setting if "did you mean" in setting else f"leave it out; it has --{', --'.join(known)}"

    def format_options(self, ctx: Any, formatter: Any) -> None:
        if rows := [(each.metavar, self.about[each.name]["says"]) for each in self.arguments]:
            with formatter.section("Arguments"):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)
