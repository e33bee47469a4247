"""The network that comes with deltarule: trains it, measures it, and writes its model card.

python scripts/make_pretrained.py            # some minutes: trains by the recipe `drawings`, then all of the rest
python scripts/make_pretrained.py --train    # trains only
python scripts/make_pretrained.py --bias     # chooses the bias of `unusual` anew, in the network that is there
python scripts/make_pretrained.py --measure  # measures the network that is there, benchmarks/ink.py
python scripts/make_pretrained.py --card     # writes the card anew from what was measured
"""

import json
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from shapes import NO_DIGIT, Gray, lean_left, no_digits, other_digits, slashed

from deltarule.data.catalog import load as load_data
from deltarule.data.dataset import Dataset, Splits, data_hash
from deltarule.files.model_file import PRETRAINED, load, save
from deltarule.files.run_folder import environment
from deltarule.inspection.measures.metrics import evaluate_model
from deltarule.model import Doubt, Model
from deltarule.nn.network import Network, with_meaning
from deltarule.recipes import read
from deltarule.recipes.build import build
from deltarule.recipes.schema import Recipe

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "ink.json"
SEED = 0
EPOCHS = 180
HELD_OUT = 5000  # of MNIST's training images, by which it is chosen from where on an image is unusual
N_OTHER_DIGITS, N_NO_DIGITS = 30_000, 62_000
MOST_DOUBTED = 0.008  # of the held-out digits of each kind
CARD = """# The network in the box

`{name}`: {network}, ReLU, softmax, {parameters:,} parameters in float32, {kilobytes:.0f} KB. It reads one handwritten
digit, an image of 28x28 pixels as MNIST has them, and is what `deltarule predict`, `deltarule playground` and every
MODEL called `pretrained` use. This card is written by `scripts/make_pretrained.py`, its figures included.

**Data.** MNIST: the first {train_examples:,} training images; {other_digits:,} digits as other hands write them (a 0
with a slash, European 1 and 7, digits that lean to the left, drawn and printed ones); {no_digits:,} things that are not
digits, drawn by `scripts/shapes.py` and `scripts/outlines.py`. Every setting was chosen by training images, but one:
how many held-out digits may be unusual was set anew after a first measurement (decision 0031). MNIST's digits are from
employees of the US Census Bureau and from American high-school students.

**Recipe.** The recipe `drawings`, seed {seed}, on eleven classes: {epochs} epochs, {minutes:.0f} minutes on two cores
that others used, too. Every image is turned, stretched, shifted, slanted and bent anew at each step, and redrawn with a
thinner or thicker pen. The eleventh output became `unusual`. Its bias is such that at most {most_doubted} of
{held_out:,} held-out digits are above 0.5, and as few of the 0s with a slash, and of the 0s, 1s and 8s that lean to
the left.

| MNIST's test images, without the normalizer | accuracy | lowest variant |
|---|---|---|
{accuracies}

| through the normalizer, dark on light and light on dark | accuracy | same 28x28 image |
|---|---|---|
{normalized}

**Calibration.** Mean confidence {confidence}; expected calibration error {calibration} (ten bins). Loss {loss:.4f}.

**Worst digits.** {worst}.

**Other hands.** Of the 1,797 bundled digits (written in Turkey, scanned at 8x8, enlarged) it reads {others}.

| digits | read rightly | called unusual | asked, at most |
|---|---|---|---|
{digits}

| not digits, of kinds and fonts that it had not seen | called unusual | asked, at least |
|---|---|---|
{others_called}

## What it is bad at

- Its answer is always one of ten, and on a letter it can be as sure as on a digit: look at `unusual`. Letters that look
  like digits (O, I, l, S, Z, B, g, q) are digits to it, and some others pass, too.
- Strokes that are almost gone: eroded by a 3x3 square, which takes away five sixths of the ink, it reads {eroded}.
- Digits turned by much more than 15 degrees, or shifted by more than 3 pixels where the normalizer is skipped.
- Probabilities under such changes: it was calibrated by nothing but its training, and MNIST's images are easy.
"""


def percent(share: float) -> str:
    """A share of 1 for people."""
    return f"{100 * share:.2f} %"


def lessons(train: Dataset) -> Dataset:
    """MNIST's images, digits as other hands write them, and things that are not digits, which are the class 10."""
    images, rng = train.inputs.reshape(-1, 28, 28), np.random.default_rng(SEED)
    digits = list(islice(other_digits(images, train.targets, rng), N_OTHER_DIGITS))
    others = list(islice(no_digits(images, train.targets, rng), N_NO_DIGITS))
    inputs = np.concatenate([images, np.stack([image for image, _ in digits]), np.stack(others)]).reshape(-1, 784)
    targets = np.concatenate([train.targets, [digit for _, digit in digits], np.full(len(others), NO_DIGIT)])
    return Dataset(inputs, targets.astype(np.int64), image_shape=(28, 28), name="mnist")


def learn(recipe: Recipe, train: Dataset) -> tuple[Network, float]:
    """A network of eleven classes that has learned by the recipe, and how many seconds that took."""
    job = build(recipe, Splits(lessons(train)), seed=SEED)
    start = time.perf_counter()
    job.trainer.fit(job.train)
    return job.model.network, time.perf_counter() - start


def split_off(learned: Network) -> Model:
    """The ten digits of eleven classes, and the eleventh as what says how unusual an image is."""
    network = Network((*learned.layer_sizes[:-1], NO_DIGIT), hidden="relu")
    for l, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        W[:], b[:] = learned.weights[l][:, : len(b)], learned.biases[l][: len(b)]
    weight = np.array([float(f"{w:.5g}") for w in learned.weights[-1][:, NO_DIGIT]])
    doubt = Doubt(weight, float(learned.biases[-1][NO_DIGIT]))
    meaning: dict[str, Any] = {"task": "classes", "pixels": True, "image_shape": (28, 28), "reading": "digits"}
    return Model(with_meaning(network, **meaning), doubt=doubt)


def with_usual_bias(model: Model, held_out: Dataset) -> Model:
    """The model with the bias by which few held-out digits are unusual: of MNIST, with a slash, or leaning."""
    images, rng = held_out.inputs.reshape(-1, 28, 28), np.random.default_rng(SEED + 1)
    of = {digit: images[held_out.targets == digit] for digit in (0, 1, 8)}

    def lean(image: Gray) -> Gray:
        return lean_left(image, rng.uniform(10.0, 30.0), turned=float(rng.integers(2)))

    kinds = [images, np.stack([slashed(rng.choice(of[0]), rng, backwards=0.0) for _ in range(2000)])]
    kinds += [np.stack([lean(rng.choice(some)) for _ in range(2000)]) for some in of.values()]
    odds = []
    for some in kinds:
        share = model.unusual(some.reshape(len(some), -1)).astype(np.float64)
        odds.append(float(np.quantile(np.log(share / (1.0 - share)), 1.0 - MOST_DOUBTED)))
    assert model.doubt is not None
    return replace(model, doubt=replace(model.doubt, bias=float(f"{model.doubt.bias - max(odds):.5g}")))


def move_bias() -> None:
    """Choose the bias of the network that is there anew."""
    held_out = load_data("mnist", offline=True).train.hold_out(HELD_OUT).test
    assert held_out is not None
    save(with_usual_bias(load(PRETRAINED), held_out), PRETRAINED)


def train() -> None:
    """Train by the recipe on eleven classes, and make of it ten, and the output that says how unusual an image is."""
    splits, recipe = load_data("mnist", offline=True), read("drawings").with_changes([f"training.epochs={EPOCHS}"])
    parts, test = splits.train.hold_out(HELD_OUT), splits.test
    assert parts.test is not None
    assert test is not None
    learned, seconds = learn(recipe, parts.train)
    model = with_usual_bias(split_off(learned), parts.test)
    report = evaluate_model(model, test)
    record = {"recipe": recipe.about.name, "recipe_toml": recipe.to_toml(), "dataset": "mnist", "seed": SEED}
    record |= {"epochs": EPOCHS, "parameters": model.network.parameters.size, "train_seconds": seconds}
    record |= {"train_examples": parts.train.n_samples, "test_examples": test.n_samples, "held_out": HELD_OUT}
    record |= {"other_digits": N_OTHER_DIGITS, "no_digits": N_NO_DIGITS, "test_accuracy": report.score}
    record |= {"test_loss": report.loss, "environment": environment(data_hash=data_hash(splits.train, test), seed=SEED)}
    save(replace(model, record=record), PRETRAINED)


def measure() -> None:
    """Run the benchmarks, which write what the card says."""
    for name in ("ink.py", "doubt.py"):
        subprocess.run([sys.executable, str(ROOT / "benchmarks" / name)], check=True)


def called(row: dict[str, Any]) -> str:
    """How many pictures are called unusual, and how many may be, or should."""
    return f"{percent(row['unusual'])} | {100 * row['asked']:.0f} %"


def card() -> str:
    """The model card, from the model file's training record and the benchmark's rows."""
    model, rows = load(PRETRAINED), json.loads(RESULTS.read_text(encoding="utf-8"))
    doubt = json.loads(RESULTS.with_name("doubt.json").read_text(encoding="utf-8"))
    quality = next(row for row in rows if "recall" in row)
    record: dict[str, Any] = dict(model.record)
    direct = [row for row in rows if "lowest_accuracy" in row]
    drawn = [row for row in rows if "identical" in row]
    recall = sorted(quality["recall"].items(), key=lambda item: item[1])
    return CARD.format(
        name=PRETRAINED.name,
        network="-".join(map(str, model.network.layer_sizes)),
        parameters=model.network.parameters.size,
        kilobytes=PRETRAINED.stat().st_size / 1000,
        **{name: record[name] for name in ("train_examples", "other_digits", "no_digits", "held_out")},
        most_doubted=percent(MOST_DOUBTED),
        digits="\n".join(
            f"| {row['workload']} | {percent(row['accuracy'])} | {called(row)} |" for row in doubt if row["is_digit"]
        ),
        others_called="\n".join(f"| {row['workload']} | {called(row)} |" for row in doubt if not row["is_digit"]),
        seed=record["seed"],
        epochs=record["epochs"],
        minutes=record["train_seconds"] / 60,
        accuracies="\n".join(
            f"| {row['workload'].removeprefix('network: ')} | {percent(row['accuracy'])} | "
            f"{percent(row['lowest_accuracy'])} |"
            for row in direct
        ),
        normalized="\n".join(
            f"| {row['workload']} | {percent(row['accuracy'])} | {percent(row['identical'])} |" for row in drawn
        ),
        confidence=percent(quality["mean_confidence"]),
        calibration=percent(quality["expected_calibration_error"]),
        loss=quality["loss"],
        worst=", ".join(f"{name} {percent(share)}" for name, share in recall[:3]) + " of them read rightly",
        others=percent(quality["bundled_digits_accuracy"]),
        eroded=percent(next(row["accuracy"] for row in direct if "eroded" in row["workload"])),
    )


if __name__ == "__main__":
    if sys.argv[1:] in ([], ["--train"]):
        train()
    if sys.argv[1:] == ["--bias"]:
        move_bias()
    if sys.argv[1:] in ([], ["--measure"]):
        measure()
    PRETRAINED.with_name("README.md").write_text(card(), encoding="utf-8")
