"""A server that gives each answer a fixed time after its request: ``-m tests.bench.latency``.

nginx cannot wait. One thread, one heap of due answers; epoll itself counts whole milliseconds
only, so its descriptor is watched with ``select``, which wakes within some 60 µs of the mark.
``GET /stats`` answers at once with ``{"requests":…,"seconds":…}``: from the first request to
the last answer since the question before.
"""

from __future__ import annotations

import argparse
import heapq
import json
import select
import socket
import time

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_END = b"\r\n\r\n"


class LatencyServer:
    def __init__(self, port: int, delay: float) -> None:
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._listener.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._connections: dict[int, tuple[socket.socket, bytearray]] = {}
        self._due: list[tuple[float, int, socket.socket]] = []
        self._number = 0
        self._first = self._last = 0.0
        self._answered = 0

    def serve(self) -> None:
        while True:
            wait = max(0.0, self._due[0][0] - time.perf_counter()) if self._due else None
            if select.select([self._epoll], [], [], wait)[0]:
                for descriptor, _ in self._epoll.poll(0):
                    if descriptor == self._listener.fileno():
                        self._accept()
                    else:
                        self._read(descriptor)
            self._answer()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = (connection, bytearray())
        self._epoll.register(connection, select.EPOLLIN)

    def _read(self, descriptor: int) -> None:
        connection, pending = self._connections[descriptor]
        try:
            data = connection.recv(65_536)
        except OSError:
            data = b""
        if not data:
            del self._connections[descriptor]
            self._epoll.unregister(descriptor)
            connection.close()
            return
        pending += data
        while (end := pending.find(_END)) >= 0:
            request = bytes(pending[:end])
            del pending[: end + len(_END)]
            self._request(connection, request)

    def _request(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET /stats"):
            self._report(connection)
            return
        now = time.perf_counter()
        self._first = self._first or now
        self._number += 1
        heapq.heappush(self._due, (now + self._delay, self._number, connection))

    def _answer(self) -> None:
        now = time.perf_counter()
        while self._due and self._due[0][0] <= now:
            connection = heapq.heappop(self._due)[2]
            try:
                connection.sendall(_ANSWER)
            except OSError:
                continue
            self._answered += 1
            self._last = now

    def _report(self, connection: socket.socket) -> None:
        seconds = self._last - self._first
        body = json.dumps({"requests": self._answered, "seconds": seconds}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        self._first, self._answered = 0.0, 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.050, help="seconds")
    options = parser.parse_args()
    LatencyServer(options.port, options.delay).serve()


if __name__ == "__main__":
    main()
