"""Which days are wanted, and where the layouts of export tools say of which day a file is.

Known are the folders of Segment, ``segment-logs/<source>/<received day, epoch ms>/``, as its page
on its S3 destination has them; those of RudderStack, ``rudder-logs/<source>/<YYYY-MM-DD>/`` (older
ones MM-DD-YYYY), and of its archive, ``<source>/gw/<YYYY-MM-DD>/<hour>/``; and the files of Jitsu,
``<table>_<YYYY_MM_DD>T<hh_mm_ss>.ndjson``.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from msgspec import Struct

from convertro_cli.reading.unread import Unread

_DAY: Final = 86_400.0
# Compiled when a day is first asked for: that takes milliseconds, and most runs ask for none.
_FOLDERS: Final = (
    r"(?:^|/)(?:"
    r"segment-logs/[^/]+/(?P<ms>\d{12,14})/"
    r"|rudder-logs/[^/]+/(?P<iso>\d{4}-\d\d-\d\d)/"
    r"|rudder-logs/[^/]+/(?P<us>\d\d-\d\d-\d{4})/"
    r"|[^/]+/gw/(?P<gw>\d{4}-\d\d-\d\d)/\d{1,2}/"
    r")"
)
_FILES: Final = r"_(\d{4}_\d\d_\d\d)T\d\d_\d\d_\d\d(?:_\d+)?\.(?:ndjson|ndjson_flat|json)[^/]*$"
_FORMS: Final = {"iso": "%Y-%m-%d", "gw": "%Y-%m-%d", "us": "%m-%d-%Y"}


class DayFolder(NamedTuple):
    """A folder of one day: ``path`` up to its end, the day in epoch seconds.

    ``in_order`` says that the days beside it sort by name as they follow each other;
    ``exact`` that the day is the one of receipt, and not a little later, of writing.
    """

    path: str
    day: float
    in_order: bool
    exact: bool


class WantedDays(Struct, frozen=True):
    """The days that are wanted, in epoch seconds, by what they bound.

    ``since`` bounds the messages' own times from below: a message is received after it happened,
    but for a day's margin that clocks may be wrong by. Nothing bounds them from above, since a
    message can be received any time later. ``received_since`` and ``received_until`` bound the
    received days themselves; where a layout has the day of writing, which is that of receipt or
    later, a day's margin is left above.
    """

    since: float | None = None
    received_since: float | None = None
    received_until: float | None = None

    def __bool__(self) -> bool:
        return not (self.since is self.received_since is self.received_until is None)

    def why_unread(self, path: str) -> Unread | None:
        """Why a file is not wanted for the day that its path says, if so."""
        if not self:
            return None
        return self.why_unread_below(os.path.abspath(path))  # noqa: PTH100

    def why_unread_below(self, path: str) -> Unread | None:
        """Why a file of this absolute path, or an object of this key, is not wanted, if so."""
        found = day_folder(path)
        if found is not None:
            return self.why_unread_day(found.day, exact=found.exact)
        written = re.search(_FILES, path)
        if written is None:
            return None
        day = _read_day(written[1], "%Y_%m_%d")
        return None if day is None else self.why_unread_day(day, exact=False)

    def why_unread_day(self, day: float, *, exact: bool) -> Unread | None:
        """Why what lies in a day's folder is not wanted, if so."""
        if self.since is not None and day + 2 * _DAY <= self.since:
            return Unread.DAY_BEFORE_SINCE
        early, late = self.received_since, self.received_until
        too_early = early is not None and day + _DAY <= early
        too_late = late is not None and day - (0 if exact else _DAY) >= late
        return Unread.NOT_RECEIVED_THEN if too_early or too_late else None


def day_folder(path: str) -> DayFolder | None:
    """Find the folder of a day that a path leads through, if the layout is a known one."""
    found = re.search(_FOLDERS, path)
    if found is None:
        return None
    form = found.lastgroup or ""
    text = found[form]
    end = path[: found.end(form) + 1]
    if form == "ms":
        return DayFolder(end, int(text) / 1000, in_order=True, exact=True)
    day = _read_day(text, _FORMS[form])
    return None if day is None else DayFolder(end, day, in_order=form != "us", exact=False)


def _read_day(text: str, form: str) -> float | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
