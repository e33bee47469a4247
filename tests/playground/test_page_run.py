"""Runs over the socket: the real Trainer, watched, held, stepped and stopped, and what it leaves."""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from websockets.sync.client import ClientConnection

from deltarule.data.catalog import load
from deltarule.files.model_file import load as load_model
from deltarule.inspection.measures.metrics import evaluate_model
from deltarule.nn.arrays import Array
from deltarule.playground import frames, playground
from deltarule.recipes import read
from deltarule.recipes.build import build
from deltarule.training import trainer
from deltarule.training.history import History

COMPILATION = 600.0  # seconds that a run's kernels may take, where the processor is shared


class Heard(NamedTuple):
    """A message to the page; `arrays` are those of a frame."""

    facts: dict[str, Any]
    arrays: dict[str, Array]


class Page:
    """What the page does with its end of a socket."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line

    def order(self, kind: str, **facts: Any) -> None:
        self.line.send(json.dumps({"type": kind, **facts}))

    def hear(self) -> Heard:
        """The next that is said."""
        facts = json.loads(self.line.recv(timeout=COMPILATION))
        arrays = facts.pop("arrays", {})
        return Heard(
            facts, {name: np.array(each["data"], float).reshape(each["shape"]) for name, each in arrays.items()}
        )

    def hear_until(self, kind: str) -> Heard:
        while (heard := self.hear()).facts["type"] != kind:
            assert heard.facts["type"] in ("begin", "frame"), heard.facts
            self.order("more")
        return heard

    def frame(self) -> Heard:
        return self.hear_until("frame")


@pytest.fixture
def page(site: Any) -> Iterator[Page]:
    with site.talk() as line:
        yield Page(line)
    deadline = time.monotonic() + COMPILATION
    while site.playground.run is not None and site.playground.run.is_alive():  # its run ends with the socket
        assert time.monotonic() < deadline
        time.sleep(0.01)


def trained_alone(recipe: str, data: str, epochs: int, holdout: int, seed: int = 0) -> tuple[Any, History]:
    """The same run without a page."""
    job = build(
        read(recipe).with_changes([f"epochs={epochs}", f"data.name={data}"]), load(data), seed=seed, holdout=holdout
    )
    return job, job.trainer.fit(job.train, job.validation)


def test_a_run_is_the_one_that_the_trainer_makes_without_a_page(page: Page, site: Any, tmp_path: Any) -> None:
    page.order("start", recipe="quick", data="digits", epochs=2, seed=3)
    begun = page.hear_until("begin").facts
    assert begun["sizes"] == [784, 256, 10]
    end = page.hear_until("end").facts
    job, _ = trained_alone("quick", "digits", 2, begun["heldOut"], seed=3)
    (tmp_path / "trained.safetensors").write_bytes(site.get("/api/model?of=trained").content)
    trained = load_model(tmp_path / "trained.safetensors")
    np.testing.assert_array_equal(trained.network.parameters.vector, job.model.network.parameters.vector)
    report = evaluate_model(trained, job.test)
    assert (end["part"], end["examples"], end["accuracy"]) == ("test", 360, report.score)
    assert end["reason"] is None
    found = site.get("/api/mistakes?of=trained").json()
    assert found["right"] / found["count"] == pytest.approx(report.score)


def test_frames_show_the_run(page: Page) -> None:
    page.order("start", recipe="quick", data="digits", epochs=3)
    first = page.frame()
    assert first.facts["step"] == 0
    frames = [first]
    while (heard := page.hear()).facts["type"] == "frame":
        frames.append(heard)
        page.order("more")
    last = frames[-1]
    _, history = trained_alone("quick", "digits", 3, holdout=(1437 // 6))
    rows = [[row[name] for name in ("step", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy")]
            for row in history]  # fmt: skip
    np.testing.assert_allclose(last.arrays["epochs"], np.float32(rows), rtol=1e-6)
    assert last.facts["epoch"] == last.facts["epochs"] == 3
    steps = [frame.facts["step"] for frame in frames]
    assert steps == sorted(steps)
    measured = last.arrays["points"][:, 0].tolist()
    assert measured == sorted(set(measured))
    assert set(steps) <= set(measured)
    assert last.arrays["points"][-1, 1] < 0.5 * last.arrays["points"][0, 1]
    assert [layer["neurons"] for layer in last.facts["layers"]] == [256, 10]
    assert last.facts["layers"][0]["gradient"] > 0.0
    assert 0.0 <= last.facts["layers"][0]["dead"] < 0.5
    assert last.facts["layers"][1]["dead"] is None


def test_no_frame_is_sent_that_was_not_asked_for(page: Page) -> None:
    """A page that is slow gets few frames, and never an old one: after the first, it asks only when the run is over."""
    page.order("start", recipe="quick", data="digits", epochs=2)
    assert page.hear().facts["type"] == "begin"
    assert page.hear().facts["step"] == 0
    last = page.hear()
    assert last.facts["epoch"] == 2
    assert page.hear().facts["type"] == "end"


@pytest.mark.parametrize("recipe", ["quick", "nielsen-30"])
def test_a_run_is_held_stepped_and_let_go(page: Page, recipe: str) -> None:
    """A small network may take many steps at once: held, it takes single ones all the same."""
    page.order("start", recipe=recipe, data="digits", epochs=10_000, paused=True)
    assert page.frame().facts["step"] == 0
    for step in (1, 2, 3):
        page.order("step")
        frame = page.frame()
        assert (frame.facts["step"], frame.facts["paused"]) == (step, True)
    page.order("resume")
    page.order("more")
    assert not page.frame().facts["paused"]
    page.order("pause")
    frame = page.frame()
    assert frame.facts["paused"]
    here = frame.facts["step"]
    assert here > 3
    page.order("step")
    after = page.frame()
    assert after.facts["step"] == here + 1
    assert after.facts["seconds"] > frame.facts["seconds"]
    page.order("stop")
    end = page.hear_until("end").facts
    assert end["reason"] == "stopped on the page"
    assert not end["failed"]


def test_a_rate_that_is_too_high_ends_the_run_and_says_why(page: Page, site: Any) -> None:
    page.order("start", recipe="nielsen-cross-entropy", data="digits", rate=1e6, epochs=2)
    end = page.hear_until("end").facts
    assert end["failed"]
    assert "most likely the learning rate 1e+06 is too high: try 100000" in end["reason"]
    assert site.get("/api/model?of=trained").status_code == 200


def test_saturated_sigmoids_are_counted(page: Page) -> None:
    """As its author wrote it: pixels 0 to 255, weights from 0 to 1, and every sigmoid at its flat end."""
    page.order("start", recipe="sigmoid-16-16-as-written", data="digits", paused=True)
    first, second, output = page.frame().facts["layers"]
    assert first["saturated"] > 0.99
    assert second["saturated"] > 0.5
    assert [each["dead"] for each in (first, second, output)] == [None, None, None]
    assert output["saturated"] is None


def test_values_are_scored_by_r2(page: Page) -> None:
    page.order("start", recipe="arithmetic", data="arithmetic", epochs=5)
    end = page.hear_until("end").facts
    assert end["examples"] == 500
    assert -1.0 < end["r2"] <= 1.0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"recipe": "quik"}, "no recipe is called 'quik': did you mean 'quick'"),
        ({"recipe": "/etc/passwd"}, "no recipe is called '/etc/passwd'"),
        ({"data": "../digits"}, "no data here are called '../digits'"),
        ({"data": "mnist"}, "no data here are called 'mnist'"),
        ({"recipe": "nielsen-30", "data": "xor", "epochs": 1, "rate": 1e-300}, ""),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(page: Page, changed: dict[str, Any], says: str) -> None:
    page.order("start", **({"recipe": "quick", "data": "digits", "epochs": 1} | changed))
    heard = page.hear()
    if says:
        assert heard.facts["type"] == "refused"
        assert says in heard.facts["says"]
    else:
        assert heard.facts["type"] == "begin"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_ends_the_run_with_a_word(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any) -> float:
        raise ZeroDivisionError("no share of nothing")

    monkeypatch.setattr(playground, "evaluate", fails)
    page.order("start", recipe="xor", data="xor", epochs=1)
    assert page.hear_until("refused").facts["says"] == "the run failed: ZeroDivisionError: no share of nothing"


def test_the_curves_go_on_between_two_frames(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "FRAME_SECONDS", 60.0)
    monkeypatch.setattr(frames, "SHARE", 1.0)
    monkeypatch.setattr(trainer, "STRETCH_WEIGHTS", 1)  # so that a point may be measured after each step
    page.order("start", recipe="quick", data="digits", epochs=2)
    page.frame()
    page.order("more")
    last = page.frame()
    assert last.facts["step"] == last.facts["steps"]
    assert last.arrays["points"][:, 0].tolist() == list(range(last.facts["steps"] + 1))


@pytest.mark.parametrize("recipe", ["quick", "nielsen-30"])
def test_the_curves_have_points_where_most_is_learned(page: Page, monkeypatch: pytest.MonkeyPatch, recipe: str) -> None:
    """At steps 1, 2, 4, 8 ..., however seldom there is time for others."""
    monkeypatch.setattr(frames, "SHARE", 1e-9)
    page.order("start", recipe=recipe, data="digits", epochs=20)
    page.hear_until("frame")
    page.order("more")
    last = page.frame()
    points = last.arrays["points"][:, 0].tolist()
    assert points[:-1] == [0, *(2**k for k in range(20) if 2**k < last.facts["steps"])]


def test_a_recipe_is_fitted_to_other_data_and_that_is_said(page: Page) -> None:
    page.order("start", recipe="default", data="xor", epochs=1)
    begun = page.hear_until("begin").facts
    assert "no deformation, which is for images" in begun["changes"]
    assert begun["heldOut"] == 0
    frame = page.frame()
    assert frame.arrays["points"].shape[1] == 3
    page.hear_until("end")


def test_one_run_at_a_time(page: Page, site: Any) -> None:
    page.order("start", recipe="xor", data="xor", paused=True)
    page.frame()
    with site.talk() as line:
        other = Page(line)
        other.order("start", recipe="xor", data="xor")
        assert "one run at a time" in other.hear().facts["says"]
    page.order("step")
    assert page.frame().facts["step"] == 1


def test_a_page_that_is_loaded_anew_can_start_anew(site: Any) -> None:
    for _ in range(2):
        with site.talk() as line:
            page = Page(line)
            page.order("start", recipe="quick", data="digits", epochs=100)
            page.frame()
    lesson = site.playground.run
    lesson.join(timeout=COMPILATION)
    assert not lesson.is_alive()


def test_orders_without_a_run_are_refused(page: Page) -> None:
    for kind in ("pause", "resume", "step", "stop", "more"):
        page.order(kind)
        assert page.hear().facts["says"] == "nothing is learning: start a run first"
