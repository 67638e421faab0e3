"""In words: which files a run left unread, and why."""

from __future__ import annotations

from collections.abc import Mapping

from convertro_cli.reading.unread import Unread

_WORDS = {
    Unread.DAY_BEFORE_SINCE: "of a day before --since",
    Unread.NOT_RECEIVED_THEN: "of a day outside --received-since and --received-until",
    Unread.DAY_NOT_LISTED: "not listed (folders of days that are not wanted)",
    Unread.ALREADY_REPLAYED: "replayed before",
    Unread.HIDDEN: "hidden",
    Unread.MARKER: "no export by its name",
    Unread.BROKEN_LINK: "a link to nothing",
    Unread.NO_FILE: "no file (a pipe, a socket or a device)",
}


def in_words(unread: Mapping[str, int]) -> str:
    """Give the files left unread by reason, such as "2 replayed before, 1 hidden"."""
    return ", ".join(
        f"{unread[reason]:,} {words}" for reason, words in _WORDS.items() if unread.get(reason)
    )
