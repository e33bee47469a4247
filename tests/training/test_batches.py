"""Which samples make up a step, and how they are gathered."""

import numpy as np
import pytest
from batch_order import batches
from hypothesis import given
from hypothesis import strategies as st

from deltarule.training.plan import gather, steps_per_epoch


@given(st.integers(1, 300), st.integers(1, 400), st.integers(0, 2**40), st.integers(1, 1000))
def test_an_epoch_is_a_permutation_of_the_samples(n_samples: int, batch_size: int, seed: int, epoch: int) -> None:
    pieces = list(batches(n_samples, batch_size, seed, epoch))
    assert sorted(np.concatenate(pieces).tolist()) == list(range(n_samples))
    assert [len(piece) for piece in pieces[:-1]] == [batch_size] * (len(pieces) - 1)
    assert 0 < len(pieces[-1]) <= batch_size
    assert len(pieces) == steps_per_epoch(n_samples, batch_size)


def test_samples_are_shuffled_and_not_batches() -> None:
    """A sample meets other neighbors in another epoch, and under another seed; under the same ones it does not."""
    together = [{frozenset(piece.tolist()) for piece in batches(100, 10, *key)} for key in [(0, 1), (0, 2), (1, 1)]]
    assert len(together[0] | together[1] | together[2]) == 30
    again = {frozenset(piece.tolist()) for piece in batches(100, 10, 0, 1)}
    assert again == together[0]


def test_the_order_is_as_good_as_random() -> None:
    """Over 2,000 epochs every sample comes first about 200 times of 2,000; 5 standard deviations are allowed."""
    first = np.array([next(batches(10, 1, 0, epoch))[0] for epoch in range(2000)])
    assert abs(np.bincount(first, minlength=10) - 200).max() < 5 * np.sqrt(2000 * 0.1 * 0.9)


def test_a_full_batch_is_all_samples_once() -> None:
    (only,) = batches(7, None, 0, 1)
    assert only.tolist() == list(range(7))
    assert steps_per_epoch(7, None) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n_features", [1, 784, 9000])
def test_gathering_scales_pixels_and_casts_the_rest(dtype: type, n_features: int) -> None:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, (40, n_features)).astype(dtype)
    indices = rng.integers(0, 40, 25)
    out = np.full((25, n_features), np.nan, np.float32)
    gather(inputs, indices, out)
    expected = inputs[indices].astype(np.float64) / (255.0 if dtype == np.uint8 else 1.0)
    np.testing.assert_allclose(out, expected, rtol=1e-7)
