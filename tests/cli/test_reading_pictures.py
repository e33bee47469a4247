"""The same pictures, the same classes: `evaluate`, `predict`, `explain`, Model.predict and the page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from node import STATIC, run_node

from deltarule.data.catalog import load as load_data
from deltarule.files.model_file import load

Image = pytest.importorskip("PIL.Image", reason="pictures need Pillow: install deltarule[page]")
Command = Callable[..., Any]
N_EACH = 6  # pictures of a class
PAPER = np.add.outer(np.arange(44), 2 * np.arange(36)).astype(np.uint8)  # in uneven light


def transparent(image: np.ndarray) -> np.ndarray:
    """Black ink on nothing."""
    return np.dstack([np.zeros((*image.shape, 3), np.uint8), image])


def photo(image: np.ndarray) -> np.ndarray:
    """Dark ink on paper of another size, which a model is to see as it is."""
    return 230 - PAPER - np.pad(image, ((9, 7), (3, 5))) // 3


def texture(image: np.ndarray) -> np.ndarray:
    """Something that fills the picture, as clothes do."""
    return (image.astype(int) // 2 + np.add.outer(np.arange(28), np.arange(28)) * 2).astype(np.uint8)


KINDS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str, list[str]]] = {
    "as MNIST's": (lambda image: image, "as MNIST's digits: light on dark, centered", []),
    "black on white": (lambda image: 255 - image, "as in training: 28 x 28, not centered", []),
    "in a corner": (lambda image: np.roll(image, (-4, 3), (0, 1)), "as in training: 28 x 28, not centered", []),
    "transparent": (transparent, "as in training: 28 x 28, not centered", []),
    "textures": (texture, "as in training: 28 x 28, not centered", []),
    "photos, --size 28": (photo, "as in training: scaled to 28 x 28, not centered", ["--size", "28"]),
}


def page_classes(model: Path, grays: list[np.ndarray], tmp_path: Path) -> list[int]:
    """The classes that the page's modules answer for gray pictures."""
    asked = [{"pixels": gray.ravel().tolist(), "width": gray.shape[1], "height": gray.shape[0]} for gray in grays]
    (tmp_path / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    program = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ load }} from "{(STATIC / "engine" / "module.js").as_uri()}";
        import {{ forward }} from "{(STATIC / "engine" / "network.js").as_uri()}";
        import {{ readModel }} from "{(STATIC / "shared" / "model_file.js").as_uri()}";
        import {{ grayImage, inkImage }} from "{(STATIC / "draw" / "ink.js").as_uri()}";
        await load(readFileSync(process.env.ENGINE));
        const network = readModel(new Uint8Array(readFileSync({json.dumps(str(model.absolute()))})).buffer);
        const read = network.reading === "images" ? grayImage : inkImage;
        console.log(JSON.stringify(JSON.parse(readFileSync({json.dumps(str(tmp_path / "asked.json"))}, "utf8"))
            .map(({{ pixels, width, height }}) => {{
                const x = Float64Array.from(read(Uint8Array.from(pixels), width, height).image, (value) => value / 255);
                const a = [...forward(network, x).a.at(-1)];
                return a.indexOf(Math.max(...a));
            }})));
    """
    found: list[int] = json.loads(run_node("--input-type=module", "--eval", program))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_read_as_those_that_were_learned(deltarule: Command, kind: str, tmp_path: Path) -> None:
    make, words, options = KINDS[kind]
    digits = load_data("digits").train
    pictures, labels = [], []
    for label in range(10):
        for number, row in enumerate(digits.inputs[digits.targets == label][: 2 * N_EACH]):
            folder = Path("learned" if number < N_EACH else "new", str(label))
            folder.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(make(row.reshape(28, 28)))
            picture.save(folder / f"{number:02}.png")
            if number >= N_EACH:
                pictures.append(picture)
                labels.append(str(label))
    fast = ["--epochs", "100", "--engine", "numpy"]
    assert deltarule("train", "linear", "--data", "learned", *options, *fast).code == 0
    predicted = deltarule("predict", "new", "--model", "model.safetensors", "--json")
    answers = [answer["label"] for answer in predicted.json]
    assert words in predicted.err
    judged = deltarule("evaluate", "model.safetensors", "--data", "new", "--json").json
    assert judged["accuracy"] == pytest.approx(np.mean(np.array(answers) == labels))
    assert judged["accuracy"] > 0.3
    walk = deltarule("explain", "model.safetensors", "--image", f"new/3/{N_EACH:02}.png", "--json").json
    assert str(np.argmax(walk["targets"])) == answers[3 * N_EACH]  # without a label, what the network answers
    ground = Image.new("RGBA", pictures[0].size, "white")
    grays = [np.array(Image.alpha_composite(ground, each.convert("RGBA")).convert("L")) for each in pictures]
    model = load("model.safetensors")
    if not options:
        assert [str(k) for k in model.predict(np.stack(grays))] == answers
    assert [str(k) for k in page_classes(Path("model.safetensors"), grays, tmp_path)] == answers
