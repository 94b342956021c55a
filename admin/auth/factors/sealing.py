"""Secrets that have to be read again are kept encrypted."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta


class Sealer:
    """Encrypts with keys that are derived from the site's secrets, others for each operator.

    The first secret seals, and what any of them sealed is opened. What is copied from one
    operator's row into another's is not.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self.secret_keys = secret_keys

    def seal(self, operator_id: int, text: str) -> str:
        return self._keys(operator_id).encrypt(text.encode()).decode()

    def open(self, operator_id: int, sealed: str, lifetime: timedelta | None = None) -> str | None:
        """Return what was sealed; None if no key fits, or if that was longer ago."""
        seconds = int(lifetime.total_seconds()) if lifetime else None
        try:
            return self._keys(operator_id).decrypt(sealed.encode(), seconds).decode()
        except InvalidToken:
            return None

    def renew(self, operator_id: int, sealed: str) -> str:
        """Return the same, sealed with the first secret, so that the others can be forgotten."""
        return self._keys(operator_id).rotate(sealed.encode()).decode()

    def _keys(self, operator_id: int) -> MultiFernet:
        return MultiFernet([Fernet(derive(secret, operator_id)) for secret in self.secret_keys])


def derive(secret: str, operator_id: int) -> bytes:
    purpose = f"authenticator app of operator {operator_id}"
    kdf = HKDF(SHA256(), length=32, salt=None, info=purpose.encode())
    return urlsafe_b64encode(kdf.derive(secret.encode()))
