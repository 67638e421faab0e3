"""What lies in a bucket, listed while it is read: never as a whole, and without a look at each.

A list comes sorted by key, so a folder's objects are together. Where the first received day is
known, the days before it are not listed either: the layouts of Segment and RudderStack have a
folder for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from convertro_cli.storage.address import Address
from convertro_cli.storage.faults import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import ObjectStore

_PAGE: Final = 1000
_LOG_FOLDERS: Final = ("segment-logs", "rudder-logs")
_MAGIC: Final = "*?["


class StoredObject(NamedTuple):
    """An object as the list has it: ``etag`` without its quotes, ``size`` in bytes."""

    address: Address
    size: int
    etag: str


def is_pattern(key: str) -> bool:
    """Whether a key has a character that is special in a pattern."""
    return any(character in key for character in _MAGIC)


def list_folder(
    store: ObjectStore, folder: Address, wanted: Callable[[str], bool] | None = None
) -> Iterator[StoredObject]:
    """Give the objects below a folder, in order of their keys.

    ``wanted`` is asked of each folder of a day, by its key with a slash at the end; those that
    are not wanted are not listed. Raises ConvertroError where the bucket cannot be listed.
    """
    if wanted is None:
        return _objects(store, folder)
    return _walk(store, folder, wanted)


def list_matches(store: ObjectStore, pattern: Address) -> Iterator[StoredObject]:
    """Give the objects whose keys, or the folders above them, fit a pattern."""
    parts = pattern.key.split("/")
    fixed = next(number for number, part in enumerate(parts) if is_pattern(part))
    below = "".join(f"{part}/" for part in parts[:fixed])
    for found in _objects(store, pattern.with_key(below)):
        if _fits(found.address.key.split("/"), [part for part in parts if part]):
            yield found


def _walk(
    store: ObjectStore, folder: Address, wanted: Callable[[str], bool]
) -> Iterator[StoredObject]:
    """Go down folder by folder as far as the layout of days is known, and list the rest whole."""
    parts = [part for part in folder.key.split("/") if part]
    logs = next((n for n, part in enumerate(parts) if part in _LOG_FOLDERS), None)
    if logs is not None and len(parts) - logs > 2:  # below the folder of all sources and of one
        if wanted(folder.key):
            yield from _objects(store, folder)
        return
    if logs is None and not any(_is_there(store, folder, name) for name in _LOG_FOLDERS):
        yield from _objects(store, folder)  # there may be a great many right in this folder
        return
    for key, item in _level(store, folder):
        if item is not None:
            yield item
        else:
            yield from _walk(store, folder.with_key(key), wanted)


def _is_there(store: ObjectStore, folder: Address, name: str) -> bool:
    below = folder.with_key(f"{folder.key.rstrip('/')}/{name}/".lstrip("/"))
    return next(_objects(store, below, 1), None) is not None


def _level(store: ObjectStore, folder: Address) -> list[tuple[str, StoredObject | None]]:
    """Give what lies right in a folder, by key; folders end in a slash and have no object."""
    import obstore  # noqa: PLC0415 - an extra

    try:
        found = obstore.list_with_delimiter(store, folder.key.rstrip("/") or None)
    except Exception as error:  # whatever the other side says is told in a sentence
        raise told(folder, error) from None
    items: dict[str, StoredObject | None] = {f"{name}/": None for name in found["common_prefixes"]}
    for meta in found["objects"]:
        items[meta["path"]] = stored(folder.with_key(meta["path"]), meta)
    return sorted(items.items())


def _objects(store: ObjectStore, folder: Address, page: int = _PAGE) -> Iterator[StoredObject]:
    import obstore  # noqa: PLC0415 - an extra

    try:
        pages = obstore.list(store, folder.key.rstrip("/") or None, chunk_size=page)
        for some in pages:
            for meta in some:
                if not meta["path"].endswith("/"):
                    yield stored(folder.with_key(meta["path"]), meta)
    except Exception as error:
        raise told(folder, error) from None


def stored(address: Address, meta: Any) -> StoredObject:
    """Give an object by what the other side says of it."""
    return StoredObject(address, int(meta["size"]), (meta["e_tag"] or "").strip('"'))


def _fits(parts: list[str], pattern: list[str]) -> bool:
    """Whether the pattern names this key or a folder above it; ``**`` stands for any folders."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_fits(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])
