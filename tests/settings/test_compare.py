"""The settings' own differences."""

from __future__ import annotations

from typing import Any

import pytest

from convertro_cli.settings.compare import compare_settings
from tests.mapping.messages import settings_of

BASE: dict[str, Any] = {"convertro": {"account": "acme"}}


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({}, {}, []),
        ({}, {"mapping": {"mode": "auto"}}, []),
        ({}, {"mapping": {"mode": "web"}}, [("mapping.mode", '"auto"', '"web"')]),
        (
            {"convertro": {"account": "acme", "site_id": 1}},
            {},
            [("convertro.site_id", '"1"', "not set")],
        ),
        (
            {"events": {"Signed Up": "signup", "Old.Name": "x"}},
            {"events": {"Signed Up": ["signup", "lead"], 'A "quote"': "y"}},
            [
                ('events."Signed Up"', '"signup"', '["signup", "lead"]'),
                ('events."Old.Name"', '"x"', "not set"),
                ('events."A \\"quote\\""', "not set", '"y"'),
            ],
        ),
        (
            {},
            {"wire": {"params": {"sid": "visitor"}, "hash_email_ids": False}},
            [
                ("wire.params.sid", '"sid"', '"visitor"'),
                ("wire.hash_email_ids", "true", "false"),
            ],
        ),
        (
            {"wire": {"hash_email_ids": False}},
            {"events": {"a": "b"}},
            [('events."a"', "not set", '"b"'), ("wire.hash_email_ids", "false", "true")],
        ),
    ],
)
def test_each_key_that_differs_is_named_with_both_values(
    before: dict[str, Any], after: dict[str, Any], changes: list[tuple[str, str, str]]
) -> None:
    """In the order of the file, as the file would have it; a default written out is no change."""
    found = compare_settings(settings_of(BASE | before), settings_of(BASE | after))
    assert [(change.key, *change.texts) for change in found] == changes
