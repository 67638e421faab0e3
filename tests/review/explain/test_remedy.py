"""What would have sent a message does send it, once it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from msgspec.structs import replace

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.rules import Selection
from convertro_cli.review.explain.changes import (
    REMOVED,
    DataChange,
    FilterSwitchedOff,
    OptionDropped,
    ProposedChange,
    Situation,
)
from convertro_cli.review.explain.proposals import MENDING
from convertro_cli.review.explain.remedy import find_remedies, why_not_sent
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.model import Settings
from tests.mapping.messages import cloud_message, settings_of, web_message
from tests.review.explain import messages as made
from tests.review.explain.messages import ACCOUNT, Message
from tests.soaking import examples


def situation(message: Message, selection: Selection | None = None, **tables: Any) -> Situation:
    """A message under settings that have all that cloud calls need, unless told otherwise."""
    settings = settings_of({"convertro": ACCOUNT, **tables})
    return Situation(message, settings, compile_rules(settings, selection), Path())


def replace_rules(given_situation: Situation, **fields: Any) -> Situation:
    """The situation under rules that differ in some fields."""
    return replace(given_situation, rules=replace(given_situation.rules, **fields))


def reason_of(given_situation: Situation) -> str | None:
    """Why the message is not sent."""
    return why_not_sent(given_situation.outcome(), given_situation.rules)


def after(given_situation: Situation, changes: tuple[ProposedChange, ...]) -> Situation:
    """The situation with the changes made."""
    for change in changes:
        changed = change.make(given_situation)
        assert changed is not None
        given_situation = changed
    return given_situation


def named(changes: tuple[ProposedChange, ...]) -> list[str]:
    """Each change as one word: the option, the key or the path that it is about."""
    words = []
    for change in changes:
        if isinstance(change, OptionDropped):
            words.append(change.option)
        elif isinstance(change, FilterSwitchedOff):
            words.append(f"{change.table}: {change.title}")
        elif isinstance(change, DataChange):
            words.append(("-" if change.value is REMOVED else "") + ".".join(change.path))
        else:
            words += [f"[{change.table}] {name}" for name in change.values]
    return words


UNKNOWN: Any = {"event": "Nobody Knows"}
FILTER: Any = {"title": "Staff", "if": "all"}
BY_ENGAGE: Any = {"personas": {"computation_id": "a"}}
CONSENT: Any = {"categories": ["Ads"], "without": "skip"}

NOT_TO_BE_UNDONE = {
    "suppressed_user": replace_rules(situation(web_message("identify")), suppressed={"u1"}),
    "consent_missing": situation(web_message("identify"), consent=CONSENT),
    "no_consent": situation(
        web_message("identify", context={"consent": {}}, channel="web"), consent=CONSENT
    ),
}
"""Messages that a user's own choice keeps back."""

CASES = [
    (
        "page",
        situation(web_message("page", event="Signed Up"), events={"Signed Up": "s"}),
        ["type"],
    ),
    (
        "integrations",
        situation(web_message("identify", integrations={"Convertro": False})),
        ["integrations.Convertro"],
    ),
    (
        "filters",
        situation(web_message("identify"), Selection(until=1.0, types=frozenset({"track"}))),
        ["--until", "--type"],
    ),
    ("user id", situation(web_message("identify", userId="")), ["userId"]),
    (
        "event name",
        situation(web_message("track"), events={"Signed Up": "signup"}),
        ["event"],
    ),
    ("device id", situation(cloud_message("identify", context={})), ["context.device.id"]),
    ("order id", situation(web_message("track", event="Order Completed")), ["properties.order_id"]),
    ("unmapped", situation(web_message("track", **UNKNOWN)), ["[events] Nobody Knows"]),
    (
        "unmapped, a name that no settings file can hold",
        situation(web_message("track", event="a\x1bb")),
        ["[mapping] unmapped_events"],
    ),
    (
        "cloud settings",
        situation(cloud_message("identify"), convertro={"account": "acme", "site_id": "1"}),
        ["[convertro] client_name", "[convertro] domain"],
    ),
    (
        "schema",
        situation(
            web_message("track", event="Test"),
            events={"Test": "t"},
            schema={"disabled_events": ["Test", "Other"]},
        ),
        ["[schema] disabled_events"],
    ),
    (
        "delivered in the browser",
        situation(web_message("identify", _metadata={"bundled": ["Convertro"]})),
        ["[mapping] delivered_in_browser"],
    ),
    (
        "not known to be delivered",
        situation(web_message("identify"), mapping={"delivered_in_browser": "skip-unmarked"}),
        ["[mapping] delivered_in_browser"],
    ),
    (
        "engage",
        situation(web_message("track", event="Entered", channel="web", context=BY_ENGAGE)),
        ["[events] Entered"],
    ),
    (
        "an amount",
        situation(
            web_message(
                "track", event="Order Completed", properties={"order_id": "o1", "Total": "n/a"}
            )
        ),
        ["properties.Total"],
    ),
    (
        "a filter",
        situation(web_message("identify"), filters=[FILTER | {"actions": [{"type": "DROP"}]}]),
        ["filters: Staff"],
    ),
    (
        "a sample",
        situation(
            web_message("identify"),
            filters=[FILTER | {"actions": [{"type": "SAMPLE", "percent": 0}]}],
        ),
        ["filters: Staff"],
    ),
    (
        "a transformation",
        situation(web_message("identify"), transformations=[FILTER | {"drop": True}]),
        ["transformations: Staff"],
    ),
    ("no time", situation(web_message("identify", timestamp=None)), ["timestamp"]),
    ("no time to read", situation(web_message("identify", timestamp="soon")), ["timestamp"]),
    (
        "two faults, one behind the other",
        situation(web_message("track", timestamp="soon", **UNKNOWN)),
        ["[events] Nobody Knows", "timestamp"],
    ),
    (
        "a long address",
        situation(web_message("identify", context={"page": {"url": "x" * 9000}}, channel="web")),
        ["-context.page.url"],
    ),
    (
        "long traits",
        situation(web_message("identify", traits={"story": "x" * 9000})),
        ["[mapping] traits"],
    ),
]


@pytest.mark.parametrize(
    ("stopped", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_the_smallest_change_is_named(stopped: Situation, words: list[str]) -> None:
    """Each reason has its remedy, in settings or in data, and it sends the message."""
    assert reason_of(stopped) is not None
    first, *_ = find_remedies(stopped)
    assert named(first) == words
    assert reason_of(after(stopped, first)) is None


@pytest.mark.parametrize("reason", list(NOT_TO_BE_UNDONE))
def test_what_a_user_decided_is_not_to_be_undone(reason: str) -> None:
    """Nothing is proposed that would send it; it is said what it would take."""
    stopped = NOT_TO_BE_UNDONE[reason]
    assert reason_of(stopped) == reason
    assert find_remedies(stopped) == []
    assert "consent" in MENDING[reason] or "objected" in MENDING[reason]


def test_nor_is_it_where_it_comes_to_light_only_behind_another_fault() -> None:
    """A page of a suppressed user has no remedy either."""
    stopped = replace_rules(situation(web_message("page")), suppressed={"u1"})
    assert find_remedies(stopped) == []


def test_another_remedy_is_named_where_there_is_one() -> None:
    """What a setting could do for all such messages stands beside what one message lacks."""
    remedies = find_remedies(situation(web_message("track", event="Order Completed")))
    assert [named(changes) for changes in remedies] == [
        ["properties.order_id"],
        ["[mapping] require_order_id"],
    ]


def test_a_message_that_is_sent_needs_nothing() -> None:
    """The smallest change of all is none."""
    assert find_remedies(situation(web_message("identify"))) == [()]


def test_settings_that_are_refused_are_no_remedy() -> None:
    """No remedy makes settings that the program would not take."""
    message = cloud_message("track", event="\ud7ff\x07")
    remedies = find_remedies(situation(message, events={"a": "b"}))
    assert all(after(situation(message, events={"a": "b"}), changes) for changes in remedies)


def test_a_change_leaves_the_message_itself_alone() -> None:
    """A remedy is tried out on a copy."""
    message = web_message("track", event="Order Completed", properties={"total": 3})
    find_remedies(situation(message))
    assert message["properties"] == {"total": 3}


@given(made.messages, made.settings, made.selection)
@profile(max_examples=examples(60), deadline=None)
def test_every_remedy_sends_the_message_and_needs_all_of_its_changes(
    message: Message, settings: Settings, selection: Selection
) -> None:
    """Any message that is not sent has a remedy; made, it sends it, and in part it does not."""
    stopped = Situation(message, settings, compile_rules(settings, selection), Path())
    remedies = find_remedies(stopped)
    assert remedies or settings.consent.categories
    for changes in remedies:
        assert reason_of(after(stopped, changes)) is None
        for left_out in range(len(changes)):
            some = (*changes[:left_out], *changes[left_out + 1 :])
            assert reason_of(after(stopped, some)) is not None


@pytest.mark.parametrize("reason", list(SkipReason))
def test_every_reason_is_met_above(reason: SkipReason) -> None:
    """No reason for skipping a message is left without a case of its own.

    A repeated order is found only beside others, and one message says nothing of it.
    """
    met = {reason_of(case[1]) for case in CASES} | {"repeated_order", *NOT_TO_BE_UNDONE}
    assert reason in met
