"""Messages to operators, over SMTP with TLS."""

from __future__ import annotations

import logging
import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Self
from urllib.parse import unquote, urlsplit

from admin.kit.fields import EMAIL

log = logging.getLogger("admin")

TIMEOUT = 20.0  # seconds
HERE = {"localhost", "127.0.0.1", "::1"}
PORTS = {"smtp": 587, "smtps": 465}


class MailError(Exception):
    """A message was not sent; the log says why."""


@dataclass(frozen=True)
class Mailer:
    """Sends messages by way of one server.

    `smtps` speaks TLS from the start. `smtp` begins in the clear, and goes on by STARTTLS or, but
    for a server on this machine, not at all.
    """

    scheme: str
    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""

    @classmethod
    def at(cls, url: str, sender: str) -> Self:
        """Return the mailer for an address such as `smtp://name:password@mail.example.org:587`.

        Raises `ValueError` for another kind of address.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(url)
        port = parts.port or PORTS[parts.scheme]
        names = (unquote(parts.username or ""), unquote(parts.password or ""))
        return cls(parts.scheme, parts.hostname, port, sender, *names)

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a message, or raise `MailError`; neither text nor password is logged."""
        try:
            message = self.message(to, subject, text)
            with closing(self.connect()) as server:
                server.send_message(message, self.sender, [to])
                with suppress(smtplib.SMTPException):  # It has the message.
                    server.quit()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            log.warning("A message was not sent by %s: %s", self.host, reason(error))
            raise MailError from None

    def message(self, to: str, subject: str, text: str) -> EmailMessage:
        """Return the message; an address that is more than one, or none, is a `ValueError`."""
        if not EMAIL.fullmatch(to):
            raise ValueError(to)
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = Address(addr_spec=to)
        message["Subject"] = subject
        # Servers that answer by themselves don't answer to this.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    def connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
        try:
            self.secure(server, context)
        except BaseException:
            server.close()
            raise
        return server

    def secure(self, server: smtplib.SMTP, context: ssl.SSLContext) -> None:
        """Go on in TLS before anything is said that is nobody else's business."""
        server.ehlo_or_helo_if_needed()
        if self.scheme == "smtp" and (self.host not in HERE or server.has_extn("starttls")):
            server.starttls(context=context)
        if self.username:
            server.login(self.username, self.password)


def reason(error: Exception) -> str:
    """Say what kind of error it was: what servers answer may repeat what was sent."""
    code = getattr(error, "smtp_code", "")
    return f"{type(error).__name__} {code}".strip()
