"""What is said of a destination filter or a transformation."""

from __future__ import annotations

from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Note, Path
from convertro_cli.review.explain.steps import Step, quoted, step_of

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


def filter_step(note: Note, _: Rules) -> Step:
    """Say whether its condition held, and what it did; the parts stand beside."""
    found: FilterStep = note.value
    name = f"the {found.kind} {quoted(found.title)}"
    step = step_of(note, f"{name} {_what_it_did(found)}")
    return step._replace(filter=found)


def fields_made(found: FilterStep) -> dict[str, str]:
    """Give the fields whose value is a transformation's, each with its title."""
    return {change.path: found.title for change in found.changes if change.how in {"added", "set"}}


def dotted(path: Path) -> str:
    """Write a place as the steps of the filters write it: a dot in a name is escaped."""
    return ".".join(key.replace(".", "\\.") for key in path)


def _what_it_did(found: FilterStep) -> str:
    if found.passed_over is not None:
        return _PASSED_OVER[found.passed_over]
    condition = quoted(found.condition)
    does = _DOES.get(found.does, found.does)
    if not found.held:
        return f"{does} if {condition}, which does not hold"
    if found.dropped:
        out = "and it is not in the sample" if found.does == "SAMPLE" else "and drops it"
        return f"{does} if {condition}, which holds, {out}"
    if found.does == "SAMPLE":
        return f"{does} if {condition}, which holds, and it is in the sample"
    number = len(found.changes)
    changed = f"{number} field{'' if number == 1 else 's'} changed" if number else "nothing to do"
    return f"{does} if {condition}, which holds: {changed}"
