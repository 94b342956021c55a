"""A clock that stands still until a test lets time pass."""

from datetime import datetime, timedelta
from types import ModuleType

import pytest

from models.base import utc_now


class Clock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


def stop(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> Clock:
    """Return the time of day as these modules see it."""
    clock = Clock()
    for module in modules:
        monkeypatch.setattr(module, "utc_now", clock)
    return clock
