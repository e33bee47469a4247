"""What the page asks for: the network, examples, mistakes, what can be trained."""

import io
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from claims import png

from deltarule.data.catalog import load as load_data
from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset
from deltarule.data.ink.normalization import ink_image
from deltarule.data.ink.pictures import read_picture
from deltarule.errors import SettingError
from deltarule.files.model_file import load
from deltarule.inspection.measures.metrics import evaluate_model
from deltarule.model import Model
from deltarule.nn.network import Network
from deltarule.playground.playground import NetworkView
from deltarule.recipes import names


def test_the_model_comes_as_its_file(site: Any, subject: NetworkView, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(site.get("/api/model").content)
    model = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(model.network.parameters.vector, subject.model.network.parameters.vector)


def test_an_example_is_one_of_the_data(site: Any) -> None:
    splits = load_data("digits")
    for part, dataset in (("test", splits.test), ("train", splits.train)):
        assert dataset is not None
        found = site.get(f"/api/example?split={part}&index=7").json()
        assert found["x"] == dataset.inputs[7].tolist()
        assert (found["label"], found["index"]) == (dataset.targets[7], 7)
        assert found["pixels"]
    drawn = {site.get("/api/example?split=test").json()["index"] for _ in range(8)}
    assert len(drawn) > 1
    assert max(drawn) < 360


def test_mistakes_are_those_that_evaluate_counts(site: Any, subject: NetworkView) -> None:
    dataset = subject.examples["test"]
    report = evaluate_model(subject.model, dataset)
    found = site.get("/api/mistakes").json()
    assert report.confusion is not None
    assert report.mistakes is not None
    assert found["confusion"] == report.confusion.tolist()
    assert found["right"] / found["count"] == pytest.approx(report.score)
    first = report.mistakes
    cell = site.get(f"/api/cell?true={first.true[0]}&predicted={first.predicted[0]}").json()
    assert cell["count"] == report.confusion[first.true[0], first.predicted[0]]
    surest = cell["examples"][0]
    assert surest["index"] == first.example[0]
    assert surest["x"] == dataset.inputs[first.example[0]].tolist()
    assert surest["probability"] == pytest.approx(first.activation[0], rel=1e-6)


def test_right_answers_are_shown_from_the_least_sure_on(site: Any) -> None:
    cell = site.get("/api/cell?true=3&predicted=3").json()
    sure = [each["probability"] for each in cell["examples"]]
    assert len(sure) == min(60, cell["count"]) > 10
    assert sure == sorted(sure)
    assert {each["label"] for each in cell["examples"]} == {3}


@pytest.mark.parametrize("cell", ["true=10&predicted=0", "true=0&predicted=10", "true=99999&predicted=99999"])
def test_a_cell_that_is_none_is_empty(site: Any, cell: str) -> None:
    assert site.get(f"/api/cell?{cell}").json() == {"count": 0, "examples": []}


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("model?of=trained", "the network of the page is given, or trained here: got 'trained'"),
        ("model?of=../../model", "given, or trained here"),
        ("example?index=360", "digits has examples 0 to 359: got 360"),
        ("example?index=-1", "Expected `int` >= 0"),
        ("example?index=1.5", "Expected `int"),
        ("example?index=99999999999999999999", "Expected `int"),
        ("cell?true=x", "Expected `int`"),
        ("mistakes?path=/etc/passwd", "unknown field `path`"),
    ],
)
def test_what_there_is_not_is_refused_in_words(site: Any, path: str, says: str) -> None:
    answer = site.get(f"/api/{path}")
    assert answer.status_code == 400
    assert says in answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api", "/api/model/", "/x"])
def test_other_addresses_lead_nowhere(site: Any, path: str) -> None:
    assert site.get(path).status_code == 404


def test_the_catalogue_lists_every_recipe_and_the_data_that_are_here(site: Any) -> None:
    found = site.get("/api/catalogue").json()
    assert [each["name"] for each in found["recipes"]] == names()
    assert [each["name"] for each in found["datasets"]] == ["digits", "xor", "arithmetic"]
    assert found["limits"] == {"rate": [1e-9, 1e9], "epochs": [1, 10_000]}
    quick = next(each for each in found["recipes"] if each["name"] == "quick")
    assert quick["rate"] > 0
    assert quick["epochs"] >= 1
    assert all(each["rate"] is not None for each in found["recipes"])


def test_a_network_without_examples_says_so() -> None:
    subject = NetworkView(Model(Network((4, 3))), {})
    with pytest.raises(SettingError, match="there are no examples"):
        subject.mistakes()
    with pytest.raises(SettingError, match="there are no examples"):
        subject.example("test", None, np.random.default_rng(0))


def test_a_row_of_a_table_comes_as_the_network_reads_it() -> None:
    data = Dataset(
        np.array([[2.5, 1.0], [1.0, 0.0]]), np.array([0, 1]), columns=(Column("size"), Column("t", ("a", "b")))
    )
    subject = NetworkView(Model.suited(Network((3, 2)), data), {"test": data})
    assert subject.example("test", 0, np.random.default_rng(0))["x"] == [2.5, 0.0, 1.0]
    assert sum(len(subject.cell(i, j)["examples"]) for i in (0, 1) for j in (0, 1)) == 2


def test_values_have_no_mistakes_but_examples() -> None:
    data = Dataset(np.eye(3, dtype=np.float32), np.eye(3), "values", name="three")
    subject = NetworkView(Model(Network((3, 3)), "values"), {"train": data})
    assert subject.example("test", 1, np.random.default_rng(0))["label"] == [0.0, 1.0, 0.0]
    with pytest.raises(SettingError, match="no examples of classes"):
        subject.mistakes()


def drawn(name: str, side: int = 100, **options: Any) -> bytes:
    """A dark stroke on light paper, in a file of that format."""
    from PIL import Image

    gray = np.full((side, side), 220, np.uint8)
    gray[side // 5 : side * 4 // 5, side // 2 - side // 30 : side // 2 + side // 30] = 20
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, name, **options)
    return buffer.getvalue()


def posted(site: Any, content: bytes) -> httpx.Response:
    headers = {"Authorization": f"Bearer {site.token}"}
    return httpx.post(f"http://{site.host}/api/image", content=content, headers=headers, timeout=20.0)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_picture_is_read_as_python_reads_it(site: Any, name: str) -> None:
    content = drawn(name)
    expected = ink_image(read_picture(content))
    answer = posted(site, content)
    assert answer.status_code == 200
    assert expected.image is not None
    found = answer.json()
    assert found["image"] == expected.image.ravel().tolist()
    assert [stage["name"] for stage in found["stages"]] == list(expected.stages)
    for stage in found["stages"]:
        assert len(stage["pixels"]) == stage["width"] * stage["height"]


def test_a_blank_picture_is_no_digit(site: Any) -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (90, 60), 240).save(buffer, "PNG")
    assert posted(site, buffer.getvalue()).json() == {"image": None, "stages": [], "showsSeveral": False}


@pytest.mark.parametrize("columns", [[100], [60, 140]])
def test_a_picture_of_several_digits_is_said_to_be_one(site: Any, columns: list[int]) -> None:
    from PIL import Image

    gray = np.full((200, 200), 255, np.uint8)
    for x in columns:
        gray[40:160, x : x + 12] = 0
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG")
    assert posted(site, buffer.getvalue()).json()["showsSeveral"] is (len(columns) > 1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (png(60_000, 60_000, zlib.compress(bytes(1000))), "at most 16 megapixels was expected: got far more"),
        (png(4_001, 4_000, zlib.compress(bytes(1000))), "at most 16 megapixels was expected: got 4001 x 4000"),
        (b"", "this file"),
        (b"junk" * 1000, "this file"),
        (drawn("PNG")[:-50], "this file"),
        (drawn("GIF"), "this file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "this file"),
    ],
    ids=["bomb", "a little too large", "empty", "junk", "cut off", "GIF", "SVG"],
)
def test_a_picture_that_is_none_is_refused_at_no_cost(site: Any, content: bytes, says: str) -> None:
    tracemalloc.start()
    try:
        answer = posted(site, content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert most < 8 * 2**20


def test_what_is_not_posted_is_no_picture(site: Any) -> None:
    assert site.get("/api/image").status_code == 405
    assert posted(site, bytes(64 * 1024 + 1)).status_code == 413
    assert posted(site, bytes(64 * 1024)).status_code == 400
