"""Fewer steps than in earnest, for the tests' sake."""

import pytest

from deltarule.inspection.diagnosis import causes


@pytest.fixture
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "WATCHED", 60)
