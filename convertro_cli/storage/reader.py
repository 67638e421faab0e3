"""The bytes of an object, part by part, a little ahead of whoever reads them.

No request is held open while its reader waits for something else: a slow delivery would let it
time out. Each part is asked for by the tag of the object that reading began with, so the bytes of
two objects are never mixed.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from convertro_cli.storage.address import Address
from convertro_cli.storage.faults import ReplacedError, reason
from convertro_cli.storage.listing import StoredObject, stored

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART: Final = 2 << 20
_AHEAD: Final = 2


class EmptyError(Exception):
    """An object has no bytes, so that no part of it can be asked for."""


class ObjectReader:
    """Reads one object from its beginning to its end, like an unbuffered file.

    ``threads`` carry the requests. Raises OSError with a sentence where a part cannot be had, and
    ReplacedError where the object was replaced.
    """

    def __init__(
        self, store: ObjectStore, found: StoredObject, threads: ThreadPoolExecutor
    ) -> None:
        self._store = store
        self._found = found
        self._threads = threads
        self._asked = 0
        self._parts: deque[Future[bytes]] = deque()
        self._part = memoryview(b"")

    def begin(self) -> None:
        """Ask for the first part, so that it is there when it is wanted."""
        if self._asked == 0:
            self._ask()

    def read(self, limit: int = PART) -> bytes:
        """Give at least one byte and at most ``limit``; none at the end."""
        if not self._part:
            self._ask_ahead()
            if not self._parts:
                return b""
            self._part = memoryview(self._parts.popleft().result())
            self._ask_ahead()
        data, self._part = bytes(self._part[:limit]), self._part[limit:]
        return data

    def reread(self, start: int, end: int) -> bytes:
        """Give bytes from one place to another once more."""
        return self._fetch(start, min(end, self._found.size)) if start < end else b""

    def close(self) -> None:
        """Ask for no more; what is under way is let go."""
        for part in self._parts:
            part.cancel()
        self._parts.clear()
        self._asked = self._found.size

    def _ask_ahead(self) -> None:
        while len(self._parts) <= _AHEAD and self._asked < self._found.size:
            self._ask()

    def _ask(self) -> None:
        start, end = self._asked, min(self._asked + PART, self._found.size)
        if start < end:
            self._asked = end
            self._parts.append(self._threads.submit(self._fetch, start, end))

    def _fetch(self, start: int, end: int) -> bytes:
        address = self._found.address
        meta, data = fetch(self._store, address, start, end, self._found.etag)
        if meta != self._found or len(data) != end - start:
            raise ReplacedError(address)
        return data


def look(store: ObjectStore, address: Address) -> StoredObject | None:
    """Give what the other side says of one object; None where there is none.

    It is read for, not asked about: a signed address allows no more.
    """
    try:
        found, _ = fetch(store, address, 0, 1, None)
    except FileNotFoundError:
        return None
    except EmptyError:
        return StoredObject(address, 0, "")
    return found


def fetch(
    store: ObjectStore, address: Address, start: int, end: int, etag: str | None
) -> tuple[StoredObject, bytes]:
    """Give a part of an object, and what the other side says of the whole.

    With an ``etag`` only of the object that has it. Raises OSError with a sentence.
    """
    import obstore  # noqa: PLC0415 - an extra
    from obstore.exceptions import PreconditionError  # noqa: PLC0415

    options: dict[str, object] = {"range": (start, end)}
    if etag:
        options["if_match"] = f'"{etag}"'
    try:
        # A web address is the store's own: there is nothing below it.
        key = "" if address.is_web else address.key
        result = obstore.get(store, key, options=options)  # type: ignore[arg-type]
        return stored(address, result.meta), bytes(result.bytes())
    except PreconditionError:
        raise ReplacedError(address) from None
    except FileNotFoundError as error:
        raise FileNotFoundError(0, reason(address, error), address.name) from None
    except Exception as error:  # whatever the other side says is told in a sentence
        if "status code: 416" in str(error) and etag is None:
            raise EmptyError from None
        raise OSError(5, reason(address, error), address.name) from None
