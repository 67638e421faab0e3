"""A client that knows nothing of HTTP but the bytes: the sandbox is tested over real sockets."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode, urlsplit

WEB_EVENT = {"sid": "anon-1", "eid": "o1", "typ": "sale", "val": "50.99", "ts": "1709290000"}
HIT = "/api/hit/acme/1/"


def target(path: str = HIT, /, **changes: str) -> str:
    """A web event's path and query, with parameters changed or added."""
    return f"{path}?{urlencode(WEB_EVENT | changes)}"


@dataclass(frozen=True, slots=True)
class Received:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Wire:
    """One connection to the sandbox at ``url``."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._host = place.netloc
        self.socket = socket.create_connection((place.hostname, place.port or 80), timeout=10)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, target: str, *headers: str, method: str = "GET") -> Received:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}", *headers, "", ""]
        self.send("\r\n".join(lines).encode())
        return self.answer(without_body=method == "HEAD")

    def answer(self, *, without_body: bool = False) -> Received:
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        length = 0 if without_body else int(headers["content-length"])
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Received(int(first.split(" ")[1]), headers, body)

    def is_closed_by_server(self) -> bool:
        """Waits until the sandbox closes its side; anything that comes before is no close."""
        return not self._buffer and self.socket.recv(1) == b""

    def _more(self) -> None:
        received = self.socket.recv(65536)
        assert received, "the sandbox closed the connection before its answer was whole"
        self._buffer += received


def get(url: str, target: str, *headers: str, method: str = "GET") -> Received:
    with Wire(url) as wire:
        return wire.get(target, *headers, method=method)
