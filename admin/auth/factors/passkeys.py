"""Passkeys (WebAuthn): a device signs a challenge, for this site alone, after it knew its owner."""

from __future__ import annotations

import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import webauthn
from sqlalchemy import or_, select, update
from starlette.datastructures import URL
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from admin.kit.history import note, set_origin
from models import Operator, Passkey
from models.base import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.settings import Settings

CHALLENGE_LIFETIME = timedelta(minutes=5)
CHALLENGE_BYTES = 32
LONGEST_NAME = 100  # characters
MOST_PASSKEYS = 20
LONGEST_CREDENTIAL_ID = 1023  # bytes, says WebAuthn
TRANSPORTS = {transport.value for transport in AuthenticatorTransport}
CHALLENGE = "challenge"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class PasskeyError(Exception):
    """What a browser sent is not what a passkey of this site would have said."""


@dataclass(frozen=True)
class RelyingParty:
    """What this site is called by browsers; a passkey works for this one alone."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True)
class Challenge:
    value: bytes
    issued_at: datetime


def relying_party(settings: Settings, request: Request) -> RelyingParty | None:
    """Return how this site is called, or None where passkeys can't be had.

    That is what `PUBLIC_URL` says, else the host of the request, if the settings name it.
    """
    url = URL(settings.public_url) if settings.public_url else request.url
    host = url.hostname or ""
    if is_address(host) or not (settings.public_url or is_named(host, settings.allowed_hosts)):
        return None
    scheme = "https" if settings.is_production else url.scheme
    # As browsers write an origin.
    place = url.netloc.lower().removesuffix(DEFAULT_PORTS.get(scheme, ""))
    return RelyingParty(host, f"{scheme}://{place}", settings.title)


def is_named(host: str, allowed: Sequence[str]) -> bool:
    """Say whether the settings name a host; one that says "any" names none."""
    parents = [name[1:] for name in allowed if name.startswith("*.")]
    return host in allowed or any(host.endswith(parent) for parent in parents)


def is_address(host: str) -> bool:
    """Say whether it is a number: passkeys belong to names."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return not host
    return True


# Challenges


def issue_challenge(request: Request, purpose: str) -> bytes:
    """Make a challenge, known to this browser's signed cookie."""
    value = secrets.token_bytes(CHALLENGE_BYTES)
    now = utc_now().isoformat()
    request.session[CHALLENGE] = {"for": purpose, "value": bytes_to_base64url(value), "at": now}
    return value


def take_challenge(request: Request, purpose: str) -> Challenge:
    """Return the challenge made for this purpose a short while ago, and forget it."""
    kept = request.session.pop(CHALLENGE, None) or {}
    if kept.get("for") != purpose:
        raise PasskeyError("There is no challenge for this.")
    issued_at = datetime.fromisoformat(kept["at"])
    if not timedelta() <= utc_now() - issued_at <= CHALLENGE_LIFETIME:
        raise PasskeyError("The challenge is too old.")
    return Challenge(base64url_to_bytes(kept["value"]), issued_at)


# What browsers are asked for


def creation_options(
    party: RelyingParty, challenge: bytes, operator: tuple[int, str], known: Sequence[Passkey]
) -> dict[str, Any]:
    """Ask a browser for a new passkey, on a device that has none for this operator."""
    operator_id, username = operator
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=handle(operator_id),
        user_name=username,
        challenge=challenge,
        timeout=int(CHALLENGE_LIFETIME.total_seconds() * 1000),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[descriptor(passkey) for passkey in known],
    )
    return options_to_json_dict(options)


def request_options(
    party: RelyingParty, challenge: bytes, allowed: Sequence[Passkey] = ()
) -> dict[str, Any]:
    """Ask a browser for one of these passkeys, or for any that it has for this site."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=int(CHALLENGE_LIFETIME.total_seconds() * 1000),
        allow_credentials=[descriptor(passkey) for passkey in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(name) for name in passkey.transports.split()]
    return PublicKeyCredentialDescriptor(
        id=base64url_to_bytes(passkey.credential_id), transports=transports or None
    )


def handle(operator_id: int) -> bytes:
    """Return what passkeys know an operator by; it tells nothing about them."""
    return str(operator_id).encode()


# What browsers answer


def read_new(party: RelyingParty, challenge: Challenge, answer: str) -> Passkey:
    """Return the passkey that a browser made; raise `PasskeyError` for anything else."""
    try:
        credential = parse_registration_credential_json(answer)
        refuse_frames(credential)
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge.value,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    # The library reads bytes that anybody may have made, and fails at them in many ways.
    except Exception as error:
        raise PasskeyError("This is no new passkey.") from error
    if len(made.credential_id) > LONGEST_CREDENTIAL_ID:
        raise PasskeyError("Its name is too long.")
    transports = sorted({name.value for name in credential.response.transports or ()} & TRANSPORTS)
    return Passkey(
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        transports=" ".join(transports),
    )


def use_passkey(
    session: Session,
    party: RelyingParty,
    challenge: Challenge,
    answer: str,
    operator_id: int | None = None,
) -> Operator | None:
    """Return the active operator whose passkey signed the challenge, who may have to be this one.

    A signature is good for one challenge, and a challenge for one use; what goes back behind an
    earlier use is refused, and recorded.
    """
    credential = read_answer(answer)
    passkey = find_passkey(session, credential, operator_id)
    signed = counted(party, challenge, credential, passkey)
    operator = session.get_one(Operator, passkey.operator_id, with_for_update=True)
    if not operator.is_active:
        return None
    set_origin(operator_name=operator.username)
    if not mark_used(session, passkey, challenge, signed):
        note(session, "refuse passkey", operator.username)
        return None
    return operator


def read_answer(answer: str) -> AuthenticationCredential:
    try:
        credential = parse_authentication_credential_json(answer)
        refuse_frames(credential)
    except Exception as error:
        raise PasskeyError("This is no answer of a passkey.") from error
    return credential


def find_passkey(
    session: Session, credential: AuthenticationCredential, operator_id: int | None
) -> Passkey:
    """Return the passkey that answers for an operator, or for whom it names by itself."""
    name = bytes_to_base64url(credential.raw_id)
    passkey = session.scalar(select(Passkey).where(Passkey.credential_id == name))
    said = credential.response.user_handle
    if passkey is None or (operator_id is not None and passkey.operator_id != operator_id):
        raise PasskeyError("Nobody has this passkey here.")
    if said != handle(passkey.operator_id) and (said is not None or operator_id is None):
        raise PasskeyError("This is the passkey of somebody else.")
    return passkey


def counted(
    party: RelyingParty,
    challenge: Challenge,
    credential: AuthenticationCredential,
    passkey: Passkey,
) -> int:
    """Check the signature, and return how many the device says it gave so far."""
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge.value,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=0,  # `mark_used` compares it with the stored one.
            require_user_verification=True,
        )
    except Exception as error:
        raise PasskeyError("The passkey did not sign this.") from error
    return verified.new_sign_count


def mark_used(session: Session, passkey: Passkey, challenge: Challenge, count: int) -> bool:
    """Note a use, unless the count goes back, or the challenge is no later than the last use.

    One statement asks and answers, so that an answer sent twice at once is taken once. Devices
    that don't count always say 0.
    """
    goes_on = Passkey.sign_count < count if count else Passkey.sign_count == 0
    is_new = or_(Passkey.used_at.is_(None), Passkey.used_at < challenge.issued_at)
    stmt = update(Passkey).where(Passkey.id == passkey.id, goes_on, is_new)
    # Never before the challenge, whatever the clocks of several servers say.
    used_at = max(utc_now(), challenge.issued_at)
    stmt = stmt.values(sign_count=count, used_at=used_at).returning(Passkey.id)
    unseen = {"unrecorded": True, "synchronize_session": False}
    return session.scalar(stmt, execution_options=unseen) is not None


def refuse_frames(credential: RegistrationCredential | AuthenticationCredential) -> None:
    """Refuse what was asked for by a page within a page of another site."""
    said = json.loads(credential.response.client_data_json)
    if said.get("crossOrigin") or said.get("topOrigin"):
        raise PasskeyError("Another site asked for this.")
