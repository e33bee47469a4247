"""Fewer steps than in earnest, for the tests' sake."""

import pytest

from deltarule.inspection.diagnosis import causes, trials


@pytest.fixture
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (causes, trials):
        monkeypatch.setattr(module, "WATCHED", 80)
