"""Streams of random numbers, each found by its key alone."""

import itertools
import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deltarule.randomness import generator

keys = st.tuples(
    st.integers(0, 2**70), st.sampled_from(["shuffle", "dropout 0", "dropout 1024"]), *[st.integers(0, 2**40)] * 2
)


@given(keys)
def test_a_key_is_a_stream(key: tuple[int, str, int, int]) -> None:
    np.testing.assert_array_equal(generator(*key).random(5), generator(*key).random(5))


def test_every_word_of_the_key_counts() -> None:
    """Also where words are moved from one place to the next."""
    purposes = ["shuffle", "dropout", "augment", "weights", "split", "", "a", "b"]
    seeds = [0, 1, 2, 2**32, 2**64]
    every = list(itertools.product(seeds, purposes, [0, 1, 2], [0, 1, 2]))
    assert len({generator(*key).integers(2**63) for key in every}) == len(every)


def test_epoch_and_step_are_0_where_nothing_is_said() -> None:
    assert generator(3, "split").integers(2**63) == generator(3, "split", 0, 0).integers(2**63)


def test_the_words_of_a_seed() -> None:
    """A published seed must find its network again in later releases. 0xCBF43926 is CRC-32's published check value."""
    expected = np.random.default_rng([7, 0xCBF43926, 2, 5])
    assert generator(7, "123456789", 2, 5).integers(2**63) == expected.integers(2**63)


def test_the_global_generator_is_left_alone() -> None:
    program = (
        "import numpy as np; np.random.seed(1); first = np.random.random(); np.random.seed(1);"
        "from deltarule.randomness import generator; generator(1, 'shuffle').random(9);"
        "print(first == np.random.random())"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"
