"""Keyed randomness: every stream of random numbers is named by what it is for, so nothing depends on history."""

import zlib

import numpy as np

from deltarule.errors import SettingError


def generator(seed: int, purpose: str, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """The random numbers for one `purpose` ("shuffle", "dropout", ...) at one epoch and step.

    The same four words give the same numbers, whatever was drawn before: a run that is resumed at step 4,711
    needs no stored generator, and switching augmentation on does not move the dropout masks.

    Raises SettingError for a negative number.
    """
    if min(seed, epoch, step) < 0:
        raise SettingError(f"seed, epoch and step must be 0 or more: got {seed}, {epoch} and {step}")
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), epoch, step])
