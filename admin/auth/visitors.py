"""Who knocks: the address and the browser of a request, and browsers known from before."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from itsdangerous import BadSignature

from admin.auth.signed_cookie import signer_of
from admin.kit.history import address_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

LONGEST_USER_AGENT = 300  # characters
# How long a browser is known after somebody signed in there.
DEVICE_SECONDS = int(timedelta(days=30).total_seconds())
# The first one that is found: most browsers claim to be others, too.
BROWSERS = {
    r"Edg(e|A|iOS)?/": "Edge",
    r"OPR/|Opera": "Opera",
    r"SamsungBrowser/": "Samsung Internet",
    r"Firefox/|FxiOS/": "Firefox",
    r"Chrome/|CriOS/|Chromium/": "Chrome",
    r"Safari/": "Safari",
    r"curl/": "curl",
}
SYSTEMS = {
    r"iPhone": "iPhone",
    r"iPad": "iPad",
    r"Android": "Android",
    r"CrOS": "ChromeOS",
    r"Windows": "Windows",
    r"Mac OS X|Macintosh": "macOS",
    r"Linux|X11": "Linux",
}


@dataclass(frozen=True)
class Visitor:
    """Where a request comes from.

    `device` marks a browser in which the operator `device_of` signed in lately; "" is any other.
    """

    address: str = ""
    user_agent: str = ""
    device: str = ""
    device_of: int | None = None

    @property
    def words(self) -> str:
        return device_words(self.user_agent)

    @property
    def network(self) -> str:
        return network_of(self.address)


def device_words(user_agent: str) -> str:
    """Return browser and system, such as "Firefox, Linux"; "" for what is neither."""
    return ", ".join(filter(None, (first(BROWSERS, user_agent), first(SYSTEMS, user_agent))))


def first(names: dict[str, str], user_agent: str) -> str:
    return next((name for sign, name in names.items() if re.search(sign, user_agent)), "")


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 a /64, all of which one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


class Doorman:
    """Knows browsers again by a signed cookie, and hashes names that are no operator's."""

    def __init__(self, secret_keys: Sequence[str], *, https: bool) -> None:
        self.https = https
        self.cookie_name = "__Host-admin-device" if https else "admin-device"
        self.signer = signer_of(secret_keys, salt="device")
        self.key = hashlib.sha256(f"names {secret_keys[0]}".encode()).digest()

    def visitor(self, request: Request) -> Visitor:
        address = address_of(request)
        user_agent = request.headers.get("user-agent", "").replace("\0", "")[:LONGEST_USER_AGENT]
        operator_id, device = self.read(request.cookies.get(self.cookie_name, ""))
        return Visitor(address, user_agent, device, operator_id)

    def read(self, cookie: str) -> tuple[int | None, str]:
        """Return who signed in lately where this cookie comes from, and the browser's mark."""
        try:
            text = self.signer.unsign(cookie, max_age=DEVICE_SECONDS).decode()
        except (BadSignature, UnicodeError):
            return None, ""
        operator_id, _, device = text.partition("-")
        return int(operator_id), device

    def remember(self, response: Response, operator_id: int) -> None:
        """Let the browser that gets this answer be known as one of the operator's."""
        text = f"{operator_id}-{secrets.token_urlsafe(12)}"
        response.set_cookie(
            self.cookie_name,
            self.signer.sign(text.encode()).decode(),
            max_age=DEVICE_SECONDS,
            httponly=True,
            samesite="strict",
            secure=self.https,
        )

    def hashed(self, name: str) -> str:
        """Return what stands for a name that is no operator's: it may be a password."""
        return hmac.new(self.key, name.encode(errors="replace"), hashlib.sha256).hexdigest()[:32]
