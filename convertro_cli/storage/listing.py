"""What lies in a bucket, listed while it is read: never as a whole, and without a look at each.

A list comes sorted by key. Where a day is met that is not wanted, the list is begun anew behind
it, or behind all the days that are not wanted, where days sort by name as they follow each other:
one request in place of one for each thousand objects of those days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from convertro_cli.errors import ConvertroError
from convertro_cli.reading.days import DayFolder, WantedDays, day_folder
from convertro_cli.reading.folders import fits, is_pattern
from convertro_cli.reading.listed import Listed
from convertro_cli.reading.unread import Unread
from convertro_cli.storage.address import Address
from convertro_cli.storage.faults import told

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PAGE: Final = 1000
_DAY: Final = 86_400.0


class StoredObject(NamedTuple):
    """An object as the list has it: ``etag`` without its quotes, ``size`` in bytes."""

    address: Address
    size: int
    etag: str


def list_folder(
    store: ObjectStore, folder: Address, days: WantedDays, unread: Counter[Unread], listed: Listed
) -> Iterator[StoredObject]:
    """Give the objects below a folder, in order of their keys, but for those of unwanted days.

    These are counted in ``unread``, as far as they had to be listed, and all in ``listed``.
    Raises ConvertroError where the bucket cannot be listed.
    """
    offset: str | None = None
    while True:
        behind: str | None = None
        for found in _objects(store, folder, offset, listed):
            key = found.address.key
            why = days.why_unread_below(key) if days else None
            if why is None:
                yield found
                continue
            day = day_folder(key)
            behind = None if day is None else _behind(day, key, days)
            if behind is not None:
                unread[Unread.DAY_NOT_LISTED] += 1
                break
            unread[why] += 1
        if behind is None:
            return
        offset = behind


def list_matches(
    store: ObjectStore, pattern: Address, days: WantedDays, unread: Counter[Unread], listed: Listed
) -> Iterator[StoredObject]:
    """Give the objects whose keys, or the folders above them, fit a pattern."""
    parts = pattern.key.split("/")
    fixed = next(number for number, part in enumerate(parts) if is_pattern(part))
    below = "".join(f"{part}/" for part in parts[:fixed])
    wanted = [part for part in parts if part]
    for found in list_folder(store, pattern.with_key(below), days, unread, listed):
        if fits(found.address.key.split("/"), wanted):
            yield found


def stored(address: Address, meta: Any) -> StoredObject:
    """Give an object by what the other side says of it."""
    return StoredObject(address, int(meta["size"]), (meta["e_tag"] or "").strip('"'))


def _objects(
    store: ObjectStore, folder: Address, offset: str | None, listed: Listed
) -> Iterator[StoredObject]:
    import obstore  # noqa: PLC0415 - an extra

    prefix = folder.key.rstrip("/") or None
    try:
        for page in obstore.list(store, prefix, offset=offset, chunk_size=_PAGE):
            listed.add(len(page))
            for meta in page:
                # A stand-in may not know of an offset, and give the whole list again.
                if offset is None or meta["path"] > offset:
                    yield stored(folder.with_key(meta["path"]), meta)
    except ConvertroError:  # of whoever waits for the list
        raise
    except Exception as error:  # whatever the other side says is told in a sentence
        raise told(folder, error) from None


def _behind(day: DayFolder, key: str, days: WantedDays) -> str:
    """Give a key behind the days that are not wanted, from this one on; all others are after."""
    parent = day.path.removesuffix("/").rpartition("/")[0] + "/"
    if day.in_order:
        first = _first_wanted(days)
        if day.day > first:  # so it lies after those that are wanted, as do all that follow it
            return f"{parent}:"  # the character after the digits
        jump = parent + _named_like(day, first)
        if jump > key:
            return jump
    return day.path.removesuffix("/") + "0"  # the character after the slash


def _first_wanted(days: WantedDays) -> float:
    """Give the time before which no day that is wanted begins."""
    bounds = [float("-inf")]
    if days.since is not None:
        bounds.append(days.since - 2 * _DAY)
    if days.received_since is not None:
        bounds.append(days.received_since - _DAY)
    return max(bounds)


def _named_like(day: DayFolder, time: float) -> str:
    """Write the day of a time as the folder of another day is named."""
    text = day.path.removesuffix("/").rpartition("/")[2]
    if text.isdecimal():
        return str(max(0, int(time * 1000))).rjust(len(text), "0")
    return datetime.fromtimestamp(max(0.0, time), UTC).strftime("%Y-%m-%d")
