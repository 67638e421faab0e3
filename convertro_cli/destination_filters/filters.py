"""All destination filters and transformations of a destination, in the order Segment applies them.

First every sample, then every drop, then what drops properties, then what allows them, each kind
in the order of the list; then the transformations. A condition sees the message as it stands
when its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from convertro_cli.destination_filters.fields import (
    MISSING,
    Message,
    changed_at,
    find,
    only,
    split_path,
    without,
)
from convertro_cli.destination_filters.sampling import fraction_of
from convertro_cli.destination_filters.specs import (
    Action,
    AllowProperties,
    DestinationFilter,
    Drop,
    DropProperties,
    Sample,
    Transformation,
)
from convertro_cli.destination_filters.steps import FilterStep, changes_between
from convertro_cli.destination_filters.transform import compile_transformation
from convertro_cli.fql.closures import Test, compile_condition
from convertro_cli.fql.parser import parse
from convertro_cli.fql.parts import evaluate_parts
from convertro_cli.fql.tree import Condition

DropReason = Literal["dropped_by_filter", "sampled_out", "dropped_by_transformation"]


class Dropped(NamedTuple):
    """A message that goes no further: why, and the title of what stopped it."""

    reason: DropReason
    title: str


_Act = Callable[[Message, str], Message | Dropped]
"""What is done with a message and its sample key, where the condition holds."""


_Spec = DestinationFilter | Transformation


class _Step(NamedTuple):
    """A filter's actions of one kind, or a transformation."""

    spec: _Spec
    does: str
    tree: Condition
    holds: Test
    act: _Act


class DestinationFilters:
    """Filters and transformations, compiled. Plain data again when it goes to another process.

    Those that are disabled are kept for whoever shows them, and need not be readable. Raises
    FqlError where the condition of another cannot be read: the settings are checked before.
    """

    def __init__(
        self,
        filters: Iterable[DestinationFilter] = (),
        transformations: Iterable[Transformation] = (),
    ) -> None:
        self.filters = tuple(filters)
        self.transformations = tuple(transformations)
        steps = tuple(self._steps())
        self._any_source = tuple(step for step in steps if step.spec.source_id is None)
        sources = {step.spec.source_id for step in steps} - {None}
        self._of_source = {
            source: tuple(step for step in steps if step.spec.source_id in {None, source})
            for source in sources
        }

    def __bool__(self) -> bool:
        return bool(self._any_source or self._of_source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DestinationFilters):
            return NotImplemented
        return (self.filters, self.transformations) == (other.filters, other.transformations)

    def __hash__(self) -> int:
        return hash((self.filters, self.transformations))

    def __repr__(self) -> str:
        return f"DestinationFilters({self.filters!r}, {self.transformations!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return DestinationFilters, (self.filters, self.transformations)

    def apply(
        self, message: Message, sample_key: str, steps: list[FilterStep] | None = None
    ) -> Message | Dropped:
        """Apply everything to a message: the message as it then is, or why it goes no further.

        ``sample_key`` tells messages apart for samples that name no field: the message id, or a
        digest of the line. ``steps``, where given, is filled with what was asked and done, for an
        explanation. The message itself is never changed: what comes back shares all with it
        that no filter touched, and is the message itself where none did. Never raises.
        """
        source = message.get("projectId") if self._of_source else None
        plan = self._any_source
        if isinstance(source, str):
            plan = self._of_source.get(source, plan)
        if steps is not None:
            return self._explain(message, sample_key, plan, steps)
        for step in plan:
            if step.holds(message):
                outcome = step.act(message, sample_key)
                if isinstance(outcome, Dropped):
                    return outcome
                message = outcome
        return message

    def _explain(
        self, message: Message, sample_key: str, plan: Sequence[_Step], steps: list[FilterStep]
    ) -> Message | Dropped:
        """Do what ``apply`` does, and note it."""
        steps.extend(self._passed_over({id(step.spec) for step in plan}))
        for step in plan:
            held = step.holds(message)
            outcome = step.act(message, sample_key) if held else message
            changes = () if isinstance(outcome, Dropped) else changes_between(message, outcome)
            steps.append(
                FilterStep(
                    kind=_kind_of(step.spec),
                    title=step.spec.title,
                    condition=step.spec.condition,
                    does=step.does,
                    parts=tuple(evaluate_parts(step.tree, message)),
                    held=held,
                    dropped=isinstance(outcome, Dropped),
                    changes=tuple(changes),
                )
            )
            if isinstance(outcome, Dropped):
                return outcome
            message = outcome
        return message

    def _passed_over(self, asked: set[int]) -> Iterator[FilterStep]:
        """Give a step for what is switched off, or is for another source."""
        specs: tuple[_Spec, ...] = (*self.filters, *self.transformations)
        for spec in specs:
            if id(spec) not in asked:
                passed_over: Literal["disabled", "other_source"] = (
                    "other_source" if spec.enabled else "disabled"
                )
                yield FilterStep(
                    _kind_of(spec), spec.title, spec.condition, passed_over=passed_over
                )

    def _steps(self) -> Iterator[_Step]:
        enabled = [(each, parse(each.condition)) for each in self.filters if each.enabled]
        for kind, name in _ORDER:
            for each, tree in enabled:
                actions = [action for action in each.actions if isinstance(action, kind)]
                if actions:
                    act = _actions(actions, each.title)
                    yield _Step(each, name, tree, compile_condition(tree), act)
        for transformation in self.transformations:
            if transformation.enabled:
                tree = parse(transformation.condition)
                act = _transformation(transformation)
                yield _Step(transformation, "transform", tree, compile_condition(tree), act)


_ORDER: tuple[tuple[type[Action], str], ...] = (
    (Sample, "SAMPLE"),
    (Drop, "DROP"),
    (DropProperties, "DROP_PROPERTIES"),
    (AllowProperties, "ALLOW_PROPERTIES"),
)


def _kind_of(spec: _Spec) -> Literal["filter", "transformation"]:
    return "filter" if isinstance(spec, DestinationFilter) else "transformation"


def _actions(actions: Sequence[Action], title: str) -> _Act:
    """Give what a filter's actions of one kind do, one after the other."""
    acts = [_action(action, title) for action in actions]
    if len(acts) == 1:
        return acts[0]

    def act(message: Message, sample_key: str) -> Message | Dropped:
        for each in acts:
            outcome = each(message, sample_key)
            if isinstance(outcome, Dropped):
                return outcome
            message = outcome
        return message

    return act


def _action(action: Action, title: str) -> _Act:
    match action:
        case Drop():
            dropped = Dropped("dropped_by_filter", title)
            return lambda message, sample_key: dropped
        case Sample(percent, path):
            return _sample(percent, path, Dropped("sampled_out", title))
        case DropProperties(fields):
            changes = [(split_path(path), without(names)) for path, names in fields]
        case AllowProperties(fields):
            changes = [(split_path(path), only(names)) for path, names in fields]

    def change(message: Message, sample_key: str) -> Message:
        for path, with_fields in changes:
            message = changed_at(message, path, with_fields)
        return message

    return change


def _sample(percent: float, path: str | None, dropped: Dropped) -> _Act:
    if percent <= 0:
        return lambda message, sample_key: dropped
    if percent >= 1:
        return lambda message, sample_key: message
    names = split_path(path) if path else None

    def sample(message: Message, sample_key: str) -> Message | Dropped:
        value = sample_key if names is None else find(message, names)
        fraction = fraction_of(None if value is MISSING else value)
        return message if fraction < percent else dropped

    return sample


def _transformation(transformation: Transformation) -> _Act:
    if transformation.drop:
        dropped = Dropped("dropped_by_transformation", transformation.title)
        return lambda message, sample_key: dropped
    change = compile_transformation(transformation)
    return lambda message, sample_key: change(message)
