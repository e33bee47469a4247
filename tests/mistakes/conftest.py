"""A diagnosis of a few steps: what it finds is not looked at here."""

import pytest


@pytest.fixture(autouse=True)
def _hasty_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltarule.inspection.diagnosis.causes.WATCHED", 4)
