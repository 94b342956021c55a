"""The hosts that the site answers to."""

import logging
import re
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from admin.kit.languages import gettext

log = logging.getLogger(__name__)

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::[0-9]{1,5})?", re.ASCII)
LONGEST_LOGGED = 100  # characters


class KnownHosts:
    """Answers 400, in words, to a request for another host, for two at once, or for none.

    `*.example.org` stands for all hosts below, `*` for every host. Whoever asks for another one is
    a scanner, or a proxy that was set up wrongly: it is logged, and no more.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self.hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            named = [value for name, value in scope["headers"] if name == b"host"]
            host = named[0].decode("latin-1") if len(named) == 1 else ""
            if not self.knows(host):
                said = b", ".join(named).decode("latin-1")[:LONGEST_LOGGED]
                log.warning("Refused a request for the host %r: see ALLOWED_HOSTS.", said)
                raise HTTPException(400, gettext("This site is not at that address."))
        await self.app(scope, receive, send)

    def knows(self, host: str) -> bool:
        match = HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].lower()
        above = name.split(".")
        wildcards = {f"*.{'.'.join(above[start:])}" for start in range(1, len(above))}
        return not self.hosts.isdisjoint({name, "*", *wildcards})
