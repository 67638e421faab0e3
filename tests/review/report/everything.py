"""A report with every part of the page in it, and with text in it that means harm."""

from __future__ import annotations

from datetime import date, timedelta

from jinja2 import ChoiceLoader, DictLoader

from convertro_cli.review.report import page
from convertro_cli.review.report.charts import BarPair, Series, bars_before_after, days

HARM = "<script>alert(1)</script>\x1b[31m"
"""An event's name, as somebody could send it."""

_TEMPLATE = """\
{% extends "review/report/base.html.j2" %}
{% import "review/report/parts.html.j2" as parts %}
{% block title %}What changes {{ harm }}{% endblock %}
{% block kicker %}convertro diff {{ harm }}{% endblock %}
{% block lede %}One change of {{ harm }}, worth {{ 1234.5 | amount }}.{% endblock %}
{% block contents %}{{ parts.contents([("types", harm), ("samples", "Examples")]) }}{% endblock %}
{% block content %}
{{ parts.figures([{"label": harm, "value": 1234 | count, "note": harm, "tone": "added"}]) }}
{% call parts.section("types", "By " ~ harm) %}
{{ parts.chart(bars, "Value " ~ harm, numbers=false) }}
{{ parts.chart(two, "Calls " ~ harm) }}
{{ parts.chart(one, "Messages") }}
{{ parts.table("Calls " ~ harm, ["type", "before#", "after#"], rows, total=["all", "1", "2"]) }}
{% endcall %}
{% call parts.section("samples", "Examples") %}
{{ parts.sample(harm, harm, [(harm, harm), ("long", "x" * 900)], "added") }}
{{ parts.change(harm, harm, [(harm, harm, "after"), ("gone", harm, none), ("same", "a", "a")]) }}
{% endcall %}
{% endblock %}
"""


def render_everything() -> str:
    """Give a page with every part in it."""
    environment = page._environment()
    original = environment.loader
    assert original is not None
    environment.loader = ChoiceLoader([DictLoader({"everything": _TEMPLATE}), original])
    try:
        return page.render(
            "everything",
            harm=HARM,
            bars=bars_before_after([BarPair(HARM, 1, 2, HARM, HARM)], HARM),
            two=days(HARM, Series(HARM, _by_day(3)), Series("after", _by_day(5))),
            one=days("messages", Series("messages", _by_day(7))),
            rows=[[HARM, "1", {"text": HARM, "tone": "removed"}], ["y" * 300, "1", "2"]],
        )
    finally:
        environment.loader = original


def _by_day(height: int) -> dict[date, int]:
    return {date(2024, 1, 1) + timedelta(number): number % height for number in range(90)}
