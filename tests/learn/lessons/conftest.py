"""One warm process for all tests of the exercises."""

from collections.abc import Iterator

import pytest

from deltarule.learn.lessons.worker import Worker


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    with Worker() as process:
        yield process
