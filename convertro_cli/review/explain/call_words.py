"""What is said of the values of calls and of filters: where each is from, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches

from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.mapping.calls import InvalidReason
from convertro_cli.mapping.orders import is_absent
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import MISSING, Note
from convertro_cli.review.explain.steps import (
    Step,
    Telling,
    kind,
    lacks,
    path_text,
    quoted,
    shortened,
)
from convertro_cli.segment.ids import plain_number
from convertro_cli.segment.names import normalise
from convertro_cli.segment.times import TIME_KEYS


def event_type(note: Note, telling: Telling) -> Step | None:
    """Say which types the event is sent as, and why, or that it is not sent; None of its name."""
    event = note.evidence
    if note.why == "unmapped":
        return telling.step(
            note, f"[events] does not have {quoted(event)}{_nearest(event, telling.rules)}"
        )
    if note.why in {"sale", "repeat"}:
        return telling.step(note, _kind_of_sale(note), value=", ".join(note.value))
    if note.why == "listed":
        keys = telling.rules.events.keys_of(event)
        alike = "" if keys == (event,) else ", the same name in another spelling"
        says = f"[events] has it as {' and '.join(map(quoted, keys))}{alike}"
        return telling.step(note, says, value=", ".join(note.value))
    return None


def _nearest(event: str, rules: Rules) -> str:
    names = rules.events.names
    close = get_close_matches(normalise(event), names, 1, cutoff=0.75)
    return f"; the closest name in it is {quoted(names[close[0]])}" if close else ""


def _kind_of_sale(note: Note) -> str:
    place, value = path_text(note.path), note.evidence
    if note.why == "sale":
        says = "there is no properties.repeat to say whether the buyer is new"
    elif isinstance(value, bool):
        says = f"{place} is {str(value).lower()}"
    else:
        says = f"{place} is {kind(value)}, no boolean, so it does not count"
    return says + ("; the hybrid model sends both" if len(note.value) > 1 else "")


def order_id(note: Note, telling: Telling) -> Step:
    """Say where the order's id is from, or that there is none."""
    faults = lacks(note.passed_over)
    if note.value is not None:
        return telling.step(note, _from(note, faults), value=note.value, personal=True)
    why = " and ".join(faults) or "properties has neither an order_id nor an id"
    needs = "an order needs one, and" if note.reason is not None else "none, and none is required:"
    return telling.step(note, f"{needs} {why}")


def value(note: Note, telling: Telling) -> Step:
    """Say which amount counts, or why there is none."""
    unreadable = [
        f"{path_text(path)} is no amount that can be read (unreadable_amount)"
        for path, raw in note.passed_over
        if not (raw is MISSING or is_absent(raw))
    ]
    if note.why == "held":
        return telling.step(note, f"{' and '.join(unreadable)}, and such messages are held back")
    if note.why == "default":
        places = [path_text(path) for path, _ in note.passed_over]
        why = " and ".join(unreadable) or f"there is no {' and no '.join(places)}"
        return telling.step(note, f"by default: {why}", value=plain_number(note.value))
    says = _from(note, unreadable)
    if note.why == "ambiguous":
        says += "; its dot could be one of thousands (ambiguous_amount)"
    return telling.step(note, says, value=plain_number(note.value))


def _from(note: Note, faults: list[str]) -> str:
    """Say where a value is from, where it has other spellings, and what was passed over."""
    among = f", the first of {note.spellings} spellings" if note.spellings > 1 else ""
    after = f"; {' and '.join(faults)}" if faults else ""
    return f"from {path_text(note.path)}{among}{after}"


def visitor_id(note: Note, telling: Telling) -> Step:
    """Say which path led to the visitor's id, and which did not."""
    before = " and no ".join(".".join(path) for path, _ in note.passed_over)
    if note.value is None:
        return telling.step(note, f"none: there is no {before}")
    passed_over = f"; there is no {before}" if before else ""
    says = f"from {'.'.join(note.path)}{passed_over}"
    return telling.step(note, says, value=note.value, personal=True)


def traits(note: Note, telling: Telling) -> Step | None:
    """Say which traits are sent, and why the others are not; None where none ever is."""
    if note.why == "cloud":
        return None
    says = shortened(note.value) if note.value else "there are none to send"
    why_not = {"id": "the call has one of its own", "unwanted": "the settings do not want it"}
    left_out = [f"{quoted(name)}: {why_not.get(why, why)}" for name, why in note.evidence.items()]
    if left_out:
        says += f"; left out {shortened(left_out, '; ')}"
    return telling.step(note, says, value=f"{len(note.value)} sent" if note.value else "")


def time(note: Note, telling: Telling) -> Step:
    """Say which time counts, and what came before it."""
    if note.reason is InvalidReason.MISSING_TIMESTAMP:
        return telling.step(note, f"there is none of {', '.join(TIME_KEYS)}; now would be wrong")
    if note.reason is not None:
        shown = quoted(note.evidence) if isinstance(note.evidence, str) else kind(note.evidence)
        others = "".join(f", nor is {path_text(path)}" for path, _ in note.passed_over)
        says = f"from {path_text(note.path)}, which is no time that can be used{others}"
        return telling.step(note, says, value=shown)
    missing = [path_text(path) for path, raw in note.passed_over if raw is MISSING]
    useless = [path_text(path) for path, raw in note.passed_over if raw is not MISSING]
    says = f"from {note.path[0]}"
    if useless:
        says += f"; {' and '.join(useless)} cannot be used (unreadable_time)"
    if missing:
        says += f"; there is no {' or '.join(missing)}"
    if note.why == "after receipt":
        says += "; more than a day after it was received (time_after_receipt)"
    moment = datetime.fromtimestamp(note.value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return telling.step(note, says, value=moment)


def filter_step(note: Note, telling: Telling) -> Step:
    """Say whether a filter's condition held, and what it did; the parts stand beside."""
    found: FilterStep = note.value
    says = f"the {found.kind} {quoted(found.title)} {_what_it_did(found)}"
    return telling.step(note, says, filtered=found)


_PASSED_OVER = {
    "disabled": "is switched off",
    "other_source": "is for another source than the message's projectId",
}
_DOES = {
    "SAMPLE": "samples",
    "DROP": "drops",
    "DROP_PROPERTIES": "takes fields away",
    "ALLOW_PROPERTIES": "takes all other fields away",
    "transform": "changes the message",
}


def _what_it_did(found: FilterStep) -> str:
    if found.passed_over is not None:
        return _PASSED_OVER[found.passed_over]
    asks = f"{_DOES.get(found.does, found.does)} if {quoted(found.condition)}, which"
    if not found.held:
        return f"{asks} does not hold"
    if found.does == "SAMPLE":
        is_in = "is not" if found.dropped else "is"
        return f"{asks} holds, and it {is_in} in the sample"
    if found.dropped:
        return f"{asks} holds, and drops it"
    number = len(found.changes)
    changed = f"{number} field{'' if number == 1 else 's'} changed" if number else "nothing to do"
    return f"{asks} holds: {changed}"
