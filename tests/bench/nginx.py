"""A local nginx that answers every request with 204 at once, and counts them."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import BenchFailedError

_CONFIG = """\
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  large_client_header_buffers 4 16k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{ return 204; }}
    location = /status {{ stub_status; }}
  }}
}}
"""


@dataclass(slots=True)
class Nginx:
    port: int
    _asked: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _requests(self) -> int:
        """Requests since the start, less our own questions (this one included)."""
        with urllib.request.urlopen(f"{self.base_url}/status", timeout=5) as answer:
            text = answer.read().decode()
        self._asked += 1
        found = re.search(r"requests\s+\d+ \d+ (\d+)", text)
        if found is None:
            raise BenchFailedError(f"nginx answered no status: {text!r}")
        return int(found[1]) - self._asked

    @contextmanager
    def expect(self, requests: int) -> Iterator[None]:
        """Both sides must do the same work: exactly this many requests arrive meanwhile."""
        before = self._requests()
        yield
        arrived = self._requests() - before
        if arrived != requests:
            raise BenchFailedError(f"{arrived} requests reached nginx, {requests} were expected")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise BenchFailedError(f"no server came up on 127.0.0.1:{port}")


@contextmanager
def serving(command: list[str], port: int) -> Iterator[None]:
    """A server process that is up inside the block and gone after it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _await_port(port, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_nginx() -> Iterator[Nginx]:
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as name:
        folder, port = Path(name), free_port()
        config = folder / "nginx.conf"
        config.write_text(_CONFIG.format(folder=folder, port=port))
        command = ["nginx", "-p", name, "-c", str(config), "-e", f"{name}/error.log"]
        with serving(command, port):
            yield Nginx(port)
