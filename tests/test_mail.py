"""Messages go to one address, over TLS or not at all, and leave no secret in the log."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from admin.auth import mail
from admin.auth.mail import Mailer, MailError
from tests.mail import Inbox, mail_server

SENDER = "Admin <admin@example.org>"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as inbox:
        yield inbox


@pytest.fixture
def mailer(inbox: Inbox) -> Mailer:
    return Mailer.at(inbox.url, SENDER)


def test_a_message_arrives(inbox: Inbox, mailer: Mailer) -> None:
    mailer.send("olga@example.org", "Grüße", "Wörter\n")
    (message,) = inbox.messages
    assert (message["From"], message["To"]) == (SENDER, "olga@example.org")
    assert (message["Subject"], message.get_content().strip()) == ("Grüße", "Wörter")
    assert any("<olga@example.org>" in line for line in inbox.said)


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org, b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "nobody",
        "",
        "a b@c.d",
    ],
)
def test_one_address_is_one_address(inbox: Inbox, mailer: Mailer, address: str) -> None:
    with pytest.raises(MailError):
        mailer.send(address, "Subject", "Text")
    assert inbox.messages == []


def test_a_subject_holds_no_other_line(inbox: Inbox, mailer: Mailer) -> None:
    with pytest.raises(MailError):
        mailer.send("olga@example.org", "Subject\r\nBcc: b@example.org", "Text")
    assert inbox.messages == []


def test_without_tls_nothing_is_said_to_another_machine(
    inbox: Inbox, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "HERE", set())
    secret = replace(mailer, username="admin", password="hunter2")
    with pytest.raises(MailError):
        secret.send("olga@example.org", "Subject", "Text")
    assert [line.split()[0].upper() for line in inbox.said] == ["EHLO"]


def test_on_this_machine_a_password_is_given_to_who_asks(inbox: Inbox) -> None:
    url = inbox.url.replace("://", "://admin:s%40cret@")
    Mailer.at(url, SENDER).send("olga@example.org", "Subject", "Text")
    assert any(line.startswith("AUTH PLAIN") for line in inbox.said)
    assert len(inbox.messages) == 1


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_what_fails_is_logged_without_what_was_said(
    inbox: Inbox, mailer: Mailer, caplog: pytest.LogCaptureFixture, verb: str
) -> None:
    inbox.replies = {verb: "550 no token-4711 here", "HELO": "550 no token-4711 here"}
    with caplog.at_level(logging.DEBUG), pytest.raises(MailError):
        mailer.send("olga@example.org", "Subject", "token-4711")
    assert "A message was not sent by 127.0.0.1: SMTP" in caplog.text
    assert "token-4711" not in caplog.text


def test_a_server_that_is_away_is_a_failure(inbox: Inbox, mailer: Mailer) -> None:
    with pytest.raises(MailError):
        replace(mailer, port=9).send("olga@example.org", "Subject", "Text")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", ("smtp", "mail.example.org", 587, "", "")),
        ("smtps://o%40x:p%3A@mail.example.org", ("smtps", "mail.example.org", 465, "o@x", "p:")),
        ("smtp://mail.example.org:25", ("smtp", "mail.example.org", 25, "", "")),
    ],
)
def test_an_address_says_where_and_how(url: str, expected: tuple[object, ...]) -> None:
    found = Mailer.at(url, SENDER)
    assert (found.scheme, found.host, found.port, found.username, found.password) == expected


@pytest.mark.parametrize("url", ["http://example.org", "smtp://", "mail.example.org"])
def test_another_address_is_none(url: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Mailer.at(url, SENDER)
