"""What an object is called, whatever its model's `__str__` does."""

import logging
from typing import Any

from admin.kit.errors import UNAVAILABLE
from admin.kit.keys import key_of

log = logging.getLogger(__name__)


def label_of(obj: Any) -> str:
    """Return what an object calls itself; one whose `__str__` fails goes by its key."""
    try:
        return str(obj)
    except UNAVAILABLE:
        raise
    except Exception:
        log.exception("A %s can't say its name", type(obj).__name__)
        return key_of(obj)
