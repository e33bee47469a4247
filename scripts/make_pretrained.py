"""The network that comes with deltarule: trains it, measures it, and writes its model card.

python scripts/make_pretrained.py            # some minutes: trains by the recipe `drawings`, then all of the rest
python scripts/make_pretrained.py --measure  # measures the network that is there, benchmarks/ink.py
python scripts/make_pretrained.py --card     # writes the card anew from what was measured
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deltarule.files.model_file import PRETRAINED, load

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "ink.json"
SEED = 0
CARD = """# The network in the box

`{name}`: {network}, ReLU, softmax, {parameters:,} parameters in float32, {kilobytes:.0f} KB. It reads one handwritten
digit, an image of 28x28 pixels as MNIST has them, and is what `deltarule predict`, `deltarule playground` and every
MODEL called `pretrained` use. This card is written by `scripts/make_pretrained.py`, its figures included.

**Data.** MNIST: all {train_examples:,} training images. The {test_examples:,} test images were scored at the end, once;
every setting was chosen by the last 10,000 training images. The digits are from employees of the US Census Bureau and
from American high-school students.

**Recipe.** `deltarule train drawings --seed {seed}`: {epochs} epochs, {minutes:.0f} minutes on two shared cores. Every
image is turned, stretched, shifted, slanted and bent anew at each step, and redrawn with a thinner or thicker pen.

| MNIST's test images, without the normalizer | accuracy | lowest variant |
|---|---|---|
{accuracies}

| through the normalizer, dark on light and light on dark | accuracy | same 28x28 image |
|---|---|---|
{normalized}

**Calibration.** Mean confidence {confidence}; expected calibration error {calibration} (ten bins). Loss {loss:.4f}.

**Worst digits.** {worst}.

**Other hands.** Of the 1,797 bundled digits (written in Turkey, scanned at 8x8, enlarged) it reads {others}.

## What it is bad at

- Anything that is no digit. Its answer is always one of ten, and on letters, scribbles or two digits side by side it
  can be as sure as on a digit. Only a blank picture is told from a digit, by the normalizer.
- Strokes that are almost gone: eroded by a 3x3 square, which takes away five sixths of the ink, it reads {eroded}.
- Digits turned by much more than 15 degrees, or shifted by more than 3 pixels where the normalizer is skipped.
- Probabilities under such changes: it was calibrated by nothing but its training, and MNIST's images are easy.
"""


def percent(share: float) -> str:
    """A share of 1 for people."""
    return f"{100 * share:.2f} %"


def train() -> None:
    """Train by the recipe, through the command line, as any user would."""
    command = [sys.executable, "-m", "deltarule", "train", "drawings", "--seed", str(SEED), "--out", str(PRETRAINED)]
    subprocess.run(command, check=True)


def measure() -> None:
    """Run the benchmark, which writes what the card says."""
    subprocess.run([sys.executable, str(ROOT / "benchmarks" / "ink.py")], check=True)


def card() -> str:
    """The model card, from the model file's training record and the benchmark's rows."""
    model, rows = load(PRETRAINED), json.loads(RESULTS.read_text(encoding="utf-8"))
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
        train_examples=record["train_examples"],
        test_examples=record["test_examples"],
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
    if len(sys.argv) == 1:
        train()
    if "--card" not in sys.argv:
        measure()
    PRETRAINED.with_name("README.md").write_text(card(), encoding="utf-8")
