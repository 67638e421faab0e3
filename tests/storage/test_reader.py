"""How far ahead an object is read: enough that nobody waits, and no more than memory allows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from convertro_cli.storage.address import Address
from convertro_cli.storage.listing import StoredObject
from convertro_cli.storage.reader import PART, ObjectReader

PIECES = 8
PIECE = PART // PIECES


class Asked:
    """Answers each request for a part at once, in pieces, and counts the bytes asked for."""

    def __init__(self) -> None:
        self.bytes = 0

    def submit(self, fetch: Callable[..., Any], start: int, end: int) -> Future[list[bytes]]:
        self.bytes += end - start
        future: Future[list[bytes]] = Future()
        future.set_result([b"", *[bytes(PIECE)] * ((end - start) // PIECE)])
        return future


def test_a_part_is_asked_for_before_it_is_wanted_and_not_much_earlier() -> None:
    """The next one while a part is read, and one more at its end: what lies there takes memory.

    An empty piece is not the end.
    """
    requests: Any = Asked()
    found = StoredObject(Address("s3", "b", "k"), 5 * PART, "tag")
    store: Any = None
    reader = ObjectReader(store, found, requests)
    reader.begin()
    read, ahead = 0, []
    while data := reader.read(PIECE):
        read += len(data)
        ahead.append((requests.bytes - read) / PIECE)
    assert read == requests.bytes == found.size
    within = ahead[: 3 * PIECES]  # after that the end of the object is near
    assert max(within) == 2 * PIECES
    assert min(within) > PIECES
