"""dr.plot: every kind that the command draws, from objects, and what it says where it cannot."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import FileError, SettingError
from deltarule.inspection.measures.layer_history import Recorder
from deltarule.inspection.plots.kinds import KINDS

pytest.importorskip("matplotlib", reason='needs matplotlib: pip install "deltarule-nn[plot]"')


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    """A small network that learned some digits, with all that pictures of it are drawn of."""
    some = dr.load_data("digits").train.take(np.arange(300))
    recorder, network = Recorder(some.take(np.arange(50))), dr.Network((784, 8, 10), image_shape=(28, 28), rng=0)
    held_out = some.take(np.arange(200, 300))
    history = dr.fit(
        network,
        some.inputs[:200],
        some.targets[:200],
        epochs=3,
        batch_size=20,
        validation=(held_out.inputs, held_out.targets),
        callbacks=[recorder],
    )
    trainer = dr.Trainer(network=dr.Network((784, 8, 10), rng=0))
    return {"history": history, "recorder": recorder, "network": network, "data": some, "trainer": trainer}


DRAWN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "curves": lambda run: dr.plot("curves", run["history"]),
    "gradients": lambda run: dr.plot("gradients", run["recorder"].recording),
    "surface": lambda run: dr.plot("surface", run["network"], run["data"], recording=run["recorder"]),
    "staircase": lambda run: dr.plot("staircase", run["network"], run["data"]),
    "boundary": lambda _: dr.plot("boundary", dr.Network((2, 3, 3)), dr.Dataset(np.eye(3)[:, :2], np.arange(3))),
    "digits": lambda run: dr.plot("digits", run["network"], run["data"]),
    "weights": lambda run: dr.plot("weights", run["network"], run["data"]),
    "architecture": lambda run: dr.plot("architecture", run["network"]),
    "rates": lambda run: dr.plot("rates", run["trainer"], run["data"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_of_objects_and_shows_itself(run: dict[str, Any], kind: str) -> None:
    picture = DRAWN.get(kind, lambda run: dr.plot(kind, run["network"], run["data"]))(run)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture.title
    assert repr(picture) == f"<Picture: {picture.description}>"


def test_a_model_and_an_estimator_take_the_place_of_a_network(run: dict[str, Any]) -> None:
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')
    model = dr.Model(run["network"])
    assert dr.plot("confusion", model, run["data"]).description == (
        dr.plot("confusion", run["network"], run["data"]).description
    )
    fitted = dr.MLPClassifier((5,)).partial_fit(run["data"].inputs, run["data"].targets, classes=np.arange(10))
    assert "784-5-10" in dr.plot("architecture", fitted).description


def test_a_sheet_needs_no_network(run: dict[str, Any]) -> None:
    sheet = dr.plot("digits", run["data"])
    assert sheet.description == dr.plot("digits", None, run["data"]).description


def test_a_history_draws_its_curves(run: dict[str, Any], tmp_path: Path) -> None:
    picture = run["history"].plot()
    assert f"at epoch {run['history'].best_epoch}" in picture.description
    picture.save(tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_bytes() == dr.plot("curves", run["history"]).to_bytes(".svg")
    with pytest.raises(SettingError, match=r"ends in \.png, \.svg or \.pdf: got '\.gif'"):
        picture.save(tmp_path / "curves.gif")
    with pytest.raises(FileError, match="its folder does not exist"):
        picture.save(tmp_path / "nowhere" / "curves.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("confusoin",), "no picture is called 'confusoin': did you mean 'confusion'?"),
        ((["curves"],), "plot takes the name of a picture first: got ['curves']"),
        (("reliability",), "deltarule evaluate MODEL --json  has accuracy and confidence in ten bins"),
        (("scores",), "deltarule evaluate MODEL  prints recall, precision and F1 of each class"),
        (("activations",), "plot dr.Tanh().value(z) against z = np.linspace(-4, 4) with matplotlib"),
        (
            ("histograms",),
            "deltarule check RUN  says where units saturate or die, and the picture gradients shows every layer",
        ),
        (("flips",), "flips is no longer drawn: to see what would change a prediction, nudge an image in"),
        (("robustness",), "shifted, turned, thin or thick images, draw in  deltarule playground MODEL"),
        (("confusion",), 'confusion is drawn by dr.plot("confusion", model, data): got no model and no data'),
        (("confusion", "network"), 'confusion is drawn by dr.plot("confusion", model, data): got no data'),
        (("confusion", "history", "data"), "got no model"),
        (("confusion", "X", "data"), 'confusion is drawn by dr.plot("confusion", model, data): got an array of shape'),
        (
            ("confusion", "network", "X"),
            "data must be a Dataset, such as digits.test or dr.Dataset(X, y): got an array of shape",
        ),
        (("curves", "network"), 'curves is drawn by dr.plot("curves", history): got no history'),
        (("surface", "network", "data"), 'dr.plot("surface", model, data, recording=recording): got no recording'),
        (("gradients", "untrained"), 'gradients is drawn by dr.plot("gradients", recording): got no recording'),
        (("rates", "network", "data"), 'rates is drawn by dr.plot("rates", trainer, data): got no trainer'),
    ],
)
def test_what_cannot_be_drawn(run: dict[str, Any], arguments: tuple[str, ...], message: str) -> None:
    named = run | {"X": run["data"].inputs, "untrained": Recorder(run["data"])}
    with pytest.raises(SettingError) as caught:
        dr.plot(arguments[0], *(named[name] for name in arguments[1:]))
    assert message in str(caught.value)
