"""As much of HTTP/1.1 as the sandbox needs, read and written fast: requests without a body,
kept-alive connections, and answers that leave in one piece.

It is written by hand because a rehearsal must not be slower than what it stands for. Measured,
it answers 12,000 to 15,000 requests a second, and the server of the standard library 500 to
3,000, which parses each head as a mail's: with that one the pace of a replay, and what holds it
back, would be the sandbox's own.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from http import HTTPStatus

from msgspec import Struct

# What common web servers take; a longer request would fail against the real service as well.
MAX_REQUEST_LINE = 8190
MAX_HEAD = 32 * 1024
_RECEIVE = 16 * 1024
_LINGER_S = 1.0
_LINGER_BYTES = 1024 * 1024
_BLANK_LINE = b"\r\n\r\n"
_TEXT = "text/plain; charset=utf-8"


class BadRequestError(Exception):
    """These bytes are no request that could be answered otherwise than with this refusal."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Request(Struct, frozen=True):
    """One request's first line, and the rest of its head as it came."""

    method: str
    target: str
    """Path and query as they came, still percent-encoded."""
    keep_alive: bool
    has_body: bool
    head: bytes
    """The header lines as they came, each with the line break before it."""

    def header(self, name: str) -> str | None:
        """The value of the first header of this name, or None."""
        found = _header(self.head, self.head.lower(), name.lower().encode())
        return None if found is None else found.decode("latin-1")


class Response(Struct, frozen=True):
    """A status, a body, and what the headers say beyond the body's type and length."""

    status: int
    body: bytes
    content_type: str = _TEXT
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def sentence(cls, status: int, text: str, *headers: tuple[str, str]) -> Response:
        return cls(status, text.encode() + b"\n", headers=headers)

    def rendered(self, *, close: bool, without_body: bool = False) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {_reason(self.status)}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        if close:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if without_body else head + self.body


class Connection:
    """One client's connection: gives its requests, takes the answers, in turn.

    Not safe from several threads, except ``stop_reading`` and ``cut``.
    """

    def __init__(self, sock: socket.socket, *, idle_timeout_s: float) -> None:
        self._socket = sock
        self._buffer = b""
        # A client that answers nobody any more must not hold its thread for ever.
        sock.settimeout(idle_timeout_s)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def next_request(self) -> Request | None:
        """The next request; None when the client has closed or gone.

        Raises ``BadRequestError`` for bytes that are no request; then nothing more can be read.
        """
        buffer = self._buffer
        while True:
            # Line breaks before a request are harmless, and clients have been known to send them.
            buffer = buffer.lstrip(b"\r\n")
            end = buffer.find(_BLANK_LINE)
            if end >= 0:
                self._buffer = buffer[end + len(_BLANK_LINE) :]
                return _parse(buffer[:end])
            _refuse_early(buffer)
            try:
                received = self._socket.recv(_RECEIVE)
            except OSError:
                return None
            if not received:
                return None
            buffer += received

    def send(self, answer: bytes) -> bool:
        """Writes an answer in one piece; False when the client is gone."""
        try:
            self._socket.sendall(answer)
        except OSError:
            return False
        return True

    def linger(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Says that nothing more will be sent, and reads what is still coming in for a moment:
        closing over unread bytes would reset the connection and lose the answer on its way."""
        deadline = clock() + _LINGER_S
        unread = _LINGER_BYTES
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while unread > 0 and (left := deadline - clock()) > 0:
                self._socket.settimeout(left)
                received = self._socket.recv(_RECEIVE)
                if not received:
                    return
                unread -= len(received)

    def stop_reading(self) -> None:
        """Lets the answer in hand go out, then ends."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


def _refuse_early(buffer: bytes) -> None:
    """Refuses what can never become a request, instead of waiting for its end."""
    line_end = buffer.find(b"\n")
    if buffer and not buffer[:1].isalpha():
        raise BadRequestError(400, "This is no HTTP request; the sandbox speaks plain HTTP/1.1.")
    if line_end >= 0:
        _split_request_line(buffer[:line_end].removesuffix(b"\r"))
    elif len(buffer) > MAX_REQUEST_LINE:
        raise _line_too_long()
    if len(buffer) > MAX_HEAD:
        raise BadRequestError(431, f"The request's headers are longer than {MAX_HEAD} bytes.")


def _parse(head: bytes) -> Request:
    line_end = head.find(b"\r\n")
    line, headers = (head, b"") if line_end < 0 else (head[:line_end], head[line_end:])
    method, target, version = _split_request_line(line)
    lowered = headers.lower()
    return Request(
        method=method.decode("ascii"),
        target=_without_origin(target).decode("utf-8", "replace"),
        keep_alive=_keeps_alive(version, _header(lowered, lowered, b"connection")),
        has_body=b"\r\ntransfer-encoding:" in lowered
        or (_header(lowered, lowered, b"content-length") or b"0") != b"0",
        head=headers,
    )


def _split_request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    if len(line) > MAX_REQUEST_LINE:
        raise _line_too_long()
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[0].isalpha():
        raise BadRequestError(400, "The request's first line is not METHOD, address, version.")
    method, target, version = parts
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise BadRequestError(505, "The sandbox speaks HTTP/1.1 only.")
    return method, target, version


def _without_origin(target: bytes) -> bytes:
    """The path and query of a target that names the host too, as a client sends it to a proxy."""
    if not target.startswith(b"http://"):
        return target
    slash = target.find(b"/", len(b"http://"))
    return target[slash:] if slash >= 0 else b"/"


def _keeps_alive(version: bytes, connection: bytes | None) -> bool:
    tokens = [] if connection is None else [t.strip() for t in connection.split(b",")]
    if b"close" in tokens:
        return False
    return version == b"HTTP/1.1" or b"keep-alive" in tokens


def _header(headers: bytes, lowered: bytes, name: bytes) -> bytes | None:
    """The first value of a header; ``lowered`` are the same lines in lower case, as is ``name``."""
    key = b"\r\n" + name + b":"
    start = lowered.find(key)
    if start < 0:
        return None
    end = headers.find(b"\r\n", start + len(key))
    return headers[start + len(key) : end if end >= 0 else None].strip(b" \t")


def _line_too_long() -> BadRequestError:
    return BadRequestError(
        414, f"The request's first line is longer than {MAX_REQUEST_LINE} bytes."
    )


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
