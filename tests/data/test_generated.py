"""The made data sets: what they say of themselves."""

import numpy as np
import pytest

from deltarule.data.generated import arithmetic, cute_dog, xor


def test_xor() -> None:
    points = xor().train
    found = dict(zip(map(tuple, points.inputs.tolist()), points.targets[:, 0].tolist(), strict=True))
    assert found == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


def test_arithmetic() -> None:
    splits = arithmetic()
    assert (splits.train.n_samples, splits.test.n_samples) == (2000, 500)
    for (a, b), targets in zip(splits.test.inputs, splits.test.targets, strict=True):
        assert targets.tolist() == [a + b, a - b, abs(a - b)]


def test_cute_dog() -> None:
    splits = cute_dog()
    assert (splits.train.n_samples, splits.test.n_samples) == (400, 100)
    sizes = np.concatenate([splits.train.inputs, splits.test.inputs]).ravel()
    cute = np.concatenate([splits.train.targets, splits.test.targets]).ravel()
    assert 1.0 <= sizes.min() < sizes.max() <= 4.0
    # Within three standard deviations of 500 dogs of what the docstring says the best guess is right for.
    assert (cute == (sizes > 2.5)).mean() == pytest.approx(0.885, abs=3 * np.sqrt(0.885 * 0.115 / 500))
    assert (cute == (sizes > 2.5)).mean() < 1.0


@pytest.mark.parametrize("made", [xor, arithmetic, cute_dog])
def test_the_same_every_time(made) -> None:
    assert np.array_equal(made().train.inputs, made().train.inputs)
    assert np.array_equal(made().train.targets, made().train.targets)
