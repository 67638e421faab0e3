"""Why a file that was found is not read, and which files are no exports by their names."""

from __future__ import annotations

from enum import StrEnum


class Unread(StrEnum):
    """Why a file that was found is not read.

    ``DAY_NOT_LISTED`` counts folders of days in object storage that were not even listed.
    """

    DAY_BEFORE_SINCE = "day_before_since"
    NOT_RECEIVED_THEN = "not_received_then"
    DAY_NOT_LISTED = "day_not_listed"
    ALREADY_REPLAYED = "already_replayed"
    HIDDEN = "hidden"
    MARKER = "marker"
    BROKEN_LINK = "broken_link"
    NO_FILE = "no_file"


# Left in export folders by Finder, Windows and checksumming file systems, and by Segment, which
# writes dummy-object.txt to see whether it may write to a bucket; never data.
_MARKERS = frozenset({"Thumbs.db", "desktop.ini", "dummy-object.txt"})


def why_unread(name: str) -> Unread | None:
    """Why a file or folder of this name is passed over, None if it is not.

    Names that begin with "_" are markers of jobs (Spark, Hadoop, Databricks), whose own readers
    pass over them, too.
    """
    if name.startswith("."):
        return Unread.HIDDEN
    if name.startswith("_") or name.endswith(".crc") or name in _MARKERS:
        return Unread.MARKER
    return None
