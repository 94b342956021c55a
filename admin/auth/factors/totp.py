"""Codes of authenticator apps (RFC 6238)."""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import TYPE_CHECKING

import pyotp
import segno

if TYPE_CHECKING:
    from datetime import datetime

SECRET_LENGTH = 32  # characters of five bits: 160, as RFC 4226 wants it
PERIOD = 30  # seconds
# So many steps may the clocks of server and phone be apart.
DRIFT = 1
CODE = re.compile("[0-9]{6}")
LONGEST_CODE = 64  # characters of an app's or a backup code, with what stands between them
# What people put between the groups of a code.
SEPARATORS = re.compile(r"[\s\-–]+")


def new_secret() -> str:
    return pyotp.random_base32(SECRET_LENGTH)


def matching_step(secret: str, code: str, at: datetime) -> int | None:
    """Return the step of time whose code this is, if it is one of those around `at`."""
    totp, now = pyotp.TOTP(secret), int(at.timestamp()) // PERIOD
    steps = range(now - DRIFT, now + DRIFT + 1)
    found = [step for step in steps if hmac.compare_digest(totp.generate_otp(step), code)]
    return found[0] if found else None


def is_code(text: str) -> bool:
    """Say whether it looks like an app's code; backup codes are longer."""
    return CODE.fullmatch(text) is not None


def typed_code(text: str) -> str:
    """Return a code as it is meant, whatever stands between its groups and whichever digits."""
    text = SEPARATORS.sub("", unicodedata.normalize("NFKC", text[:LONGEST_CODE])).casefold()
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def address(secret: str, username: str, issuer: str) -> str:
    """Return what apps read from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def picture(text: str) -> str:
    """Return a QR code as the address of an image that holds itself; no other site draws it."""
    code = segno.make_qr(text, error="m")
    return code.svg_data_uri(scale=4, border=4, dark="#000", light="#fff", omitsize=True)


def in_groups(text: str, size: int = 4) -> str:
    """Return a text in groups that are easier to type."""
    return " ".join(text[start : start + size] for start in range(0, len(text), size))
