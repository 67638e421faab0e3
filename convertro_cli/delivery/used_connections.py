"""Telling whether the other side has left a connection that libcurl is about to use again."""

from __future__ import annotations

import select

import pycurl

_MOST = 1024


class UsedConnections:
    """The sockets that answers came over, by the local port that libcurl names a connection with.

    libcurl looks for the other side's farewell only on connections that were idle for a second.
    """

    def __init__(self) -> None:
        self._sockets: dict[int, int] = {}

    def remember(self, curl: pycurl.Curl) -> None:
        """Note the connection of a transfer that has ended, while its handle is still in use."""
        if curl.getinfo(pycurl.INFO_HTTP_VERSION) > pycurl.CURL_HTTP_VERSION_1_1:
            return  # shared by several requests, so there is always something to read
        if len(self._sockets) >= _MOST:
            self._sockets.clear()
        self._sockets[curl.getinfo(pycurl.LOCAL_PORT)] = curl.getinfo(pycurl.ACTIVESOCKET)

    def was_left(self, local_port: int) -> bool:
        """Whether the other side has ended this connection: what is sent now cannot arrive."""
        socket = self._sockets.get(local_port, -1)
        if socket < 0:
            return False
        poll = select.poll()
        poll.register(socket, select.POLLIN)
        return any(event & ~select.POLLNVAL for _, event in poll.poll(0))
