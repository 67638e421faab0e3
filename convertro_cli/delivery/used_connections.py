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
        self._sockets: dict[int, tuple[int, select.poll]] = {}

    def remember(self, curl: pycurl.Curl) -> None:
        """Note the connection of a transfer that has ended, while its handle is still in use."""
        if curl.getinfo(pycurl.INFO_HTTP_VERSION) > pycurl.CURL_HTTP_VERSION_1_1:
            return  # shared by several requests, so there is always something to read
        port, socket = curl.getinfo(pycurl.LOCAL_PORT), curl.getinfo(pycurl.ACTIVESOCKET)
        known = self._sockets.get(port)
        if known is not None and known[0] == socket:  # as nearly always
            return
        if len(self._sockets) >= _MOST:
            self._sockets.clear()
        if socket < 0:  # closed already
            self._sockets.pop(port, None)
            return
        poll = select.poll()
        poll.register(socket, select.POLLIN)
        self._sockets[port] = socket, poll

    def was_left(self, local_port: int) -> bool:
        """Whether the other side has ended this connection: what is sent now cannot arrive."""
        known = self._sockets.get(local_port)
        if known is None:
            return False
        events = known[1].poll(0)
        return bool(events) and any(event & ~select.POLLNVAL for _, event in events)
