"""The sandbox's listening socket: a thread for each connection, and an end that lets the answers
out."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from convertro_cli.errors import ConvertroError
from convertro_cli.sandbox.http1 import Connection


class Listener(socketserver.ThreadingTCPServer):
    """The listening socket, its thread, and the connections that are open."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(
        self,
        family: socket.AddressFamily,
        address: tuple[str, int],
        serve: Callable[[socket.socket], None],
    ) -> None:
        self.address_family = family
        self._serve = serve
        self._open: set[Connection] = set()
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="sandbox", daemon=True
        )
        super().__init__(address, socketserver.BaseRequestHandler)

    @property
    def is_loopback(self) -> bool:
        return ip_address(str(self.server_address[0])).is_loopback

    @property
    def address(self) -> str:
        """The address and port that it is bound to."""
        host, port = ip_address(str(self.server_address[0])), self.server_address[1]
        return f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}"

    @property
    def url(self) -> str:
        """Where a client on this machine finds it, without a slash at the end."""
        host, port = ip_address(str(self.server_address[0])), self.server_address[1]
        if host.is_unspecified:
            host = ip_address("127.0.0.1" if host.version == 4 else "::1")
        return f"http://[{host}]:{port}" if host.version == 6 else f"http://{host}:{port}"

    def begin(self) -> None:
        self._thread.start()

    def end(self, within_s: float) -> None:
        """Accepts no more, lets the answers in hand go out, then cuts what is left."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._changed:
            self._ending = True
            for connection in self._open:
                connection.stop_reading()
            self._changed.wait_for(lambda: not self._open, within_s)
            for connection in self._open:
                connection.cut()

    @contextlib.contextmanager
    def open(self, connection: Connection) -> Iterator[None]:
        with self._changed:
            self._open.add(connection)
            if self._ending:
                connection.stop_reading()
        try:
            yield
        finally:
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            # One address means that address: IPv4 has its own.
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._serve(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A thread that could not be started: the client sees its connection closed."""


def listen(host: str, port: int, serve: Callable[[socket.socket], None]) -> Listener:
    """Takes the address, without accepting yet; ``ConvertroError`` where that cannot be."""
    place = f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return Listener(family, (str(address[0]), int(address[1])), serve)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConvertroError(
            f"The sandbox cannot listen on {place}: {reason}.",
            hint="Take another --port (0 takes any free one), or end what listens there.",
        ) from error
