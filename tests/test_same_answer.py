"""The same question gets the same answer: from the network, its Model, the saved file, the command line and exports.

The rule is in the design's contracts, "Inputs" and "Targets": what a number means does not hang on its dtype, and what
outputs mean is said by the network.
"""

import base64
import gzip
import json
import pickle
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_files import write_idx
from node import STATIC, run_node

from deltarule.cli.explain import own_examples
from deltarule.cli.predict import Asked, answers_about, how_to_read, name_file
from deltarule.data.catalog import load as load_data
from deltarule.data.dataset import Dataset
from deltarule.data.readers.kinds import read
from deltarule.elsewhere import words
from deltarule.errors import DataError, DeltaruleError, SettingError, ShapeError
from deltarule.files.exchange.onnx import onnx_bytes
from deltarule.files.model_file import load, model_bytes, save
from deltarule.files.page import show
from deltarule.inspection.explain.explain import explain
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.model import Model, Standardization
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from deltarule.nn.network import Network, inputs_of, with_meaning
from deltarule.nn.workspace import as_floats
from deltarule.parts import PARTS
from deltarule.playground.playground import NetworkView
from deltarule.settings import TASKS, Task
from deltarule.training.evaluation import evaluate
from deltarule.training.trainer import Trainer, fit

RNG = np.random.default_rng(3)
PIXELS = RNG.integers(256, size=(30, 6), dtype=np.uint8)
PIXELS[:, 0] = 255
LEARNED: dict[str, np.ndarray] = {  # what a network has learned from, by what its inputs are
    "pixels": PIXELS,
    "0 to 1": RNG.uniform(size=(30, 6)).astype(np.float32),
    "wide": RNG.normal(0.0, 40.0, (30, 6)),
}
ASKED: dict[str, np.ndarray] = {
    "uint8": PIXELS[:5],
    "dark uint8": PIXELS[:5] // 2,
    "int64": PIXELS[:5].astype(np.int64),
    "small int64": (PIXELS[:5] % 3).astype(np.int64),
    "bool": PIXELS[:5] > 127,
    "float32": RNG.uniform(size=(5, 6)).astype(np.float32),
    "float64": RNG.uniform(size=(5, 6)),
    "pixels as float32": PIXELS[:5].astype(np.float32) / np.float32(255.0),
    "pixels as float64": PIXELS[:5] / 255.0,
    "large float64": 100.0 * RNG.uniform(size=(5, 6)),
    "negative float32": RNG.normal(size=(5, 6)).astype(np.float32),
}


def targets(task: Task, n_outputs: int) -> np.ndarray:
    if task == "classes":
        return np.arange(30) % n_outputs
    shape = (30, n_outputs)
    return RNG.uniform(0.1, 0.9, shape) if task == "values" else RNG.integers(2, size=shape, dtype=np.uint8)


def fitted(output: str, loss: Loss, task: Task, inputs: np.ndarray, n_outputs: int = 3) -> Network:
    """A small network that has learned for an epoch; its weights are small, so that wide inputs do it no harm."""
    network = Network((6, 4, n_outputs), output=output, loss=loss, rng=1)
    network.parameters.vector[:] *= 0.1
    Trainer(network=network, epochs=1).fit(Dataset(inputs, targets(task, n_outputs), task))
    return network


def kinds() -> Iterator[tuple[str, str, Task, int]]:
    """Every output activation with every loss that fits it and every task that the two can learn."""
    for output, loss, task, n_outputs in product(PARTS["activation"], PARTS["loss"], TASKS, (3, 1)):
        wrong = (task == "classes" or output == "softmax") and n_outputs == 1
        if isinstance(PARTS["activation"][output].maker(), PARTS["loss"][loss].maker.fits) and not wrong:
            yield output, loss, task, n_outputs


def learned() -> Iterator[tuple[str, Network]]:
    """One of each that can be learned, on each kind of inputs."""
    for (output, loss, task, n_outputs), (what, inputs) in product(kinds(), LEARNED.items()):
        try:
            network = fitted(output, PARTS["loss"][loss].maker(), task, inputs, n_outputs)
        except SettingError:
            continue
        yield f"{output} {loss} {task} {n_outputs} {what}", network


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    return dict(learned())


Answer = tuple[list[Any], list[Any]] | str


def answered(asked: Network | Model, X: np.ndarray) -> Answer:
    """Outputs and predictions to the last bit, with their dtypes; or the refusal in its words."""
    try:
        outputs, predicted = asked.outputs(X), asked.predict(X)
    except DeltaruleError as error:
        return f"{type(error).__name__}: {error}"
    return [outputs.dtype, outputs.tolist()], [predicted.dtype, predicted.tolist()]


def test_every_place_gives_the_same_bits_or_the_same_refusal(networks: dict[str, Network], tmp_path: Path) -> None:
    refusals = set()
    for name, network in networks.items():
        save(network, tmp_path / "model")
        asked: list[Network | Model] = [
            network,
            Model(network),
            load(tmp_path / "model"),
            load(tmp_path / "model").network,
        ]
        for dtype, X in ASKED.items():
            answers = [answered(each, X) for each in asked]
            assert all(answer == answers[0] for answer in answers), (name, dtype)
            refusals |= {(name.split(maxsplit=4)[-1], dtype)} if isinstance(answers[0], str) else set()
    pixels = {"int64", "small int64", "bool", "large float64", "negative float32"}
    assert refusals == {*(("pixels", each) for each in pixels), ("0 to 1", "uint8"), ("0 to 1", "int64")}


def test_a_number_means_the_same_in_every_dtype(networks: dict[str, Network]) -> None:
    for name, network in networks.items():
        if name.endswith("pixels"):
            assert network.pixels
            assert network.input_range is None
            alike = [ASKED[each] for each in ("uint8", "pixels as float32", "pixels as float64")]
        else:
            assert not network.pixels
            small = ASKED["small int64"]
            alike = [small, small.astype(np.uint8), small.astype(np.float32), small.astype(np.float64)]
        bits = [network.outputs(X).tolist() for X in alike]
        assert all(each == bits[0] for each in bits), name


def test_what_is_predicted_is_what_was_learned(networks: dict[str, Network]) -> None:
    for name, network in networks.items():
        task, n_outputs = name.split()[2:4]
        X = ASKED["pixels as float64"]
        a, predicted = network.outputs(X), network.predict(X)
        assert network.task == task
        expected = {"classes": a.argmax(axis=1), "labels": (a >= 0.5).astype(np.uint8), "values": a}[task]
        np.testing.assert_array_equal(predicted, expected)
        assert predicted.shape == ((5,) if task == "classes" else (5, int(n_outputs)))
        assert predicted.dtype == {"classes": np.int64, "labels": np.uint8, "values": np.float32}[task]


def asked_about(path: Path, model: Model) -> Asked:
    """What `deltarule predict` makes of a file."""
    rows = read(path, **how_to_read(model)).rows
    with name_file(model, path, rows):
        return Asked(str(path), rows, model.answers(rows))


def test_the_command_line_answers_alike(networks: dict[str, Network], tmp_path: Path) -> None:
    """An npz is read as it is; its integers and booleans, which it brings as floats, count at their value."""
    for name in list(networks)[::5]:
        save(networks[name], tmp_path / "model")
        model = load(tmp_path / "model")
        for dtype in ("uint8", "dark uint8", "float32", "float64", "large float64", "negative float32"):
            np.savez(tmp_path / "asked.npz", X=ASKED[dtype], y=np.zeros(5, np.int64))
            expected = answered(model, ASKED[dtype])
            if isinstance(expected, str):
                with pytest.raises(DataError) as refused:
                    asked_about(tmp_path / "asked.npz", model)
                assert expected == f"DataError: {refused.value}".replace(f"{tmp_path / 'asked.npz'}: ", "")
                continue
            asked = asked_about(tmp_path / "asked.npz", model)
            assert answered(model, asked.rows) == expected, (name, dtype)
            rows = list(answers_about(asked, model))
            numbers = [row.get("probabilities") or row.get("activations") or row["values"] for row in rows]
            assert [list(each.values()) for each in numbers] == expected[0][1], (name, dtype)


@pytest.mark.parametrize(("scale", "is_flat"), [(1, False), (1, True), (255.0, False)])
def test_files_of_pixels_are_read_as_the_network_learned_them(scale: float, is_flat: bool, tmp_path: Path) -> None:
    """An IDX or a CSV holds 0 to 255; a network that learned from images of 0 to 1 is shown them so."""
    digits = load_data("digits").train.spread(200)
    inputs = digits.inputs if scale == 1 else digits.inputs / scale
    network = Network((784, 10))
    Trainer(network=network, epochs=1).fit(replace(digits, inputs=inputs, image_shape=None if is_flat else (28, 28)))
    save(network, tmp_path / "model")
    model = load(tmp_path / "model")
    write_idx(tmp_path / "images", digits.inputs.reshape(-1, 28, 28))
    rows = np.column_stack([digits.targets, digits.inputs])
    np.savetxt(tmp_path / "rows.csv", rows, "%d", ",")
    for name in ("images", "rows.csv"):
        np.testing.assert_array_equal(model.outputs(asked_about(tmp_path / name, model).rows), network.outputs(inputs))


def test_onnx_answers_alike(networks: dict[str, Network]) -> None:
    """Cast to what its input takes: uint8 where the network reads pixels, else its own float type."""
    runtime = pytest.importorskip("onnxruntime", reason="the ONNX files are run by ONNX Runtime")
    for name in list(networks)[::3]:
        network = networks[name]
        session = runtime.InferenceSession(onnx_bytes(network), providers=["CPUExecutionProvider"])
        (entry,) = session.get_inputs()
        assert entry.type == ("tensor(uint8)" if network.pixels else "tensor(float)")
        X = ASKED["uint8"] if network.pixels else ASKED["small int64"].astype(np.float32)
        np.testing.assert_allclose(session.run(None, {"X": X})[0], network.outputs(X), rtol=1e-5, atol=1e-5)


def page_answers(tmp_path: Path, cases: list[tuple[bytes, np.ndarray]]) -> list[dict[str, Any]]:
    """What the page's engine makes of model files and of the numbers that each is asked about."""
    asked = [{"content": list(content), "x": x.tolist()} for content, x in cases]
    (tmp_path / "cases.json").write_text(json.dumps(asked), encoding="utf-8")
    program = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ load }} from "{(STATIC / "engine" / "module.js").as_uri()}";
        import {{ forward }} from "{(STATIC / "engine" / "network.js").as_uri()}";
        import {{ readModel }} from "{(STATIC / "shared" / "model_file.js").as_uri()}";
        await load(readFileSync(process.env.ENGINE));
        const cases = JSON.parse(readFileSync({json.dumps(str(tmp_path / "cases.json"))}, "utf8"));
        console.log(JSON.stringify(cases.map(({{ content, x }}) => {{
            const network = readModel(Uint8Array.from(content).buffer);
            return {{ task: network.task, pixels: network.pixels,
                      a: x.map((row) => [...forward(network, Float64Array.from(row)).a.at(-1)]) }};
        }})));
    """
    found: list[dict[str, Any]] = json.loads(run_node("--input-type=module", "--eval", program))
    return found


def test_the_page_answers_alike(networks: dict[str, Network], tmp_path: Path) -> None:
    cases = []
    for network in networks.values():
        raw = ASKED["uint8"] if network.pixels else ASKED["small int64"]
        cases.append((model_bytes(network), as_floats(inputs_of(network, raw), np.float64)))
    for network, found in zip(networks.values(), page_answers(tmp_path, cases), strict=True):
        assert (found["task"], found["pixels"]) == (network.task, network.pixels)
        raw = ASKED["uint8"] if network.pixels else ASKED["small int64"]
        np.testing.assert_allclose(found["a"], network.outputs(raw), rtol=1e-5, atol=1e-5)


IMAGES: dict[str, tuple[np.ndarray, bool]] = {  # what images were learned as, and whether their ink was 0 to 1
    "uint8": (PIXELS, False),
    "0 to 1": (PIXELS / 255.0, True),
    "0 to 1 as float32": ((PIXELS / 255.0).astype(np.float32), True),
    "0 to 255": (PIXELS.astype(np.float64), False),
    "-1 to 1": (PIXELS / 127.5 - 1.0, False),
    "standardized": ((PIXELS - PIXELS.mean()) / PIXELS.std(), False),
}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("learned_as", IMAGES)
@pytest.mark.parametrize("learned_by", ["estimator", "fit", "standardizing fit"])
def test_a_picture_is_read_as_the_images_learned_from(learned_by: str, learned_as: str, tmp_path: Path) -> None:
    """A picture's numbers are 0 to 255, or its ink from 0 to 1 where that was learned from: in every place."""
    (inputs, is_ink), y, picture = IMAGES[learned_as], np.arange(30) % 3, PIXELS[7:8]
    numbers = picture / 255.0 if is_ink else picture
    if learned_by == "estimator":
        estimator = pytest.importorskip("deltarule.estimators").MLPClassifier(4, max_iter=2, random_state=0)
        model = estimator.fit(inputs, y).model_
        model.network.image_shape = (2, 3)
    else:
        data = Dataset(inputs, y, image_shape=(2, 3))
        model = Model.suited(Network((6, 4, 3)), data, standardize=learned_by == "standardizing fit")
        Trainer(network=model.inner, epochs=1).fit(model.scaled(data))
    model.network.parameters.vector[:] *= 0.03  # so that no probability is 0 or 1
    expected = estimator.predict_proba(numbers) if learned_by == "estimator" else model.outputs(numbers)
    save(model, tmp_path / "model")
    asked = load(tmp_path / "model")
    pillow = pytest.importorskip("PIL.Image", reason="pictures need Pillow: install deltarule-nn[page]")
    pillow.fromarray(picture.reshape(2, 3)).save(tmp_path / "picture.png")
    about = asked_about(tmp_path / "picture.png", asked)
    assert about.answers is not None
    np.testing.assert_array_equal(about.answers.outputs, expected)
    (row,) = answers_about(about, asked)
    assert list(row["probabilities"].values()) == expected[0].tolist()
    shown = own_examples(tmp_path / "picture.png", "1", asked)  # `deltarule explain --image`
    assert explain(asked, shown.inputs[0], shown.targets[0]).loss == pytest.approx(-np.log(expected[0, 1]), rel=1e-5)
    served = NetworkView(asked, {"test": Dataset(inputs, y, image_shape=(2, 3))})
    example = served.example(RNG)
    i = example["index"]
    x = np.array([example["x"]]) / (255.0 if example["pixels"] else 1.0)
    exported = gzip.decompress(base64.b64decode(show(asked).html.split('id="model">')[1].split("<")[0]))
    cases = [(served.content, picture / 255.0), (exported, picture / 255.0), (served.content, x)]
    for found, answer in zip(
        page_answers(tmp_path, cases), (expected, expected, asked.outputs(inputs[i : i + 1])), strict=True
    ):
        np.testing.assert_allclose(found["a"], answer, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("learned_from", [*LEARNED, "pixels as floats"])
def test_estimators_and_their_model_take_every_dtype_at_its_value(learned_from: str, tmp_path: Path) -> None:
    X = LEARNED.get(learned_from, PIXELS.astype(np.float64))
    estimators = pytest.importorskip("deltarule.estimators")
    runtime = pytest.importorskip("onnxruntime", reason="the ONNX files are run by ONNX Runtime")
    estimator = estimators.MLPClassifier(4, max_iter=3, random_state=0, tol=0.0, n_iter_no_change=9)
    estimator.fit(X, np.arange(30) % 3)
    model = estimator.model_
    assert not model.pixels
    save(model, tmp_path / "model")
    session = runtime.InferenceSession(onnx_bytes(model), providers=["CPUExecutionProvider"])
    dtype = {"tensor(float)": np.float32, "tensor(double)": np.float64}[session.get_inputs()[0].type]
    assert dtype == model.network.dtype
    for name, asked in ASKED.items():
        expected = estimator.predict_proba(asked.astype(np.float64))
        answers = [estimator.predict_proba(asked), model.outputs(asked), load(tmp_path / "model").outputs(asked)]
        for answer in answers:
            np.testing.assert_array_equal(answer, expected, name)
        np.testing.assert_allclose(session.run(None, {"X": asked.astype(dtype)})[0], expected, rtol=1e-5, atol=1e-5)


def test_a_standardized_model_reads_its_pixels_in_every_dtype(tmp_path: Path) -> None:
    model = Model.suited(Network((6, 4, 3)), Dataset(PIXELS, np.arange(30) % 3), standardize=True)
    assert model.pixels
    assert not model.inner.pixels
    trainer = Trainer(network=model.inner, epochs=2)
    trainer.fit(model.scaled(Dataset(PIXELS, np.arange(30) % 3)))
    save(model, tmp_path / "model")
    for each in (model, load(tmp_path / "model")):
        np.testing.assert_array_equal(each.outputs(PIXELS), each.outputs(PIXELS / 255.0))
        np.testing.assert_array_equal(each.outputs(PIXELS), trainer.network.outputs(each.inputs(PIXELS)))
        for wrong in (PIXELS.astype(np.float64), PIXELS.astype(np.int64), -(PIXELS / 255.0)):
            with pytest.raises(DataError, match=r"this network reads pixels, uint8 or floats from 0 to 1: got"):
                each.predict(wrong)


REALS = np.linspace(-0.9, 0.9, 30).reshape(-1, 1)


@pytest.mark.parametrize(
    ("output", "loss", "n_outputs", "y", "task"),
    [
        ("tanh", Quadratic(), 1, REALS, "values"),
        ("relu", Quadratic(), 1, REALS + 1.0, "values"),
        ("relu", Quadratic(), 3, np.arange(30) % 3, "classes"),
        ("sigmoid", Quadratic(), 3, np.arange(30) % 3, "classes"),  # as in Nielsen's book
        ("sigmoid", BinaryCrossEntropy(), 3, np.arange(30) % 3, "classes"),
        ("sigmoid", Quadratic(), 3, np.eye(3, dtype=int)[np.arange(30) % 3], "labels"),
        ("sigmoid", BinaryCrossEntropy(), 1, np.arange(30) % 2, "labels"),
        ("sigmoid", Quadratic(), 1, np.arange(30) % 2, "labels"),
    ],
)
def test_fit_fixes_what_outputs_mean_once_and_for_all(
    output: str, loss: Loss, n_outputs: int, y: np.ndarray, task: Task, tmp_path: Path
) -> None:
    network = Network((3, 16, n_outputs), output=output, loss=loss)
    X = RNG.normal(size=(30, 3))
    fit(network, X, y, epochs=2)
    save(network, tmp_path / "model")
    first = network.predict(X)
    a = network.outputs(X)
    expected = {"values": a, "classes": a.argmax(axis=1), "labels": (a >= 0.5).astype(np.uint8)}[task]
    copies = (load(tmp_path / "model"), pickle.loads(pickle.dumps(network)), deepcopy(network), network.astype("f4"))
    for each in (network, Model(network), *copies):
        predicted = each.predict(X)
        assert (each.task, predicted.dtype, predicted.shape) == (task, expected.dtype, expected.shape)
        np.testing.assert_array_equal(predicted, expected)
    fit(network, X, y, epochs=1)
    assert network.predict(X).dtype == first.dtype


def test_a_network_without_a_task_says_what_to_do(tmp_path: Path) -> None:
    network = Network((6, 4, 3), output="tanh", loss=Quadratic())
    save(network, tmp_path / "model")
    for each in (network, Model(network), load(tmp_path / "model")):
        assert each.task is None
        with pytest.raises(SettingError, match=r'train the network, or say which:  network\.task = "classes"'):
            each.predict(ASKED["float32"])
    network.task = "classes"
    assert network.predict(ASKED["float32"]).shape == (5,)


@pytest.mark.parametrize(("made_for", "task"), [pair for pair in product(TASKS, TASKS) if pair[0] != pair[1]])
def test_another_task_is_refused_with_the_settings_for_it(made_for: Task, task: Task) -> None:
    network = Network((6, 3), output="tanh", loss=Quadratic(), task=made_for)
    data = Dataset(PIXELS, targets(task, 3), task, name="these")
    with pytest.raises(
        SettingError, match=f"these holds {task}: got a network for {made_for}; make one with "
    ) as error:
        Trainer(network=network, epochs=1).fit(data)
    assert words()["made_with"][task] in str(error.value)
    assert f'task="{task}"' in str(error.value)
    Trainer(network=with_meaning(network, task=task), epochs=1).fit(data)


def test_copies_know_what_the_network_knows() -> None:
    network = with_meaning(
        fitted("sigmoid", Quadratic(), "classes", PIXELS), class_names=("a", "b", "c"), image_shape=(3, 2)
    )
    copies = [
        pickle.loads(pickle.dumps(network)),
        deepcopy(network),
        network.astype(np.float64),
        with_meaning(network, parameters=network.parameters.copy()),
        pickle.loads(pickle.dumps(Model(network))),
        deepcopy(Model(network)),
        replace(Model(network), record={"a": 1}),
        Model(network).with_meaning(class_names=("x", "y", "z")).with_meaning(class_names=("a", "b", "c")),
    ]
    for each in copies:
        assert (each.task, each.pixels, each.class_names, each.image_shape) == (
            "classes",
            True,
            ("a", "b", "c"),
            (3, 2),
        )
        np.testing.assert_array_equal(each.predict(PIXELS), network.predict(PIXELS))


def test_a_model_made_before_training_reads_as_its_network_does() -> None:
    network = Network((6, 3))
    model = Model(network, "classes", ("a", "b", "c"), (2, 3))
    Trainer(network=network, epochs=1).fit(Dataset(PIXELS, np.arange(30) % 3))
    assert model.pixels
    np.testing.assert_array_equal(model.outputs(PIXELS), network.outputs(PIXELS / 255.0))


def test_what_a_model_is_given_is_put_into_its_network() -> None:
    network = Network((6, 3), output="tanh", loss=Quadratic())
    model = Model(network, "values", ("a", "b", "c"), (2, 3))
    assert (model.network.task, model.network.class_names, model.network.image_shape) == (
        "values",
        ("a", "b", "c"),
        (2, 3),
    )
    assert model.network is network
    other = Model(network, "labels", ("x", "y", "z"))
    assert (other.task, other.class_names, other.image_shape) == ("labels", ("x", "y", "z"), (2, 3))
    assert (network.task, network.class_names) == ("values", ("a", "b", "c"))
    assert other.network.parameters is network.parameters
    assert Model(network).network is network
    assert Model(model.network, "values", ("a", "b", "c"), (2, 3)).network is model.network


def test_training_says_what_inputs_are_and_keeps_what_was_known() -> None:
    images = Dataset(PIXELS, np.arange(30) % 3, class_names=("a", "b", "c"), image_shape=(2, 3))
    network = Network((6, 3))
    Trainer(network=network, epochs=0).fit(images)
    assert (network.pixels, network.image_shape, network.class_names) == (True, (2, 3), ("a", "b", "c"))
    others = Dataset(PIXELS / 255.0, np.arange(30) % 3, class_names=("x", "y", "z"), image_shape=(3, 2))
    Trainer(network=network, epochs=0).fit(others)
    assert (network.pixels, network.image_shape, network.class_names) == (True, (2, 3), ("a", "b", "c"))
    with pytest.raises(DataError, match="floats from 0 to 1: got float64 from 0 to 255; pass uint8, or divide by 255"):
        Trainer(network=network, epochs=0).fit(Dataset(PIXELS.astype(np.float64), np.arange(30) % 3))


def test_the_range_of_what_was_learned_widens() -> None:
    network, y = Network((6, 3)), np.arange(30) % 3
    for inputs, expected in ((LEARNED["0 to 1"], (0.0, 1.0)), (LEARNED["wide"], (-200.0, 200.0))):
        Trainer(network=network, epochs=0).fit(Dataset(inputs, y))
        assert network.input_range is not None
        lowest, highest = network.input_range
        assert expected[0] <= lowest <= inputs.min()
        assert inputs.max() <= highest <= expected[1]
    with pytest.raises(
        DataError, match=r"learned from numbers from -\d+.* to \d+.*: got uint8 in data; for counts use"
    ):
        Trainer(network=network, epochs=0).fit(Dataset(PIXELS, y))
    network.pixels = True  # by hand, as the message says
    Trainer(network=network, epochs=0).fit(Dataset(PIXELS, y))


def test_what_looks_into_a_network_reads_as_it_does() -> None:
    """None of them goes by a dtype: the same network, asked about the same image in three dtypes."""
    network = fitted("softmax", CrossEntropy(), "classes", PIXELS)
    y, alike = np.arange(30) % 3, (PIXELS, (PIXELS / 255.0).astype(np.float32), PIXELS / 255.0)
    scores = [evaluate(network, Dataset(X, y)) for X in alike]
    walks = [explain(network, X[0], 1).loss for X in alike]
    checks = [gradcheck(network, X[:4], y[:4]) for X in alike]
    assert scores[0] == scores[1] == scores[2]
    assert walks[0] == walks[2] == pytest.approx(walks[1], rel=1e-6)
    assert all(check.ok for check in checks)
    counts = with_meaning(network, pixels=False)
    assert evaluate(counts, Dataset(PIXELS, y)) == evaluate(counts, Dataset(PIXELS.astype(np.float64), y))
    assert explain(counts, PIXELS[0], 1).loss == explain(counts, PIXELS[0].astype(np.float64), 1).loss


def test_standardized_columns_are_no_pixels() -> None:
    """A Model of numbers in their own units takes uint8 at its value."""
    scaling = Standardization(np.full(6, 100.0), np.full(6, 50.0))
    model = Model(Network((6, 3)), input_scaling=scaling)
    np.testing.assert_array_equal(model.outputs(PIXELS), model.outputs(PIXELS.astype(np.float64)))
    with pytest.raises(ShapeError):
        model.outputs(PIXELS[0])
