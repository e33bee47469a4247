"""What the tests of the check share."""

from contextlib import AbstractContextManager

import pytest

from deltarule.learn import repairs, sandbox


@pytest.fixture(autouse=True)
def _patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """More time for a learner's function, and for edits of it: beside 8,000 other tests they take longer than alone."""
    limit = sandbox.limit

    def patient(seconds: float) -> AbstractContextManager[None]:
        return limit(10.0 * seconds)

    if request.path.stem in ("test_check", "test_kinds_of_programs", "test_second_opinion"):
        monkeypatch.setattr(sandbox, "limit", patient)
        monkeypatch.setattr(repairs, "MOST_SECONDS", 60.0)
