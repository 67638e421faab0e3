"""The commented convertro.toml."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.settings.faults import TABLES
from convertro_cli.settings.load import check
from convertro_cli.settings.model import Settings
from convertro_cli.settings.template import COMMENTS, render_template
from convertro_cli.settings.toml_text import toml_string, toml_value

KEYS = {
    f"{table}.{name}"
    for table, model in TABLES.items()
    for name in model.model_fields
    if f"{table}.{name}" not in TABLES
}
COMMENTED_KEY = re.compile(r'^# ([a-z_]+ = |"[^"]+" = )')


def sound(tables: dict[str, Any]) -> Settings:
    """Check tables that must be sound."""
    found, faults = check(tables, folder=Path())
    assert found is not None, faults
    assert not faults
    return found


def uncommented(text: str) -> str:
    """Take the # off every key."""
    return "\n".join(line[2:] if COMMENTED_KEY.match(line) else line for line in text.splitlines())


def test_every_key_is_there_with_a_comment() -> None:
    """No key of the settings is missing, and none is there that is no setting."""
    assert set(COMMENTS) == KEYS
    lines = render_template({}).splitlines()
    table = ""
    found = set()
    for above, line in pairwise(lines):
        if line.startswith("["):
            table = line.strip("[]")
        elif match := re.match(r"(?:# )?([a-z_]+) = ", line):
            found.add(f"{table}.{match[1]}")
            assert above == f"# {COMMENTS[f'{table}.{match[1]}']}"
    assert found == KEYS


def test_without_values_only_the_account_is_left_to_fill_in() -> None:
    """It cannot be guessed; a made-up one would send events to somebody else."""
    tables = tomllib.loads(render_template({}))
    assert tables == {
        "convertro": {"account": ""},
        "events": {},
        "mapping": {},
        "privacy": {},
        "consent": {},
        "schema": {},
        "delivery": {},
        "wire": {"paths": {}, "params": {}},
        "storage": {},
    }
    _, faults = check(tables, folder=Path())
    assert [fault.key for fault in faults] == ["convertro.account"]


def test_what_stands_behind_the_signs_are_the_defaults() -> None:
    """With every # taken off, the settings are the defaults; where there are none, examples."""
    text = uncommented(render_template({"convertro": {"account": "acme"}}))
    text = text.replace('ca_bundle = "certificates.pem"', "")  # in both tables
    found = sound(tomllib.loads(text))
    examples = {
        "convertro": {
            "account": "acme",
            "client_name": "acme",
            "site_id": "1",
            "domain": "https://shop.example.com",
        },
        "events": {"Signed Up": "signup", "Trial Started": ["trial", "lead"]},
        "delivery": {
            "rate_limit": 50,
            "ledger": "postgresql://convertro@db.example.com/convertro",
            "ping_url": "https://hc-ping.com/your-uuid",
        },
        "storage": {"endpoint_url": "https://minio.example.com", "region": "eu-central-1"},
    }
    assert found == sound(examples)


def test_lines_are_short_enough_to_read() -> None:
    """A terminal of 100 columns shows every line whole."""
    assert max(map(len, render_template({}).splitlines())) <= 100


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)
NASTY = (
    TEXT
    | st.sampled_from(
        [
            '"',
            "'",
            "\\",
            '"""',
            "\\u0041",
            "#",
            "a # b",
            "[x]",
            "a = b",
            "é",
            "😀",
            "a\u2028",
            "true",
        ]
    )
    | st.sampled_from(
        ["\u202e", "\u200b", "\ufeff", "{account}", "x\\", "1", "\u00ad", "\U000e0001"]
    )
)
NAMES = NASTY.filter(lambda text: text not in {".", ".."})
TABLE = st.fixed_dictionaries
SETTINGS = TABLE(
    {
        "convertro": TABLE(
            {"account": NAMES},
            optional={
                "client_name": NAMES,
                "site_id": NAMES | st.integers(),
                "domain": NASTY,
                "hybrid_attribution_model": st.booleans(),
            },
        ),
        "events": st.dictionaries(
            NASTY, NASTY | st.lists(NASTY, min_size=1, max_size=3), max_size=4
        ),
    },
    optional={
        "mapping": TABLE(
            {},
            optional={
                "mode": st.sampled_from(["auto", "web"]),
                "require_order_id": st.booleans(),
                "visitor_id": st.lists(NASTY, min_size=1, max_size=3),
                "traits": st.just("none") | st.lists(NASTY, max_size=3),
                "delivered_in_browser": st.sampled_from(["skip", "send", "skip-unmarked"]),
            },
        ),
        "privacy": TABLE({"suppressed": st.lists(NASTY, max_size=2)}),
        "consent": TABLE(
            {"categories": st.lists(NASTY, max_size=3)},
            optional={"without": st.sampled_from(["send", "skip"])},
        ),
        "schema": TABLE({"disabled_events": st.lists(NASTY, max_size=3)}),
        "delivery": TABLE(
            {},
            optional={
                "concurrency": st.just("auto") | st.integers(1, 256),
                "rate_limit": st.floats(1e-9, 1e6) | st.integers(1, 10**6),
                "timeout": st.floats(1e-9, 604800) | st.sampled_from(["30s", "1.5m"]),
            },
        ),
        "wire": TABLE(
            {},
            optional={
                "base_url": st.sampled_from(["https://sp1.convertro.com/x", "http://[::1]:80"]),
                "paths": TABLE({"install": st.sampled_from(["/{account}/", "/a'b"])}),
                "params": TABLE({"ts": st.sampled_from(["t", "time-1.x"])}),
            },
        ),
    },
)


@settings(max_examples=80)
@given(SETTINGS)
def test_any_settings_load_back_to_the_same(tables: dict[str, Any]) -> None:
    """What is written is read again as it was, whatever the text holds."""
    text = render_template(tables)
    again = tomllib.loads(text)
    assert sound(again) == sound(tables)
    assert list(again["events"]) == list(tables["events"])
    assert all(line.isprintable() for line in text.splitlines())
    assert text.encode().decode() == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_as_a_toml_string(text: str) -> None:
    """Control characters too, and nothing of it can speak to a terminal."""
    written = toml_string(text)
    assert tomllib.loads(f"x = {written}") == {"x": text}
    assert written.isprintable()


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1))
def test_any_number_as_a_toml_value(number: float) -> None:
    """Written plainly, and with the same value."""
    again = tomllib.loads(f"x = {toml_value(number)}")["x"]
    assert type(number)(again) == number
