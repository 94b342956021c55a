"""A server for messages, in a thread: it keeps what it is sent."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast


@dataclass
class Inbox:
    """What the server got; `replies` are what it answers to a command instead of a yes."""

    port: int = 0
    said: list[str] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def link(self) -> str:
        """Return the link in the only message."""
        (message,) = self.messages
        return next(word for word in str(message.get_content()).split() if "://" in word)


class Conversation(socketserver.StreamRequestHandler):
    """Speaks as little SMTP as a client needs."""

    def handle(self) -> None:
        self.say("220 here")
        for line in iter(self.rfile.readline, b""):
            command = line.decode().strip()
            self.inbox.said.append(command)
            verb = command.split()[0].upper() if command else ""
            self.say(self.inbox.replies.get(verb) or self.answer(verb))
            if verb == "QUIT":
                return

    @property
    def inbox(self) -> Inbox:
        return cast("Any", self.server).inbox  # type: ignore[no-any-return]

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def answer(self, verb: str) -> str:
        if verb == "EHLO":
            return "250-here\r\n250 AUTH PLAIN"
        if verb == "AUTH":
            return "235 welcome"
        if verb == "QUIT":
            return "221 bye"
        if verb == "DATA":
            self.say("354 go on")
            self.inbox.messages.append(self.read_message())
        return "250 yes"

    def read_message(self) -> EmailMessage:
        lines = iter(self.rfile.readline, b".\r\n")
        return message_from_bytes(b"".join(lines), policy=policy.default)


@contextmanager
def mail_server() -> Iterator[Inbox]:
    """Listen on a port that is free."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        inbox = Inbox(port=server.server_address[1])
        cast("Any", server).inbox = inbox
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()
