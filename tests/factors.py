"""Second factors of the people in the tests."""

import pyotp
from cbor2 import dumps
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.auth.factors.backup_codes import replace_codes
from admin.auth.factors.sealing import Sealer
from admin.settings import Settings
from models import Operator, Passkey
from models.base import utc_now
from models.database import Database
from tests.authenticator import Authenticator, as_text
from tests.personas import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = "/admin/login/second-step"
OVERVIEW = "/admin/account/two-factor"


def add_app(database: Database, settings: Settings, username: str) -> None:
    """Let an operator have an authenticator app with `SECRET`."""
    sealer = Sealer(settings.secret_keys)

    def work(session: Session) -> None:
        operator = session.scalars(select(Operator).where(Operator.username == username)).one()
        operator.totp_secret, operator.totp_step = sealer.seal(operator.id, SECRET), None

    database.write(work)


def code_now(*, later: int = 0, secret: str = SECRET) -> str:
    """Return what the app shows, or so many steps later."""
    return pyotp.TOTP(secret).at(utc_now(), counter_offset=later)


def add_codes(database: Database, operator: Operator) -> list[str]:
    return database.write(lambda session: replace_codes(session, operator.id))


def add_passkey(database: Database, operator: Operator) -> Authenticator:
    """Let an operator have a passkey, and return its device."""
    device = Authenticator(user_handle=str(operator.id).encode())
    passkey = Passkey(
        operator_id=operator.id,
        name="Key",
        credential_id=as_text(device.credential_id),
        public_key=as_text(dumps(device.public_key())),
    )
    database.write(lambda session: session.add(passkey))
    return device


def enter(client: TestClient, username: str, **more: str) -> Response:
    """Send the right password."""
    data = {"username": username, "password": PASSWORD, **more}
    return client.post("/admin/login", data=data)


def is_signed_in(client: TestClient) -> bool:
    return client.get("/admin/").status_code == 200
