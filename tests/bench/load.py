"""A client that costs little: some kept connections in one process, each asking again and again.

It shares the machine with the worker it asks, so it parses no more than the length of an answer.
"""

import json
import re
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median, quantiles

WARM_UP = 0.2  # of the time
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
BLOCK = 256 * 1024  # bytes
LEAST = 2  # answers: one has no quantiles


@dataclass(frozen=True)
class Load:
    """What to ask for, on which port of this machine, and for how long."""

    port: int
    path: str
    headers: dict[str, str]
    clients: int
    seconds: float


@dataclass(frozen=True)
class Answered:
    """How many answers came a second, how long they took, and what share of a core it cost here.

    `count` is of all answers, those of the warming up included.
    """

    count: int
    per_second: float
    p50: float
    p99: float
    cpu: float


class Client:
    """One connection with one request on its way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.request = request
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask()

    def ask(self) -> None:
        self.received, self.expected = b"", 0
        self.asked_at = time.perf_counter()
        self.socket.sendall(self.request)

    def is_answered(self) -> bool:
        """Read what has come; say whether it is all."""
        block = self.socket.recv(BLOCK)
        if not block:
            raise ConnectionError("The server hung up.")
        self.received += block
        if not self.expected:
            head, end, _ = self.received.partition(b"\r\n\r\n")
            if not end:
                return False
            length = LENGTH.search(head + b"\r\n")
            if not length or not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode("latin-1"))
            self.expected = len(head) + len(end) + int(length[1])
        return len(self.received) >= self.expected


def run(load: Load) -> Answered:
    """Ask for so long, after a little warming up that doesn't count."""
    lines = [f"GET {load.path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in load.headers.items()]
    request = "\r\n".join([*lines, "", ""]).encode()
    with selectors.DefaultSelector() as selector:
        for _ in range(load.clients):
            client = Client(load.port, request)
            selector.register(client.socket, selectors.EVENT_READ, client)
        warm = ask_until(selector, time.perf_counter() + load.seconds * WARM_UP)
        cpu, start = time.process_time(), time.perf_counter()
        times = ask_until(selector, start + load.seconds)
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    p50, p99 = median(times), quantiles(times, n=100)[-1]
    return Answered(len(warm) + len(times), len(times) / took, p50, p99, cpu / took)


def ask_until(selector: selectors.BaseSelector, end: float) -> list[float]:
    """Return how many milliseconds each answer took until then."""
    times: list[float] = []
    while time.perf_counter() < end or len(times) < LEAST:
        for key, _ in selector.select():
            client: Client = key.data
            if client.is_answered():
                times.append((time.perf_counter() - client.asked_at) * 1000)
                client.ask()
    return times


if __name__ == "__main__":
    json.dump(asdict(run(Load(**json.loads(sys.argv[1])))), sys.stdout)
