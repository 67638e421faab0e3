"""What a first look tells of a message is what reading it tells: the findings are the same."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.review.inspect import job
from tests.mapping.messages import make_rules, web_message
from tests.review.inspect.looking import find, report_of

TYPES = ["page", "screen", "group", "alias", "Page", "track", "identify", "nonsense"]
SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.sampled_from(["server", "browser", "", None, 5]),
        "messageId": st.sampled_from(["m1", "m2", "", "  ", 7, None]),
        "timestamp": st.sampled_from(
            ["2024-03-01T10:20:30.500Z", "2024-03-01", "1999-01-01T00:00:00.000Z", "no", None]
        ),
        "context": st.fixed_dictionaries(
            {},
            optional={
                "library": st.sampled_from([{"name": "a"}, {"name": " "}, {"name": 5}, "b", None]),
                "channel": st.sampled_from(["mobile", None, {}]),
            },
        ),
    },
)
LINES = st.lists(
    st.builds(
        lambda kind, fields: orjson.dumps(web_message(kind) | fields),
        st.sampled_from(TYPES),
        SOURCES,
    ),
    max_size=10,
)


@settings(max_examples=100)
@given(LINES)
def test_a_first_look_changes_nothing(lines: list[bytes]) -> None:
    """Not even which of two equally frequent kinds comes first, nor the kept hashes of ids."""
    rules = make_rules()
    report, found = report_of(*lines, rules=rules), find(lines, rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "glimpse_usual", lambda _: None)
        assert report == report_of(*lines, rules=rules)
        assert list(report.types) == list(report_of(*lines, rules=rules).types)
        read = find(lines, rules)
    assert sorted(found.ids.hashes) == sorted(read.ids.hashes)
    assert list(found.sources) == list(read.sources)


def test_most_pages_are_told_by_a_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """As analytics.js sends them: none of them is read."""
    monkeypatch.setattr("convertro_cli.mapping.lines.parse_line", lambda _: pytest.fail("read"))
    pages = [orjson.dumps(web_message(kind)) for kind in ("page", "screen", "group", "alias")]
    assert sum(row.count for _, row in find(pages, make_rules()).types) == 4
