"""Filters on one message: their order, their sources, what they tell, and what stays as it was."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.destination_filters.actions import Dropped
from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.destination_filters.sampling import fraction_of
from convertro_cli.destination_filters.specs import (
    Action,
    AllowProperties,
    DestinationFilter,
    Drop,
    DropProperties,
    Sample,
    Transformation,
    fields_of,
)
from convertro_cli.destination_filters.steps import Draw, FieldChange, FilterStep
from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parts import ConditionPart, Found
from tests.fql.trees import MESSAGES, deep
from tests.soaking import examples

MESSAGE: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "projectId": "p1",
    "properties": {"email": "a@acme.example", "total": 5, "products": [{"id": 1, "price": 2}, 7]},
    "context": {"device": {"id": "d1", "token": "t"}, "ip": "1.2.3.4"},
}


def one(*actions: Action, condition: str = "all", **others: Any) -> DestinationFilter:
    """A filter."""
    return DestinationFilter(others.pop("title", "f"), condition, actions, **others)


def drops(**fields: list[str]) -> DropProperties:
    """An action that takes fields away."""
    return DropProperties(fields_of(fields))


def applied(*filters: DestinationFilter, message: dict[str, Any] | None = None) -> Any:
    """What becomes of the message."""
    return DestinationFilters(filters).apply(message or MESSAGE, "m1")


@pytest.mark.parametrize(
    ("action", "changed"),
    [
        (drops(properties=["email", "none"]), {"properties": {"total": 5}}),
        (DropProperties(fields_of({"context.device": ["token"]})), {"context": {"device": {}}}),
        (DropProperties(fields_of({"": ["userId", "type"]})), {}),
        (drops(userId=["x"], none=["x"], event=["x"]), None),
        (DropProperties(fields_of({"properties.total": ["x"], "a.b.c": ["d"]})), None),
        (AllowProperties(fields_of({"properties": ["email", "total", "products"]})), None),
        (AllowProperties(fields_of({"none": ["x"], "properties.total": ["x"]})), None),
    ],
)
def test_only_what_changes_is_copied(action: Action, changed: dict[str, Any] | None) -> None:
    """The message itself where nothing does; else everything beside the path is shared."""
    after = applied(one(action))
    if changed is None:
        assert after is MESSAGE
        return
    assert after is not MESSAGE
    for name in after:
        assert (after[name] is not MESSAGE[name]) == (name in changed)


def test_a_list_of_objects_is_changed_in_each() -> None:
    """What is no object in it stays."""
    action = DropProperties(fields_of({"properties.products": ["price"]}))
    assert applied(one(action))["properties"]["products"] == [{"id": 1}, 7]
    action_2 = AllowProperties(fields_of({"properties.products": ["price"]}))
    assert applied(one(action_2))["properties"]["products"] == [{"price": 2}, 7]


def test_a_dot_in_a_name() -> None:
    """It is written with a backslash."""
    message = {"a.b": {"c": 1, "d": 2}}
    action = DropProperties(fields_of({"a\\.b": ["c"]}))
    assert applied(one(action), message=message) == {"a.b": {"d": 2}}


def test_samples_come_first_then_drops_then_what_drops_fields_then_what_allows_them() -> None:
    """Whatever the order of the list; each kind in the order of the list."""
    has_email = "properties.email != null"
    allow = one(AllowProperties(fields_of({"properties": ["email"]})), title="allow")
    take = one(drops(properties=["email"]), title="take")
    again = one(drops(context=["ip"]), condition=has_email, title="again")
    drop = one(Drop(), condition=has_email, title="drop")
    none = one(Sample(0), condition=has_email, title="none")
    assert applied(allow, take, again) == MESSAGE | {"properties": {}}
    assert applied(allow, take, drop) == Dropped("dropped_by_filter", "drop")
    assert applied(allow, take, drop, none) == Dropped("sampled_out", "none")


def test_one_filter_of_several_actions() -> None:
    """Each action at its turn; several of one kind follow one another under one condition."""
    condition = "properties.email != null"
    actions = (drops(properties=["email"]), drops(context=["ip"]), Sample(1))
    after = applied(one(*actions, condition=condition))
    assert "email" not in after["properties"]
    assert "ip" not in after["context"]
    both = one(Sample(0.5, "none"), Sample(0), title="both")
    assert applied(both) == Dropped("sampled_out", "both")


def test_a_filter_of_another_source_is_passed_over() -> None:
    """The message's projectId tells, even where a filter takes it away."""
    mine, other = (one(Drop(), source_id=source, title=source) for source in ("p1", "p2"))
    assert applied(mine) == Dropped("dropped_by_filter", "p1")
    assert applied(other) is MESSAGE
    projects: list[Any] = [None, 5, ["p1"], {}, "p3"]
    for project in projects:
        message = MESSAGE | {"projectId": project}
        assert applied(mine, other, message=message) is message
    gone = one(DropProperties(fields_of({"": ["projectId"]})))
    allow = one(AllowProperties(fields_of({"context": []})), source_id="p1")
    assert applied(gone, allow)["context"] == {}


def test_what_is_switched_off_is_not_asked() -> None:
    """Nor need it be readable; with nothing else there is nothing to apply."""
    off = one(Drop(), condition="a == 1", enabled=False)
    filters = DestinationFilters([off], [Transformation("t", "a &&", drop=True, enabled=False)])
    assert not filters
    assert filters.apply(MESSAGE, "m1") is MESSAGE
    assert DestinationFilters([off, one(Drop())])
    assert DestinationFilters([one(Drop(), source_id="p1")])
    assert not DestinationFilters()
    with pytest.raises(FqlError):
        DestinationFilters([one(Drop(), condition="a == 1")])


def test_they_cross_to_other_processes() -> None:
    """As the plain data that they were made of."""
    filters = DestinationFilters(
        [one(Drop(), condition="type = 'page'", source_id="p1"), one(drops(context=["ip"]))],
        [Transformation("t", "all", new_event_name="X")],
    )
    again = pickle.loads(pickle.dumps(filters))
    assert again == filters
    assert hash(again) == hash(filters)
    assert again.apply(MESSAGE, "m1") == filters.apply(MESSAGE, "m1") != MESSAGE
    assert again != DestinationFilters()
    assert again != "filters"


def test_an_explanation_tells_each_step() -> None:
    """What was asked, what was found, what was taken away; and what was not asked, and why."""
    filters = DestinationFilters(
        [
            one(Drop(), condition="type = 'page'", title="pages"),
            one(drops(properties=["email"]), condition="properties.total > 1", title="mail"),
            one(Drop(), title="off", enabled=False),
            one(Drop(), title="other", source_id="p2"),
        ],
        [Transformation("name", "all", values=((("properties.currency",), "USD"),))],
    )
    steps: list[FilterStep] = []
    filters.apply(MESSAGE, "m1", steps)
    assert steps == [
        FilterStep("filter", "off", "all", passed_over="disabled"),
        FilterStep("filter", "other", "all", passed_over="other_source"),
        FilterStep(
            "filter",
            "pages",
            "type = 'page'",
            "DROP",
            parts=(ConditionPart('type = "page"', (Found("type", "track"),), False),),
        ),
        FilterStep(
            "filter",
            "mail",
            "properties.total > 1",
            "DROP_PROPERTIES",
            parts=(ConditionPart("properties.total > 1", (Found("properties.total", 5),), True),),
            held=True,
            changes=(FieldChange("properties.email", "taken away", "a@acme.example", None),),
        ),
        FilterStep(
            "transformation",
            "name",
            "all",
            "transform",
            parts=(ConditionPart("all", (), True),),
            held=True,
            changes=(FieldChange("properties.currency", "added", None, "USD"),),
        ),
    ]


def test_an_explanation_ends_where_the_message_does() -> None:
    """The step that dropped it is the last."""
    steps: list[FilterStep] = []
    filters = DestinationFilters([one(Sample(0), title="none"), one(Drop(), title="drop")])
    assert filters.apply(MESSAGE, "m1", steps) == Dropped("sampled_out", "none")
    assert [(step.title, step.held, step.dropped) for step in steps] == [("none", True, True)]


def test_an_explanation_tells_how_a_sample_was_decided() -> None:
    """By which value, its fraction, and the limit."""
    steps: list[FilterStep] = []
    samples = (Sample(0.999, "userId"), Sample(0.999))
    DestinationFilters([one(*samples), one(Sample(0), condition="none")]).apply(
        MESSAGE, "m1", steps
    )
    assert [step.draws for step in steps] == [
        (Draw("userId", fraction_of("u1"), 0.999), Draw(None, fraction_of("m1"), 0.999)),
        (),
    ]


def test_changes_in_lists_are_told_by_their_place() -> None:
    """Each object of the list for itself."""
    steps: list[FilterStep] = []
    action = DropProperties(fields_of({"properties.products": ["price"]}))
    DestinationFilters([one(action)]).apply(MESSAGE, "m1", steps)
    (step,) = steps
    assert step.changes == (FieldChange("properties.products[0].price", "taken away", 2, None),)


FIELD_PATHS = st.sampled_from(["", "properties", "all", "a", "a.a", "or.in", "true.null.and", "."])
FIELDS = st.dictionaries(FIELD_PATHS, st.lists(st.sampled_from(["a", "or", "all"]))).map(fields_of)
ACTIONS = (
    st.just(Drop())
    | st.builds(Sample, st.floats(-1, 2), st.none() | FIELD_PATHS)
    | st.builds(DropProperties, FIELDS)
    | st.builds(AllowProperties, FIELDS)
)
CONDITIONS = st.sampled_from(["all", "!a", "properties = null", "length(\\or) >= 0", "\\all != a"])
FILTERS = st.builds(
    DestinationFilter,
    st.just("f"),
    CONDITIONS,
    st.lists(ACTIONS, min_size=1, max_size=3).map(tuple),
)
PATHS = st.sampled_from(["a", "properties.a", "properties.or", "or.in.a", "all"])
CHANGES = st.builds(
    Transformation,
    st.just("t"),
    CONDITIONS,
    new_event_name=st.none() | st.just("X"),
    renames=st.lists(st.tuples(PATHS, PATHS), max_size=3).map(tuple),
    values=st.lists(st.tuples(st.tuples(PATHS), st.just(1)), max_size=2).map(tuple),
    fql_properties=st.lists(
        st.tuples(PATHS, st.sampled_from(["a", "length(a)", "a = \\or", "[a, 1]"])), max_size=2
    ).map(tuple),
    allow=st.lists(PATHS, max_size=2).map(tuple),
)


@settings(max_examples=examples(100))
@given(st.lists(FILTERS, max_size=4), st.lists(CHANGES, max_size=3), MESSAGES, st.text())
def test_nothing_raises_and_the_message_stays_as_it_is(
    filters: list[DestinationFilter],
    changes: list[Transformation],
    message: dict[str, Any],
    key: str,
) -> None:
    """Whatever it holds; and an explanation comes to the same end."""
    before = pickle.dumps(message)
    compiled = DestinationFilters(filters, changes)
    steps: list[FilterStep] = []
    outcome = compiled.apply(message, key)
    explained = compiled.apply(message, key, steps)
    assert pickle.dumps(message) == before
    assert isinstance(explained, Dropped) == isinstance(outcome, Dropped)
    if isinstance(outcome, Dropped):
        assert explained == outcome
        assert steps[-1].dropped
    else:
        assert repr(explained) == repr(outcome)


def test_messages_of_any_depth() -> None:
    """Deeper than Python's own comparison and copies go."""
    message = {"a": deep(1, 5000), "properties": {"x": 1}}
    steps: list[FilterStep] = []
    filters = DestinationFilters(
        [one(Sample(0.999999999, "a"), condition="a = a"), one(drops(properties=["x"]))]
    )
    after = filters.apply(message, "m1", steps)
    assert not isinstance(after, Dropped)
    assert after["a"] is message["a"]
    assert after["properties"] == {}
