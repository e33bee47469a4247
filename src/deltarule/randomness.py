"""Keyed randomness: every stream of random numbers has a key, so no numbers depend on earlier draws."""

import zlib

import numpy as np

from deltarule.errors import SettingError


def generator(seed: int, purpose: str, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """A generator of the random numbers for one `purpose` ("shuffle", "dropout", ...) at one epoch and step.

    The same four arguments give the same numbers, whatever was drawn before: a run that resumes at step 4,711
    needs no stored generator, and switching on augmentation does not change the dropout masks.

    Raises SettingError for a negative number.
    """
    return np.random.default_rng(stream_key(seed, purpose, epoch, step))


def generator_at(count: int, seed: int, purpose: str, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """A Philox generator for these arguments, moved on by `count` blocks of eight float32 (Salmon et al. 2011).

    Philox counts blocks, so any part of a stream can be drawn without the part before it.
    """
    philox = np.random.Philox(np.random.SeedSequence(stream_key(seed, purpose, epoch, step)))
    philox.advance(count)
    return np.random.Generator(philox)


def stream_key(seed: int, purpose: str, epoch: int, step: int) -> list[int]:
    """The key of a stream as four integers. SettingError if seed, epoch or step is negative."""
    if min(seed, epoch, step) < 0:
        raise SettingError(f"seed, epoch and step must be 0 or more: got {seed}, {epoch} and {step}")
    return [seed, zlib.crc32(purpose.encode()), epoch, step]
