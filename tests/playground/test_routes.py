"""What the page asks for: the network, examples, mistakes, what can be trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.catalog import load as load_data
from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset
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


def test_an_example_is_one_of_the_test_data(site: Any) -> None:
    dataset, drawn = load_data("digits").test, set()
    assert dataset is not None
    for _ in range(8):
        found = site.get("/api/example").json()
        assert found["x"] == dataset.inputs[found["index"]].tolist()
        assert found["label"] == dataset.targets[found["index"]]
        assert found["pixels"]
        drawn.add(found["index"])
    assert len(drawn) > 1


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
        ("cell?true=-1", "Expected `int` >= 0"),
        ("cell?true=1.5", "Expected `int"),
        ("cell?true=99999999999999999999", "Expected `int"),
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
    with pytest.raises(SettingError, match="needs examples with classes"):
        subject.mistakes()
    with pytest.raises(SettingError, match="came without examples"):
        subject.example(np.random.default_rng(0))


def test_a_row_of_a_table_comes_as_the_network_reads_it() -> None:
    data = Dataset(
        np.array([[2.5, 1.0], [1.0, 0.0]]), np.array([0, 1]), columns=(Column("size"), Column("t", ("a", "b")))
    )
    subject = NetworkView(Model.suited(Network((3, 2)), data), {"test": data})
    example = subject.example(np.random.default_rng(0))
    assert example["x"] == [[2.5, 0.0, 1.0], [1.0, 1.0, 0.0]][example["index"]]
    assert sum(len(subject.cell(i, j)["examples"]) for i in (0, 1) for j in (0, 1)) == 2


def test_values_have_no_mistakes_but_examples() -> None:
    data = Dataset(np.eye(3, dtype=np.float32), np.eye(3), "values", name="three")
    subject = NetworkView(Model(Network((3, 3)), "values"), {"train": data})
    example = subject.example(np.random.default_rng(0))
    assert example["label"] == np.eye(3)[example["index"]].tolist()
    with pytest.raises(SettingError, match="needs examples with classes"):
        subject.mistakes()
