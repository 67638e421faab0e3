"""The examples of a comparison, with personal data only as far as it may be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote

from convertro_cli.mapping.wire import trait_text
from convertro_cli.review.diff.samples import ChangeKind, ChangeSample, Group, Groups
from convertro_cli.review.masking import ID_FIELDS, Masking, plain_values
from convertro_cli.review.report.document import Block, Example, Examples, Field

_HEADINGS = {
    "added": "Calls added",
    "removed": "Calls removed",
    "changed": "Calls changed",
    "skipped_otherwise": "Still not sent, for another reason",
}
"""The kinds of change that have examples, in the order in which they are told."""

_ORDER = (
    "mode",
    "call",
    "event_type",
    "event_value",
    "event_id",
    "device_id",
    "user_id",
    "timestamp",
    "skip",
    "invalid",
    "failed",
    "detail",
)


def examples(groups: Groups, masking: Masking) -> Iterator[tuple[str, list[Block]]]:
    """Give all kinds of change that have examples by heading, the most frequent kinds first."""
    for change, heading in _HEADINGS.items():
        found = [(kind, group) for kind, group in groups.kinds.items() if kind.change == change]
        if found and groups.wanted:
            found.sort(key=lambda item: -item[1].count)
            yield heading, [_examples(kind, group, masking) for kind, group in found]


def _examples(kind: ChangeKind, group: Group, masking: Masking) -> Examples:
    shown = [_example(sample, masking) for sample in group.samples]
    return Examples(_title(kind), group.count, _reason(kind), shown)


def _title(kind: ChangeKind) -> str:
    """Name a kind of change: the event type or the call, the fields, or the reasons."""
    if kind.change == "changed":
        return ", ".join(kind.fields)
    if kind.change == "skipped_otherwise":
        return f"{kind.was} → {kind.now}"
    return str(kind.call if kind.event_type is None else kind.event_type)


def _reason(kind: ChangeKind) -> str:
    """Say why the messages of added or removed calls were, or now are, not sent at all."""
    if kind.change == "skipped_otherwise":
        return ""
    if kind.was is not None:
        return f"not sent before: {kind.was}"
    return f"no longer sent: {kind.now}" if kind.now is not None else ""


def _example(sample: ChangeSample, masking: Masking) -> Example:
    sides = [side for side in (sample.before, sample.after) if side is not None]
    place = [sample.source, masking.value(sample.message_id)]
    return Example(
        str(sample.event or sides[0].get("call", "message")),
        "  ".join(str(part) for part in place if part is not None),
        fields_of(sample, masking),
        "changed" if len(sides) == 2 else "removed" if sample.after is None else "added",
    )


def fields_of(sample: ChangeSample, masking: Masking) -> list[Field]:
    """Give an example field by field. The URL is taken apart where it alone changed."""
    before, after = sample.before or {}, sample.after or {}
    plain = plain_values(before) | plain_values(after)
    fields = [
        _field(name, before.get(name), after.get(name), partial(_text, name, masking))
        for name in _ORDER
        if before.get(name) is not None or after.get(name) is not None
    ]
    fields += _traits(before.get("traits") or {}, after.get("traits") or {}, masking)
    url = before.get("url") or after.get("url")
    if sample.before is None or sample.after is None:
        if url is not None:
            show = partial(masking.url, plain=plain)
            fields.append(_field("url", before.get("url"), after.get("url"), show))
    elif not any(field.changed for field in fields):
        fields += _url_parts(before.get("url") or "", after.get("url") or "", plain, masking)
    return fields


def _field(name: str, before: Any, after: Any, show: Callable[[Any], str]) -> Field:
    """Give a field; None stands for what is not there. Compares before anything is masked.

    Masked values that look alike and are not are told apart.
    """
    then = None if before is None else show(before)
    now = None if after is None else show(after)
    if before != after and then == now:
        now = f"{now} (another)"
    return Field(name, then, now, before != after)


def _text(name: str, masking: Masking, value: Any) -> str:
    if name in ID_FIELDS:
        return str(masking.value(value))
    if name == "timestamp" and isinstance(value, int):
        return _moment(value)
    return trait_text(value)


def _moment(timestamp: int) -> str:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timestamp)
    except OverflowError:  # an offset put it just beyond the last of all years
        return str(timestamp)
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def _traits(
    before: Mapping[str, Any], after: Mapping[str, Any], masking: Masking
) -> Iterator[Field]:
    for name in dict.fromkeys([*before, *after]):
        old, new = (side.get(name) for side in (before, after))
        yield _field(f"traits.{name}", old, new, lambda trait: trait_text(masking.value(trait)))


def _url_parts(before: str, after: str, plain: frozenset[str], masking: Masking) -> Iterator[Field]:
    """Give the parts of two URLs that differ: the address, and each parameter."""
    (old_address, old), (new_address, new) = _taken_apart(before), _taken_apart(after)
    if old_address != new_address:
        yield _field("url", old_address, new_address, str)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            show = partial(masking.parameter, name, plain=plain)
            yield _field(f"url: {name}", old.get(name), new.get(name), show)


def _taken_apart(url: str) -> tuple[str, dict[str, str]]:
    address, _, query = url.partition("?")
    pairs = (part.partition("=")[::2] for part in query.split("&") if part)
    return address, {unquote(name): unquote(value) for name, value in pairs}
