"""Refusals in the history: enough of them to see what goes on, never so many as to fill it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

from admin.kit.csrf import CrossSiteError
from admin.kit.errors import UNAVAILABLE
from admin.kit.history import address_of, note, origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from admin.kit.site import AdminSite

log = logging.getLogger(__name__)

# In a window, by one process.
WINDOW = 60  # seconds
MOST_OF_ADDRESS = 10
MOST = 100


class Refusals:
    """Says which refusals the history keeps; the rest is counted, and told with the next one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.window = 0
        self.kept: Counter[str] = Counter()
        self.left_out = 0

    def admits(self, address: str) -> bool:
        """Say whether to keep a refusal of this address."""
        self.begin_window()
        if self.kept[address] >= MOST_OF_ADDRESS or self.kept.total() >= MOST:
            self.left_out += 1
            return False
        self.kept[address] += 1
        return True

    def begin_window(self) -> None:
        now = int(self.clock() // WINDOW)
        if now != self.window:
            self.window = now
            self.kept.clear()

    def take_left_out(self) -> int:
        """Return how many were left out since this was asked last."""
        count, self.left_out = self.left_out, 0
        return count


async def record(site: AdminSite, request: Request, error: Exception) -> None:
    """Keep a refusal of somebody signed in, or of what another site started.

    Strangers who ask for pages are led to sign in, which is no refusal.
    """
    is_cross_site = isinstance(error, CrossSiteError)
    if not (is_cross_site or hasattr(request.state, "operator_name")):
        return
    address = address_of(request)
    if not site.refusals.admits(address):
        return
    action = "refuse other site" if is_cross_site else "refuse"
    said = label(request, site.refusals.take_left_out())
    # Of what another site started, nobody has looked yet who is asking.
    with origin(source="form", address=address, request_id=request.state.request_id):
        try:
            await site.write(lambda session: note(session, action, said))
        except UNAVAILABLE:
            # The answer is the same; it is the record alone that is lost.
            log.warning("A refusal was not recorded: %r", said)


def label(request: Request, left_out: int) -> str:
    """Say what was asked for, with how many refusals before it that were not kept."""
    asked = f"{request.method} {request.scope['path']}"
    return f"+{left_out} {asked}" if left_out else asked
