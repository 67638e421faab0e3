"""All destination filters and transformations of a destination, in the order Segment applies them.

First every sample, then every drop, then what drops properties, then what allows them, each kind
in the order of the list; then the transformations. A condition sees the message as it stands
when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from convertro_cli.destination_filters.actions import (
    Act,
    Dropped,
    compile_actions,
    compile_change,
    sampled_fraction,
)
from convertro_cli.destination_filters.fields import Message, split_path
from convertro_cli.destination_filters.specs import (
    Action,
    AllowProperties,
    DestinationFilter,
    Drop,
    DropProperties,
    Sample,
    Transformation,
)
from convertro_cli.destination_filters.steps import Draw, FilterStep, changes_between
from convertro_cli.fql.closures import Test, compile_condition
from convertro_cli.fql.parser import parse
from convertro_cli.fql.parts import evaluate_parts
from convertro_cli.fql.tree import Condition

_Spec = DestinationFilter | Transformation


class _Step(NamedTuple):
    """A filter's actions of one kind, or a transformation."""

    spec: _Spec
    does: str
    tree: Condition
    holds: Test
    act: Act


class DestinationFilters:
    """Filters and transformations, compiled. Plain data again when it goes to another process.

    Those that are disabled are kept for whoever shows them, and need not be readable.
    ``needs_sample_key`` says whether any sample goes by the message's own key. Raises
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
        self.needs_sample_key = any(map(_draws_by_key, self.filters))
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
                    draws=tuple(_draws(step, message, sample_key)) if held else (),
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
                    act = compile_actions(actions, each.title)
                    yield _Step(each, name, tree, compile_condition(tree), act)
        for transformation in self.transformations:
            if transformation.enabled:
                tree = parse(transformation.condition)
                act = compile_change(transformation)
                yield _Step(transformation, "transform", tree, compile_condition(tree), act)


_ORDER: tuple[tuple[type[Action], str], ...] = (
    (Sample, "SAMPLE"),
    (Drop, "DROP"),
    (DropProperties, "DROP_PROPERTIES"),
    (AllowProperties, "ALLOW_PROPERTIES"),
)


def _kind_of(spec: _Spec) -> Literal["filter", "transformation"]:
    return "filter" if isinstance(spec, DestinationFilter) else "transformation"


def _draws_by_key(spec: DestinationFilter) -> bool:
    """Whether a filter has a sample that names no field."""
    samples = [action for action in spec.actions if isinstance(action, Sample)]
    return spec.enabled and any(sample.is_drawn and not sample.path for sample in samples)


def _draws(step: _Step, message: Message, sample_key: str) -> Iterator[Draw]:
    """Tell how the samples of a step are decided."""
    if step.does == "SAMPLE" and isinstance(step.spec, DestinationFilter):
        for action in step.spec.actions:
            if isinstance(action, Sample) and action.is_drawn:
                path = action.path or None
                fraction = sampled_fraction(split_path(path) if path else None, message, sample_key)
                yield Draw(path, fraction, action.percent)
