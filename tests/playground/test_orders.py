"""Orders that the page gives, and messages that it is given."""

import json

import pytest

from deltarule.errors import DataError
from deltarule.playground.frames import message
from deltarule.playground.playground import Start, parse_order


def test_an_order_is_read() -> None:
    assert parse_order('{"type":"start","recipe":"quick","data":"digits","rate":0.5}') == Start("quick", "digits", 0.5)
    with pytest.raises(DataError, match=r"an order in JSON was expected: .* `\$\.rate`"):
        parse_order('{"type":"start","recipe":"quick","data":"digits","rate":0}')


def test_a_message_holds_no_nan() -> None:
    assert json.loads(message("end", loss=float("inf"), score=1.0)) == {"type": "end", "loss": None, "score": 1.0}
