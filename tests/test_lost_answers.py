"""Writes over a connection that is cut just as the server commits: each is stored once."""

import random
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from models import ChangeSet, User
from models.database import Database, connect
from tests.databases import Postgresql

COMMIT = b"COMMIT\0"
WRITES = 100
FATES = ["answer lost", "still on its way", "never arrived"]


class CuttingProxy:
    """Stands between a client and PostgreSQL; `fate` is what happens to the next COMMIT."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.fate = ""
        self.cuts = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.threads: list[threading.Thread] = []
        self.start(self.serve)

    def start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments)  # type: ignore[arg-type]
        thread.start()
        self.threads.append(thread)

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                self.start(self.connect, client, socket.create_connection(self.target))

    def connect(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, suppress(OSError):
            while self.forward(client, server):
                pass

    def forward(self, client: socket.socket, server: socket.socket) -> bool:
        """Hand on what came, and say whether the connection lives on."""
        source = select.select([client, server], [], [])[0][0]
        data = source.recv(65536)
        if source is client and self.fate and data.endswith(COMMIT):
            self.lose(data, client, server)
            return False
        (server if source is client else client).sendall(data)
        return bool(data)

    def lose(self, data: bytes, client: socket.socket, server: socket.socket) -> None:
        fate, self.fate = self.fate, ""
        self.cuts += 1
        if fate == "still on its way":
            client.close()
            time.sleep(random.uniform(0, 0.1))
        if fate != "never arrived":
            server.sendall(data)
            server.recv(65536)

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def backend(postgresql: Postgresql) -> Postgresql:
    return postgresql


@pytest.fixture
def proxy(real_database: Database) -> Iterator[CuttingProxy]:
    url = real_database.writer.engine.url
    proxy = CuttingProxy(url.host or "", url.port or 5432)
    yield proxy
    proxy.close()


@pytest.fixture
def remote(real_database: Database, proxy: CuttingProxy) -> Iterator[Database]:
    """Reach the database through the proxy, with a history."""
    port = proxy.listening.getsockname()[1]
    database = connect(real_database.writer.engine.url.set(port=port), wait=10.0)
    yield database.recorded_by(JOURNAL)
    database.dispose()


def count(database: Database, model: type) -> int:
    return database.read(lambda s: s.scalar(sa.select(sa.func.count()).select_from(model))) or 0


@pytest.mark.parametrize("fate", FATES)
def test_a_hundred_of_a_hundred_new_rows_are_stored_once(
    remote: Database, real_database: Database, proxy: CuttingProxy, fate: str
) -> None:
    def work(session: Session) -> str:
        session.add(User(name=name, email=f"{name}@example.org"))
        return name

    for number in range(WRITES):
        name, proxy.fate = f"user {number}", fate
        assert remote.write(work) == name
    assert proxy.cuts == WRITES
    assert count(real_database, User) == count(real_database, ChangeSet) == WRITES


@pytest.mark.parametrize("fate", FATES)
def test_what_can_not_be_seen_twice_is_done_once(
    remote: Database, real_database: Database, proxy: CuttingProxy, fate: str
) -> None:
    """Nothing unique stands in the way of counting one up again."""
    real_database.write(lambda s: s.add(User(id=1, name="0", email="alice@example.org")))

    def work(session: Session) -> int:
        alice = session.get_one(User, 1, with_for_update=True)
        alice.name = str(int(alice.name) + 1)
        return int(alice.name)

    for number in range(25):
        proxy.fate = fate
        assert remote.write(work) == number + 1
    alice = real_database.read(lambda session: session.get_one(User, 1))
    assert (alice.name, alice.version) == ("25", 26)
    assert count(real_database, ChangeSet) == 25


def test_what_refuses_a_second_time_was_stored_the_first_time(
    remote: Database, real_database: Database, proxy: CuttingProxy
) -> None:
    """The repetition finds the row gone, because the COMMIT arrived while it waited."""
    for number in range(1, 21):
        user = User(id=number, name="Alice", email=f"{number}@example.org")
        real_database.write(partial(Session.add, instance=user))

        def work(session: Session, number: int = number) -> str:
            found = session.get_one(User, number, with_for_update=True)
            session.delete(found)
            return found.email

        proxy.fate = "still on its way"
        assert remote.write(work) == f"{number}@example.org"
    assert (count(real_database, User), count(real_database, ChangeSet)) == (0, 20)
