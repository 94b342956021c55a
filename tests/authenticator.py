"""A security key in software: what a browser and a device answer, or what a forger would."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cbor2 import dumps
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def as_text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def as_bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """Holds one passkey; its attributes can be changed into those of a liar."""

    origin: str = "http://testserver"
    rp_id: str = "testserver"
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    cross_origin: bool = False
    count: int = 0
    user_handle: bytes = b""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: dict[str, Any]) -> str:
        """Answer `navigator.credentials.create`."""
        self.user_handle = as_bytes(options["user"]["id"])
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id
        data = self.data(ATTESTED) + attested + dumps(self.public_key())
        said = dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self.credential("webauthn.create", options, attestationObject=as_text(said))

    def get(self, options: dict[str, Any]) -> str:
        """Answer `navigator.credentials.get`."""
        data = self.data()
        digest = hashlib.sha256(self.client_data("webauthn.get", options)).digest()
        signature = self.key.sign(data + digest, ec.ECDSA(SHA256()))
        return self.credential(
            "webauthn.get",
            options,
            authenticatorData=as_text(data),
            signature=as_text(signature),
            userHandle=as_text(self.user_handle),
        )

    def data(self, more_flags: int = 0) -> bytes:
        self.count += self.counts
        flags = (self.flags | more_flags).to_bytes(1)
        return hashlib.sha256(self.rp_id.encode()).digest() + flags + self.count.to_bytes(4)

    def client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**said, "crossOrigin": self.cross_origin}).encode()

    def credential(self, kind: str, options: dict[str, Any], **response: str) -> str:
        response["clientDataJSON"] = as_text(self.client_data(kind, options))
        name = as_text(self.credential_id)
        said = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps(said)

    def public_key(self) -> dict[int, Any]:
        """Return the key as COSE writes it: ES256 on P-256."""
        point = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
