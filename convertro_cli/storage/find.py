"""From an address to the objects to read: one, those of a folder, or those that fit a pattern."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.days import WantedDays
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.folders import fits, is_pattern
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.reading.listed import Listed
from convertro_cli.reading.unread import Unread, why_unread
from convertro_cli.storage.address import Address, read_address
from convertro_cli.storage.bucket import open_bucket
from convertro_cli.storage.faults import ObjectError
from convertro_cli.storage.listing import StoredObject, list_folder, list_matches
from convertro_cli.storage.options import StorageOptions
from convertro_cli.storage.reader import ObjectReader, identity_of, look
from convertro_cli.storage.requests import Requests
from convertro_cli.text import visible

if TYPE_CHECKING:
    from obstore.store import ObjectStore


_DAYS: Final = (Unread.DAY_BEFORE_SINCE, Unread.NOT_RECEIVED_THEN, Unread.DAY_NOT_LISTED)


class Root(NamedTuple):
    """What an address names: one object, a folder or a pattern."""

    address: Address
    is_object: bool

    def why_unread(self, key: str) -> Unread | None:
        """Why an object found by it is no export, if so: by its name, or a folder's below here."""
        if self.is_object:
            return None
        folder, slash, name = key.rpartition("/")
        return _why_folder_unread(self.address.key, folder + slash) or why_unread(name)

    def reads(self, address: Address) -> bool:
        """Whether an object is read because of it."""
        mine = self.address
        if (mine.scheme, mine.bucket) != (address.scheme, address.bucket):
            return False
        if self.is_object or mine.key == address.key:
            return mine.key == address.key
        if is_pattern(mine.key):
            found = fits(address.key.split("/"), mine.key.strip("/").split("/"))
        else:
            found = address.key.startswith(_fixed(mine.key))
        return found and self.why_unread(address.key) is None


@lru_cache(maxsize=8)
def _why_folder_unread(root: str, folder: str) -> Unread | None:
    """Why nothing in a folder is an export; asked for each of the objects that follow each other.

    ``root`` is the key of what the folder was found by: only what is below there tells.
    """
    below = folder.removeprefix(_fixed(root)).split("/")
    return next(filter(None, map(why_unread, below)), None)


def _fixed(key: str) -> str:
    """Give the folder that is searched for the sake of a folder or a pattern."""
    if not is_pattern(key):
        return f"{key.rstrip('/')}/" if key else ""
    parts = key.split("/")
    fixed = next(number for number, part in enumerate(parts) if is_pattern(part))
    return "".join(f"{part}/" for part in parts[:fixed])


class ObjectSearch:
    """Finds the objects that addresses name, each once; what is unread is counted in ``unread``.

    What came before is known by the addresses themselves, so that memory does not grow with the
    number of objects. Each bucket is opened once. Objects are counted in ``listed`` as lists come.
    """

    def __init__(
        self,
        options: StorageOptions | None,
        days: WantedDays,
        unread: Counter[Unread],
        listed: Listed | None = None,
    ) -> None:
        self._options = options or StorageOptions()
        self._days = days
        self._unread = unread
        self._listed = listed or Listed()
        self._requests = Requests()
        self._stores: dict[tuple[str, str], ObjectStore] = {}
        self._roots: list[Root] = []

    def files(self, argument: str) -> Iterator[ExportFile]:
        """Give the objects of an address, as the list comes in.

        Raises ConvertroError where there are none, or where it cannot be listed.
        """
        address = read_address(argument)
        store = self._open(address)
        named = self._look(store, address)
        root = Root(address, named is not None)
        is_empty, before = True, self._left_for_their_days
        for found in (named,) if named is not None else self._list(store, address):
            why = self._why_unread(root, found.address.key)
            if self._roots and any(earlier.reads(found.address) for earlier in self._roots):
                is_empty = False
            elif why is not None:
                self._unread[why] += 1
            else:
                is_empty = False
                place = ObjectPlace(store, found, self._requests)
                yield ExportFile(found.address.name, None, found.size, place)
        self._roots.append(root)
        if is_empty and self._left_for_their_days == before:
            raise _nothing_at(address)

    def place(self, found: StoredObject) -> ObjectPlace:
        """Give the place of an object that was found elsewhere, with the credentials of here."""
        return ObjectPlace(self._open(found.address), found, self._requests)

    @property
    def _left_for_their_days(self) -> int:
        return sum(self._unread[why] for why in _DAYS)

    def _why_unread(self, root: Root, key: str) -> Unread | None:
        if root.is_object and self._days:  # a list leaves them out by itself
            return self._days.why_unread_below(key)
        return root.why_unread(key)

    def _look(self, store: ObjectStore, address: Address) -> StoredObject | None:
        """Give the object of this very name, if there is one."""
        if not address.key or address.key.endswith("/"):
            return None
        try:
            found = look(store, address)
        except ObjectError as error:
            raise ConvertroError(
                f"Cannot read '{visible(address.name)}': {error.strerror}.",
                hint=error.advice,
                exit_code=ExitCode.UNREADABLE_EXPORT,
            ) from None
        self._listed.add(int(found is not None))
        return found

    def _list(self, store: ObjectStore, address: Address) -> Iterator[StoredObject]:
        if address.is_web:
            return iter(())
        lists = list_matches if is_pattern(address.key) else list_folder
        return lists(store, address, self._days, self._unread, self._listed)

    def _open(self, address: Address) -> ObjectStore:
        place = (address.scheme, address.url or address.bucket)
        if place not in self._stores:
            self._stores[place] = open_bucket(address, self._options)
        return self._stores[place]


class ObjectPlace:
    """Where one object lies; it is recognised by what the list says of it."""

    def __init__(self, store: ObjectStore, found: StoredObject, requests: Requests) -> None:
        self.found = found
        self._store = store
        self._requests = requests
        self._reader: ObjectReader | None = None

    @property
    def identity(self) -> FileIdentity | None:
        """What it is recognised by."""
        return identity_of(self.found)

    def begin(self) -> None:
        """Ask for the first part."""
        if self._reader is None:
            self._reader = ObjectReader(self._store, self.found, self._requests)
            self._reader.begin()

    def open(self) -> ObjectReader:
        """Give a reader for it; what it holds is let go at the end."""
        self.begin()
        reader, self._reader = self._reader, None
        assert reader is not None
        return reader


def _nothing_at(address: Address) -> ConvertroError:
    what = "there is no such object"
    if not address.is_web:
        what += ", and no folder of that name with an export in it"
    return ConvertroError(
        f"Cannot read '{visible(address.name)}': {what}.",
        hint="Check the name; it is case-sensitive.",
        exit_code=ExitCode.UNREADABLE_EXPORT,
    )
