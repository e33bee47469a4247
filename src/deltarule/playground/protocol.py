"""What the page and the server say to each other, in JSON; what the page says is read strictly."""

from typing import Annotated, Any, Literal

import msgspec

from deltarule.errors import DataError
from deltarule.settings import all_settings

MOST_MESSAGE_BYTES = 16 * 1024

SMALLEST_RATE, LARGEST_RATE, MOST_EPOCHS = 1e-9, 1e9, 10_000  # of the page, within what `settings.toml` declares

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Start(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="start"):
    """Train a recipe on data, both by name. rate, epochs: in place of its own. paused: wait before the first step."""

    recipe: Name
    data: Name
    rate: Annotated[float, msgspec.Meta(gt=all_settings()["learning_rate"].low, le=LARGEST_RATE)] | None = None
    epochs: Annotated[int, msgspec.Meta(ge=1, le=MOST_EPOCHS)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=int(all_settings()["seed"].low), lt=2**32)] = 0
    paused: bool = False


class Instruction(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a run that has been started is to do: `Control.obey` says what each means."""

    type: Literal["more", "pause", "resume", "step", "stop"]


def parse_order(text: str) -> Start | Instruction:
    """The order in a message. DataError for anything else."""
    try:
        is_start = msgspec.json.decode(text, type=dict[str, Any]).get("type") == "start"
        return msgspec.json.decode(text, type=Start) if is_start else msgspec.json.decode(text, type=Instruction)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise DataError(f"an order in JSON was expected: {error}") from error


def message(kind: str, **facts: Any) -> str:
    """A message to the page: {"type": kind, ...}; a number that is not finite becomes null."""
    return msgspec.json.encode({"type": kind} | facts).decode()
