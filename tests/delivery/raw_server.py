"""A server on real sockets that does with each connection exactly what a test tells it to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_PATIENCE = 10.0


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    """Give the bytes of an answer that keeps its connection."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived: on which connection (from 1), for what, with which headers."""

    connection: int
    line: str
    headers: dict[str, str]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


class Talk:
    """One connection, as the server's script sees it. Its faults end the script, silently."""

    def __init__(self, server: RawServer, peer: socket.socket, number: int) -> None:
        self.number = number
        self._server = server
        self._peer = peer
        self._buffer = b""

    def read(self) -> Request | None:
        """Wait for a request; None when the client has closed its side."""
        while b"\r\n\r\n" not in self._buffer:
            received = self._peer.recv(65536)
            if not received:
                return None
            self._buffer += received
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        request = Request(self.number, line, headers)
        self._server.note(request)
        return request

    def send(self, data: bytes) -> None:
        self._peer.sendall(data)

    def trickle(self, data: bytes) -> None:
        """Send the same bytes again and again, slowly, until the client has had enough."""
        self._peer.settimeout(0.02)
        while not self._server.stopping.is_set():
            self._peer.sendall(data)
            with contextlib.suppress(TimeoutError):
                if self._peer.recv(1) == b"":
                    return

    def wait_for_end(self) -> None:
        """Say nothing until the client closes its side, or the test is over."""
        while self._peer.recv(65536):
            pass

    def close(self) -> None:
        self._peer.close()

    def reset(self) -> None:
        """Break the connection off, as a crashed machine or a firewall does."""
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._peer.close()


Script = Callable[[Talk], None]


class RawServer:
    """Listens on loopback while it is entered; runs the script for each connection, in a thread."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.stopping = threading.Event()
        self._script = script
        self._tls = tls
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._closed = 0
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """The requests that were read so far."""
        with self._changed:
            return list(self._requests)

    @property
    def connections(self) -> int:
        """How many connections were made so far."""
        return len(self._peers)

    def note(self, request: Request) -> None:
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def wait_for_closed(self, count: int) -> None:
        """Wait until the server has closed this many connections."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._closed >= count, _PATIENCE)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        # Closing a listening socket does not wake up who waits for it; a last connection does.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._threads[0].join(_PATIENCE)
        self._listener.close()
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            peer, _ = self._listener.accept()
            if self.stopping.is_set():
                peer.close()
                return
            self._peers.append(peer)
            self._start(self._serve, peer, len(self._peers))

    def _serve(self, peer: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
            opened.callback(self._note_closed)
            opened.enter_context(peer)
            if self._tls is not None:
                peer = opened.enter_context(self._tls.wrap_socket(peer, server_side=True))
            self._script(Talk(self, peer, number))

    def _note_closed(self) -> None:
        with self._changed:
            self._closed += 1
            self._changed.notify_all()


def saying(sent: bytes) -> Script:
    """Read a request, say this, and close the connection."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(sent)
        talk.close()

    return script


def answering(*answers: bytes) -> Script:
    """Answer each request with the next of these, the last one again and again."""
    lock = threading.Lock()
    left = list(answers)

    def script(talk: Talk) -> None:
        while talk.read() is not None:
            with lock:
                following = left.pop(0) if len(left) > 1 else left[0]
            talk.send(following)

    return script
