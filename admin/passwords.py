"""Password hashes: argon2id, checked in the same time whether an operator exists or not."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP, "Password Storage Cheat Sheet": 19 MiB, two passes, one lane.
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# The hash of a password nobody knows stands in for operators that don't exist.
NOBODY = hasher.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    return hasher.hash(normalize(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Say whether the password is right; without a hash the answer, late as ever, is no."""
    try:
        is_right = hasher.verify(password_hash or NOBODY, normalize(password))
    except (VerificationError, InvalidHashError):
        return False
    return is_right and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Say whether the hash was made with other parameters than today's."""
    return hasher.check_needs_rehash(password_hash)


def random_password() -> str:
    """Return a password of 128 random bits."""
    return secrets.token_urlsafe(16)


def normalize(password: str) -> str:
    """Make the same password typed on two keyboards the same text (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
