"""The parts of a condition, as an explanation shows them."""

from __future__ import annotations

from convertro_cli.fql.parser import parse
from convertro_cli.fql.parts import ConditionPart, Found, evaluate_parts

MESSAGE = {"type": "track", "properties": {"total": 5, "email": "Ann@x.example"}}


def test_each_part_with_what_it_found_and_whether_it_held() -> None:
    """In the order of the text, those after the one that decides among them."""
    tree = parse(
        "type='identify' and !(properties.total > 10 or !contains(lowercase(properties.email), "
        "'ann')) and properties.total in [userId, 5]"
    )
    total = Found("properties.total", 5)
    email = "properties.email"
    assert evaluate_parts(tree, MESSAGE) == [
        ConditionPart('type = "identify"', (Found("type", "track"),), False),
        ConditionPart("properties.total > 10", (total,), False),
        ConditionPart(
            f'!contains(lowercase({email}), "ann")',
            (Found(email, "Ann@x.example"), Found(f"lowercase({email})", "ann@x.example")),
            False,
        ),
        ConditionPart("properties.total in [userId, 5]", (total, Found("userId", None)), True),
    ]


def test_all_is_one_part() -> None:
    """It looks at nothing, and holds."""
    assert evaluate_parts(parse("all"), MESSAGE) == [ConditionPart("all", (), True)]


def test_a_negated_comparison_is_one_part() -> None:
    """What is said of it is said of the negation."""
    assert evaluate_parts(parse("!(type = 'track')"), MESSAGE) == [
        ConditionPart('!(type = "track")', (Found("type", "track"),), False)
    ]
