"""The bytes of an object, part by part, a little ahead of whoever reads them.

No request is held open while its reader waits for something else: a slow delivery would let it
time out. Each part is asked for by the tag of the object that was listed, so the bytes of two
objects are never mixed.
"""

from __future__ import annotations

import errno
from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.storage.address import Address
from convertro_cli.storage.faults import ObjectError, ReplacedError, fault_of, is_out_of_range, told
from convertro_cli.storage.listing import StoredObject, stored
from convertro_cli.storage.requests import Reply, Requests

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART: Final = 2 << 20
_AHEAD: Final = 2  # from the last piece of a part on; one until then
_BREAKS: Final = 8  # in a row, without a byte between them
_PIECE: Final = 256 << 10


class EmptyError(Exception):
    """An object has no bytes, so that no part of it can be asked for."""


class ObjectReader:
    """Reads one object from its beginning to its end, like an unbuffered file.

    Raises OSError with a sentence where a part cannot be had: ReplacedError where the object is
    not the one that was ``found``.
    """

    steady = True

    def __init__(self, store: ObjectStore, found: StoredObject, requests: Requests) -> None:
        self._store = store
        self._found = found
        self._requests = requests
        self._asked = 0
        self._parts: deque[Reply[list[bytes]]] = deque()
        self._pieces: deque[bytes] = deque()  # of the part that is read, each let go once read
        self._piece = memoryview(b"")

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Ask for the first part, so that it is there when it is wanted."""
        if self._asked == 0:
            self._ask()

    def read(self, limit: int = PART) -> bytes:
        """Give at least one byte and at most ``limit``; none at the end."""
        if not self._piece:
            if not self._pieces:
                self._take_part()
            if not self._pieces:
                return b""
            self._piece = memoryview(self._pieces.popleft())
            if not self._pieces:
                self._ask_ahead(_AHEAD)
        data, self._piece = bytes(self._piece[:limit]), self._piece[limit:]
        return data

    def _take_part(self) -> None:
        """Wait for the next part. The one after it is enough to ask for as yet: parts take room."""
        self._ask_ahead(1)
        if self._parts:
            self._pieces.extend(filter(None, self._parts.popleft().result()))
            self._ask_ahead(1)

    def reread(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another once more."""
        end = min(end, self._found.size)
        return b"".join(self._fetch(start, end)) if start < end else b""

    def identity(self, consumed: int) -> FileIdentity | None:
        """Tell what it is recognised by, once it was read to its end."""
        return identity_of(self._found) if consumed == self._found.size else None

    def close(self) -> None:
        """Ask for no more; what is under way is let go."""
        for part in self._parts:
            part.cancel()
        self._parts.clear()
        self._pieces.clear()
        self._piece = memoryview(b"")
        self._asked = self._found.size

    def _ask_ahead(self, most: int) -> None:
        while len(self._parts) < most and self._asked < self._found.size:
            self._ask()

    def _ask(self) -> None:
        start, end = self._asked, min(self._asked + PART, self._found.size)
        if start < end:
            self._asked = end
            self._parts.append(self._requests.submit(self._fetch, start, end))

    def _fetch(self, start: int, end: int) -> list[bytes]:
        """Get a part in pieces; where the connection breaks, go on at the byte where it broke."""
        got: list[bytes] = []
        breaks = 0
        while start < end:
            meta, pieces, broken = fetch(
                self._store,
                self._found.address,
                (start, end),
                self._found.etag,
                at_once=end - start <= _PIECE and not breaks,
            )
            if (meta.size, meta.etag) != self._found[1:] and self._found.etag:
                raise ReplacedError(self._found.address)
            got += pieces
            count = sum(map(len, pieces))
            start += count
            breaks = 0 if count else breaks + 1
            if broken is not None and breaks >= _BREAKS:
                raise ObjectError(self._found.address, broken)
            if broken is None and start < end and not count:
                raise ReplacedError(self._found.address)  # it has become shorter
        return got


def identity_of(found: StoredObject) -> FileIdentity | None:
    """Tell what an object is recognised by: its address, its size and its tag."""
    if not found.etag:
        return None
    digest = blake2b(found.etag.encode(), digest_size=16).digest()
    return FileIdentity(found.address.name, found.size, 0, digest)


def look(store: ObjectStore, address: Address) -> StoredObject | None:
    """Give what the other side says of one object; None where there is none.

    Its first byte is asked for: a signed address allows no other question.
    """
    try:
        found, _, _ = fetch(store, address, (0, 1), None)
    except FileNotFoundError:
        return None
    except EmptyError:
        return StoredObject(address, 0, "")
    return found


def fetch(
    store: ObjectStore,
    address: Address,
    part: tuple[int, int],
    etag: str | None,
    *,
    at_once: bool = False,
) -> tuple[StoredObject, list[bytes], Exception | None]:
    """Give a part of an object, as far as it comes, and what the other side says of the whole.

    With an ``etag`` only of the object that has it. A part that comes ``at_once`` is all there or
    not at all. The last is what broke the connection off, if something did. Raises OSError with a
    sentence, and ConvertroError where the same would be said of every object: credentials can
    expire in the midst of a run.
    """
    import obstore  # noqa: PLC0415 - an extra

    options: dict[str, object] = {"range": part}
    if etag:
        options["if_match"] = f'"{etag}"'
    try:
        # A web address is the store's own: there is nothing below it.
        key = "" if address.is_web else address.key
        result = obstore.get(store, key, options=options)  # type: ignore[arg-type]
        meta = stored(address, result.meta)
    except Exception as error:  # whatever the other side says is told in a sentence
        raise _refused(address, etag, error) from None
    pieces: list[bytes] = []
    try:
        if at_once:
            pieces.append(bytes(result.bytes()))
        else:
            for piece in result.stream(min_chunk_size=_PIECE):
                pieces.append(bytes(piece))
    except Exception as error:
        return meta, pieces, error
    return meta, pieces, None


def _refused(address: Address, etag: str | None, error: Exception) -> Exception:
    """Give what to raise where a part is not given at all."""
    from obstore.exceptions import PreconditionError  # noqa: PLC0415 - an extra

    if isinstance(error, PreconditionError):
        return ReplacedError(address)
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(errno.ENOENT, fault_of(address, error).what)
    if etag is None and is_out_of_range(error):
        return EmptyError()
    if not address.is_web and fault_of(address, error).is_of_all:
        return told(address, error)
    return ObjectError(address, error)
