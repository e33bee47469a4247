"""Small tables that scikit-learn ships, standardized."""

from typing import Any

import numpy as np
import pytest

from deltarule.nn.arrays import Array

Table = tuple[Array, Array]


def standardized(X: Array) -> Array:
    return (X - X.mean(axis=0)) / X.std(axis=0)


@pytest.fixture(scope="session")
def datasets() -> Any:
    return pytest.importorskip("sklearn.datasets", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')


@pytest.fixture(scope="session")
def wine(datasets: Any) -> Table:
    """178 wines, 13 numbers each, 3 classes."""
    X, y = datasets.load_wine(return_X_y=True)
    return standardized(X), y


@pytest.fixture(scope="session")
def tumors(datasets: Any) -> Table:
    """569 tumors, 30 numbers each, 2 classes."""
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return standardized(X), y


@pytest.fixture(scope="session")
def diabetes(datasets: Any) -> Table:
    """442 patients, 10 numbers each, and how far their illness went."""
    X, y = datasets.load_diabetes(return_X_y=True)
    return standardized(X), y / np.std(y)
