"""An ``[events]`` table to start from: the track names of an export that are not mapped yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convertro_cli.amounts import LONGEST_NAME, is_cut
from convertro_cli.review.inspect.events import NamedEvents
from convertro_cli.review.inspect.report import InspectReport
from convertro_cli.segment.names import normalise
from convertro_cli.settings.toml_text import toml_string
from convertro_cli.text import amount, count, things, visible

_MOST_SPELLINGS = 5
_WORD = re.compile(r"\w+")
_WHERE = """\
# These lines belong under the [events] of your convertro.toml. A file has that heading once: where
# yours has it, add the lines below under it without their own. (`convertro init --suggest EXPORT`
# writes a whole file with them.)
#
"""
_HEAD = """\
# Event names that are not mapped yet, most frequent first. On the right is only a proposal:
# put the event type there that Convertro knows, and delete the lines that are not to be sent.
"""


def suggest(report: InspectReport) -> str:
    """Write the table as TOML that can be loaded as it is."""
    notes, entries = _parts(report)
    return f"{_WHERE}{_HEAD}{notes}[events]\n{entries}"


def suggest_entries(report: InspectReport) -> str:
    """Write the same without the table's heading, for a file that has it."""
    notes, entries = _parts(report)
    return f"{_HEAD}{notes}{entries}"


def _parts(report: InspectReport) -> tuple[str, str]:
    names = [event for event in report.events.every if event.kind == "unmapped"]
    whole = [event for event in names if not is_cut(event.spellings[0])]
    plain = [event for event in whole if any(map(_is_plain, event.spellings))]
    cut, odd = len(names) - len(whole), len(whole) - len(plain)
    notes = "".join(f"# {note}\n" for note in _notes(report, cut, odd))
    entries = "".join(map(_line, plain)) or "# Every event name is mapped, or needs no entry.\n"
    return notes, entries


def _notes(report: InspectReport, cut: int, odd: int) -> Iterator[str]:
    for event in report.events.every:
        if event.kind == "order":
            yield f"No entry needed: {_named(event)}: an order ({_worth(event)})"
        if event.kind == "install":
            yield f"No entry needed for apps: {_named(event)}: an install ({_worth(event)})"
    if cut:
        yield f"Left out: {things(cut, 'name')} of more than {LONGEST_NAME} characters"
    if odd:
        yield f"Left out: {things(odd, 'name')} with characters that are not seen"
    if not report.events.names_are_all:
        yield "There are more names than could be kept: rare ones are not here."


def _line(event: NamedEvents) -> str:
    name = next(filter(_is_plain, event.spellings))
    key, value = map(toml_string, (name, propose_type(name)))
    return f"{key} = {value}  # {_worth(event)}{_also(event)}\n"


def _is_plain(name: str) -> bool:
    """Whether all of it is seen: settings take no other."""
    return visible(name) == name


def propose_type(name: str) -> str:
    """Propose an event type: the name's words in lower case, joined by underscores."""
    proposed = "_".join(_WORD.findall(normalise(name))) or name
    # That type is for orders: an event that is only called so must not count among them.
    return "sale_event" if proposed == "sale" else proposed


def _named(event: NamedEvents) -> str:
    return _listed(event.spellings)


def _worth(event: NamedEvents) -> str:
    messages = things(event.messages, "message")
    return f"{messages}, worth {amount(event.value_found)}" if event.with_amount else messages


def _also(event: NamedEvents) -> str:
    others = event.spellings[1:]
    return f"; also {_listed(others)}" if others else ""


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(map(toml_string, names[:_MOST_SPELLINGS]))
    more = len(names) - _MOST_SPELLINGS
    return f"{listed} and {count(more)} more" if more > 0 else listed
