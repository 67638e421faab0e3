"""The table of events to start from."""

from __future__ import annotations

import tomllib
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.rules import EventMap
from convertro_cli.review.inspect.suggest import suggest
from convertro_cli.segment.names import is_install, is_order
from convertro_cli.text import visible
from tests.mapping.messages import make_rules
from tests.review.inspect.looking import order, report_of, track


def test_each_unmapped_name_stands_with_its_count_and_value() -> None:
    """Spellings of one name are one line; orders and installs are noted as not needed."""
    paid = {"properties": {"total": 0.1}}
    messages = [
        track("Signed Up"),
        track("signedUp"),
        track("Signed Up"),
        track("Invoice, “paid”", **paid),
    ]
    messages += [order(), track("application_installed"), track(" "), track("Known")]
    report = report_of(*messages, rules=make_rules(events={"known": "k"}))
    assert suggest(report).splitlines()[6:] == [
        '# No entry needed: "Order Completed": an order (1 message, worth 50.99)',
        '# No entry needed for apps: "application_installed": an install (1 message)',
        "[events]",
        '"Signed Up" = "signed_up"  # 3 messages; also "signedUp"',
        '"Invoice, “paid”" = "invoice_paid"  # 1 message, worth 0.10',
    ]


NAMES = st.text(min_size=1, max_size=12) | st.sampled_from(
    [
        "Signed Up",
        "signed_up",
        "Order Completed",
        'a "b"\\',
        "a\nb",
        "#",
        "é.x",
        "\x1b[31m",
        "x" * 300,
    ]
)


@settings(max_examples=60)
@given(st.lists(NAMES, max_size=8))
def test_the_suggestions_are_toml_that_maps_those_events(names: list[str]) -> None:
    """Loaded as settings, every name of the export that needs an entry has one."""
    text = suggest(report_of(*map(track, names)))
    table = EventMap(tomllib.loads(text)["events"])
    for name in names:
        if name.strip() and len(name) <= 200 and visible(name) == name:
            assert table.look_up(name).targets or is_order(name) or is_install(name)
    assert all(character.isprintable() or character == "\n" for character in text)


def test_with_everything_mapped_there_is_nothing_to_add() -> None:
    """The table is empty, and still TOML."""
    rules = make_rules(events={"Signed Up": "signup"})
    text = suggest(report_of(track("signed-up"), rules=rules))
    assert tomllib.loads(text) == {"events": {}}
    assert "Every event name is mapped" in text


def test_no_event_is_proposed_to_count_among_the_sales() -> None:
    """A track that is only called Sale is no order."""
    assert tomllib.loads(suggest(report_of(track("Sale"))))["events"] == {"Sale": "sale_event"}


def test_names_too_long_to_be_kept_are_said_to_be_missing() -> None:
    """An entry under a cut name would match nothing."""
    text = suggest(report_of(track("x" * 201), track("x" * 200)))
    assert list(tomllib.loads(text)["events"]) == ["x" * 200]
    assert "# Left out: 1 name of more than 200 characters" in text


def test_names_with_what_is_not_seen_are_left_out_and_counted() -> None:
    """Settings refuse them: a file with one would not load."""
    text = suggest(report_of(*map(track, ("a\nb", "paid", "\x1b[31m"))))
    assert list(tomllib.loads(text)["events"]) == ["paid"]
    assert "# Left out: 2 names with characters that are not seen" in text


def test_amounts_add_up_over_spellings() -> None:
    """To the cent."""
    events = report_of(*(track(name, properties={"total": 0.1}) for name in ("a b", "a_b", "A B")))
    assert events.events.every[0].value_found == Decimal("0.3")
    assert "3 messages, worth 0.30" in suggest(events)
