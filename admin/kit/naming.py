"""What an object is called, whatever its model's `__str__` does."""

import logging
from typing import Any

from admin.kit.errors import UNAVAILABLE
from admin.kit.keys import key_of
from admin.kit.reading import may_be_called

log = logging.getLogger(__name__)


def label_of(obj: Any) -> str:
    """Return what an object calls itself; one whose `__str__` fails goes by its key.

    So does one whose name is made of what may not be shown to whoever asks.
    """
    if not may_be_called(type(obj)):
        return key_of(obj)
    try:
        return str(obj)
    except UNAVAILABLE:
        raise
    except Exception:
        log.exception("A %s can't say its name", type(obj).__name__)
        return key_of(obj)
