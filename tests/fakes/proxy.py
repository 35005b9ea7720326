"""A socket between mcpctl and a real engine that loses answers, breaks connections, refuses and goes away.

Each rule says which requests it meets, what it does to them, and how often. What no rule meets passes through
unchanged, so everything else about the engine is real.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

Fault = Literal["none", "lose the answer", "cut the answer", "cut before", "refuse", "hang"]
"""``lose``: the engine works, the connection breaks without a byte. ``cut``: it breaks within the answer.
``cut before``: it breaks, and the engine never hears of it. ``refuse``: an error in the engine's place.
``hang``: the engine works, and its answer never comes."""

_HEAD_END = b"\r\n\r\n"


@dataclass
class Rule:
    """Meets requests whose ``METHOD /path?query`` matches; ``first`` is called before the fault."""

    request: str
    fault: Fault
    times: int = 1
    status: int = 500
    message: str = "a fault of the test"
    first: Callable[[], None] = lambda: None
    met: int = 0

    def meets(self, line: str) -> bool:
        return self.met < self.times and re.search(self.request, line) is not None


@dataclass
class Proxy:
    """Listens on ``path`` and passes on to the engine's own socket, one request for each connection."""

    path: Path
    engine: str
    rules: list[Rule] = field(default_factory=list[Rule])
    seen: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._ended = Event()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def __enter__(self) -> Proxy:
        self.come_back()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go_away()
        self._ended.set()
        for thread in self._threads:
            thread.join(20)

    def go_away(self) -> None:
        """Refuse connections and break those that are open, as an engine that stops does."""
        with self._lock:
            listener, self._listener = self._listener, None
            held = list(self._open)
        if listener:
            _shut(listener)
        self.path.unlink(missing_ok=True)
        for item in held:
            _shut(item)

    def come_back(self) -> None:
        """Listen (again)."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen(64)
        with self._lock:
            self._listener = listener
        self._begin(self._accept, listener)

    def _begin(self, work: Callable[[socket.socket], None], given: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(given,), daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # it went away
                return
            with self._lock:
                self._open.add(client)
            self._begin(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:  # a broken connection is what this is for
            request = _read_request(client)
            if request:
                self._pass_on(client, request)
        with self._lock:
            self._open.discard(client)

    def _pass_on(self, client: socket.socket, request: bytes) -> None:
        line = request.split(b"\r\n", 1)[0].decode().rpartition(" ")[0]
        rule = self._rule(line)
        if rule:
            rule.first()
            rule = None if rule.fault == "none" else rule
        if rule and rule.fault == "cut before":
            return
        if rule and rule.fault == "refuse":
            client.sendall(_refusal(rule))
            return
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.engine)
            engine.sendall(_without_keep_alive(request))
            if rule is None:
                self._both_ways(client, engine)
                return
            answer = _read_all(engine)
        if rule.fault == "cut the answer":
            client.sendall(answer[: answer.index(_HEAD_END) + len(_HEAD_END) + 1])
        elif rule.fault == "hang":
            self._ended.wait(120)

    def _rule(self, line: str) -> Rule | None:
        with self._lock:
            self.seen.append(line)
            rule = next((item for item in self.rules if item.meets(line)), None)
            if rule:
                rule.met += 1
            return rule

    def _both_ways(self, client: socket.socket, engine: socket.socket) -> None:
        with self._lock:
            self._open.add(engine)
        back = threading.Thread(target=_copy, args=(client, engine), daemon=True)
        back.start()
        _copy(engine, client)
        _shut(client)
        _shut(engine)
        back.join(20)
        with self._lock:
            self._open.discard(engine)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _shut(item: socket.socket) -> None:
    with suppress(OSError):
        item.shutdown(socket.SHUT_RDWR)
    item.close()


def _read_request(client: socket.socket) -> bytes:
    """Read the head, and the body where its length is given; chunks are passed on as they come."""
    data = b""
    while _HEAD_END not in data:
        more = client.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(_HEAD_END)
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += client.recv(65536)
    return head + _HEAD_END + body


def _without_keep_alive(request: bytes) -> bytes:
    """Ask the engine to close after its answer: its end is then the answer's end."""
    if re.search(rb"(?im)^upgrade:", request.partition(_HEAD_END)[0]):
        return request
    head, end, body = request.partition(_HEAD_END)
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + end + body


def _read_all(engine: socket.socket) -> bytes:
    answer = b""
    while data := engine.recv(65536):
        answer += data
    return answer


def _refusal(rule: Rule) -> bytes:
    body = json.dumps({"message": rule.message}).encode()
    head = (
        f"HTTP/1.1 {rule.status} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    return head.encode() + b"Connection: close\r\n\r\n" + body
