"""What the tests of the check share."""

from contextlib import AbstractContextManager

import pytest

from deltarule.learn import repairs, sandbox

PATIENT = ("test_check", "test_fresh_kinds", "test_kinds_of_programs", "test_new_kinds", "test_second_opinion")


@pytest.fixture(autouse=True)
def _patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """More time for a learner's function: beside 8,000 other tests it takes longer than alone."""
    limit = sandbox.limit

    def patient(seconds: float) -> AbstractContextManager[None]:
        return limit(10.0 * seconds)

    if request.path.stem in PATIENT:
        monkeypatch.setattr(sandbox, "limit", patient)
        if "patient_repair" not in request.fixturenames:  # these say nothing of the edit that removes a mistake
            monkeypatch.setattr(repairs, "MOST_EDITS", 1)


@pytest.fixture
def patient_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    """More time for edits of a line, where a test says which one repairs it."""
    monkeypatch.setattr(repairs, "MOST_SECONDS", 60.0)
