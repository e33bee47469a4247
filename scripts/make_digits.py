"""Writes src/deltarule/data/digits.npz, the bundled digits as UCI published them: python scripts/make_digits.py."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
path = Path(__file__).parents[1] / "src/deltarule/data/digits.npz"
np.savez_compressed(path, cells=digits.images.astype(np.uint8), labels=digits.target.astype(np.uint8))
print(f"{path}: {len(digits.target):,} digits, {path.stat().st_size:,} bytes")
