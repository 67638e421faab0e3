"""Object storage of each kind on this machine, and what stands between: nothing leaves loopback."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PINNED = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
    "GCE_METADATA_HOST": "127.0.0.1:9",
    "GCE_METADATA_ROOT": "127.0.0.1:9",
    "GCE_METADATA_IP": "127.0.0.1:9",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
"""The environment in which no client asks another machine for credentials."""

AZURITE = Path(sys.prefix) / "azurite" / "node_modules" / ".bin" / "azurite-blob"


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@contextmanager
def program(command: list[str], url: str, folder: Path) -> Iterator[None]:
    """Run a server until the end, once it answers; whatever it answers."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        until = time.monotonic() + 60
        while True:
            with suppress(OSError):
                with suppress(urllib.error.HTTPError):
                    urllib.request.urlopen(url, timeout=5).close()
                break
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError((folder / "log").read_text()[-2000:])
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


class CuttingProxy:
    """A way to a server on which every connection breaks off after so many bytes of answers."""

    def __init__(self, port: int, lengths: Iterator[int]) -> None:
        self._to = port
        self._lengths = lengths
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            forward = threading.Thread(target=_pump, args=(client, server), daemon=True)
            forward.start()
            left = next(self._lengths)
            with suppress(OSError):
                while data := server.recv(min(65536, left)):
                    client.sendall(data)
                    left -= len(data)
                    if left == 0:
                        self.cuts += 1
                        break
                client.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


@contextmanager
def scripted(answer: Callable[[str], tuple[int, bytes]]) -> Iterator[int]:
    """A server that answers each path as told; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    yield from _serving(Handler)


@contextmanager
def between(
    port: int,
    answer: Callable[[str, str], tuple[int, bytes] | None],
    tls: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """A way to a server that answers by itself where it is told to; gives its port.

    ``answer`` is given the method and the path of each request; None lets the request pass.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            own = answer(self.command, self.path)
            if own is not None:
                self._reply(own[0], own[1], {})
                return
            with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as server:
                server.request(self.command, self.path, content, dict(self.headers.items()))
                found = server.getresponse()
                self._reply(found.status, found.read(), dict(found.getheaders()))

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            with suppress(OSError):  # who asked may be gone
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.serve)
    yield from _serving(Handler, tls)


def _serving(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
