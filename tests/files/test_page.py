"""One page with everything in it: what it holds, how large it is, what it refuses."""

import base64
import gzip
import hashlib
import html
import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ModelFileError, SettingError, ShapeError
from deltarule.files.page import MOST_PARAMETERS, Page

NETWORK = dr.Network((784, 20, 10), image_shape=(28, 28), pixels=True, dtype=np.float64, rng=1)
DIGITS = dr.load_data("digits")


def held(page: Page, name: str) -> bytes:
    found = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', page.html)
    assert found is not None
    return gzip.decompress(base64.b64decode(found[1]))


def test_it_is_small(tmp_path: Path) -> None:
    page = dr.show(NETWORK)
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.html
    digits = len(page.html.split('id="digits">')[1].split("<")[0])
    assert digits <= 62_000
    assert (tmp_path / "page.html").stat().st_size <= 200_000 + digits + 5.4 * NETWORK.parameters.size


def test_it_holds_the_model_in_float32(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(held(dr.show(NETWORK), "model"))
    loaded = dr.load(path)
    assert loaded.image_shape == (28, 28)
    np.testing.assert_array_equal(loaded.network.parameters.vector, NETWORK.parameters.vector.astype(np.float32))


def test_nothing_runs_but_its_script_and_nothing_comes_from_elsewhere() -> None:
    page = dr.show(NETWORK)
    program = held(page, "program")
    (loader,) = re.findall(r'<script type="module">(.*?)</script>', page.html, re.DOTALL)
    assert loader.strip() == files("deltarule").joinpath("playground/static/loader.js").read_text("utf-8").strip()
    allowed = [base64.b64encode(hashlib.sha256(each).digest()).decode() for each in (loader.encode(), program)]
    hashes = " ".join(f"'sha256-{each}'" for each in allowed)
    policy = (
        f"default-src 'none'; script-src {hashes} 'wasm-unsafe-eval'; worker-src blob:; "
        "style-src 'unsafe-inline'; img-src data: blob:"
    )
    assert page.html.count("Content-Security-Policy") == 1
    assert f'content="{policy}"' in page.html
    assert re.findall(r'(?:src|href)="(?!#|data:,)[^"]*"', page.html) == []
    assert set(re.findall(rb"https?://[\w./]+", program)) <= {b"http://www.w3.org/2000/svg"}


def test_no_import_or_export_is_left_in_its_script() -> None:
    """The bundler reads a few forms of them: a module of the page that uses another one is found here."""
    program = held(dr.show(NETWORK), "program").decode()
    assert re.findall(r"^(?:import|export)\b.*|\bimport\.meta\b.*", program, re.MULTILINE) == []
    assert program.count("\nmodules[") >= 30


def test_mistakes_are_shown_on_200_of_the_examples_given() -> None:
    hidden = 'id="tab-mistakes" hidden'
    assert hidden in dr.show(NETWORK).html
    page = dr.show(NETWORK, DIGITS.train)
    assert hidden not in page.html
    rows = json.loads(held(page, "examples"))
    assert [row["index"] for row in rows] == [n * DIGITS.train.n_samples // 200 for n in range(200)]
    for row in rows[::40]:
        assert row["x"] == DIGITS.train.inputs[row["index"]].ravel().tolist()
        assert row["label"] == DIGITS.train.targets[row["index"]]
    assert len(json.loads(held(dr.show(NETWORK, DIGITS.train.take(slice(3))), "examples"))) == 3


def test_a_network_of_images_from_0_to_255_reads_ink_as_it_learned_it(tmp_path: Path) -> None:
    """The page asks in ink from 0 to 1; pixels and images from 0 to 1 are asked as they are."""
    images = DIGITS.train.inputs[:50].astype(np.float64)
    network = dr.Network((784, 8, 10), rng=0)
    dr.fit(network, images.reshape(-1, 28, 28), DIGITS.train.targets[:50], epochs=1)
    page = dr.show(network, replace(DIGITS.test, inputs=DIGITS.test.inputs.astype(np.float64)))
    (tmp_path / "asked.safetensors").write_bytes(held(page, "model"))
    asked = dr.load(tmp_path / "asked.safetensors")
    np.testing.assert_allclose(asked.outputs(images / 255.0), network.outputs(images), atol=1e-5)
    first = json.loads(held(page, "examples"))[0]
    assert first["pixels"]
    assert max(first["x"]) == 255.0
    assert json.loads(held(dr.show(NETWORK, DIGITS.test), "examples"))[0]["pixels"]


def test_rows_of_a_table_come_as_the_network_reads_them() -> None:
    """A number for each of its three inputs: the text one-hot, what is missing filled in; 1.75 is the mean size."""
    columns = (dr.Column("size", fill=0.0), dr.Column("town", ("Bonn", "Ulm"), 0.0))
    rows = np.array([[2.5, 1.0], [1.0, 0.0], [np.nan, np.nan]])
    data = dr.Dataset(rows, np.array([0, 1, 1]), columns=columns)
    model = dr.Model.suited(dr.Network((3, 4, 2)), data)
    by_hand = [[2.5, 0.0, 1.0], [1.0, 1.0, 0.0], [1.75, 0.0, 0.0]]
    assert [row["x"] for row in json.loads(held(dr.show(model, data), "examples"))] == by_hand


def test_a_page_learns_where_the_bundled_digits_fit() -> None:
    assert 'id="tab-train" hidden' not in dr.show(NETWORK).html
    for other in (dr.Network((4, 3, 2)), dr.Network((784, 10))):  # the latter does not know that it reads images
        html = dr.show(other).html
        assert 'id="tab-train" hidden' in html
        assert 'id="digits"' not in html


def test_a_class_name_cannot_leave_its_place() -> None:
    names = ("</script><script>alert(1)</script>", *map(str, range(9)))
    page = dr.show(dr.Model(NETWORK, "classes", names), replace(DIGITS.train.take(slice(2)), class_names=names))
    assert "alert(1)" not in page.html


def test_a_notebook_shows_it_in_a_frame_that_keeps_to_itself() -> None:
    page = dr.show(NETWORK)
    found = re.fullmatch(r'<iframe sandbox="allow-scripts" .* srcdoc="([^"]*)"></iframe>', page._repr_html_(), re.S)
    assert found is not None
    assert html.unescape(found[1]) == page.html
    assert re.fullmatch(r"<Page, [\d,]+ bytes: .*>", repr(page))


class Sine(dr.Activation):
    def value(self, z: np.ndarray) -> np.ndarray:
        return np.sin(z)


def test_what_a_page_cannot_hold_is_refused() -> None:
    with pytest.raises(SettingError, match="names activations and losses from a fixed list"):
        dr.show(dr.Network((4, 3, 2), hidden=Sine()))
    with pytest.raises(SettingError, match="a page shows float32 or float64: got complex128"):
        dr.show(dr.Network((4, 3, 2), dtype=np.complex128))
    large = dr.Network((4, 3, 2))
    large.parameters.vector[0] = np.inf
    with pytest.raises(ModelFileError, match="the page was not made: expected finite numbers"):
        dr.show(large)
    too_large_for_float32 = dr.Network((4, 3, 2), dtype=np.float64)
    too_large_for_float32.parameters.vector[0] = 1e300
    with pytest.raises(ModelFileError, match="the page was not made: expected finite numbers"):
        dr.show(too_large_for_float32)


def test_too_many_parameters_are_refused() -> None:
    side = int(MOST_PARAMETERS**0.5) + 1
    with pytest.raises(
        SettingError, match=r"at most 20,000,000 parameters: got 20,0\d\d,\d\d\d;  deltarule playground"
    ):
        dr.show(dr.Network((side, side, 2), hidden=dr.ReLU(initializer=dr.zeros)))


def test_examples_that_do_not_fit_are_refused() -> None:
    values = dr.Network((784, 3, 10), output=dr.Identity(), loss=dr.Quadratic())
    with pytest.raises(
        SettingError, match="that its network can answer: got a network for values and examples of classes"
    ):
        dr.show(values, DIGITS.train)
    with pytest.raises(ShapeError, match=r"this network takes \(n_samples, 4\)"):
        dr.show(dr.Network((4, 3, 10)), DIGITS.train)
