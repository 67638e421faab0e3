"""Every fault in a settings file is told: key, value, what is allowed, and what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convertro_cli.settings.faults import TABLES, Fault, SettingsError
from convertro_cli.settings.load import check, load_settings
from convertro_cli.settings.model import Settings
from convertro_cli.settings.toml_text import toml_value

ACCOUNT = {"account": "acme"}


def faults_of(tables: dict[str, Any]) -> list[Fault]:
    """Check tables of a convertro.toml with an account, and give the faults."""
    merged = {"convertro": ACCOUNT} | tables
    return check(merged, folder=Path("/nowhere"))[1]


def told(tables: dict[str, Any]) -> list[str]:
    """The faults as sentences."""
    return [str(fault) for fault in faults_of(tables)]


def nested(key: str, value: Any) -> dict[str, Any]:
    """Tables with one key besides the account."""
    table, _, name = key.rpartition(".")
    outer, _, inner = table.partition(".")
    tables: dict[str, Any] = {outer: {inner: {name: value}} if inner else {name: value}}
    if outer == "convertro":
        tables["convertro"] = ACCOUNT | tables["convertro"]
    return tables


WRONG_TYPES = [
    ("convertro.account", 5),
    ("convertro.account", ["acme"]),
    ("convertro.client_name", True),
    ("convertro.client_name", 7),
    ("convertro.site_id", 1.5),
    ("convertro.site_id", True),
    ("convertro.site_id", ["1"]),
    ("convertro.domain", {}),
    ("convertro.hybrid_attribution_model", "true"),
    ("convertro.hybrid_attribution_model", 1),
    ("events.Signed Up", 5),
    ("events.Signed Up", []),
    ("events.Signed Up", ["signup", 5]),
    ("events.Signed Up", {"to": "signup"}),
    ("mapping.mode", "mobile"),
    ("mapping.mode", "WEB"),
    ("mapping.mode", 1),
    ("mapping.unmapped_events", "keep"),
    ("mapping.unmapped_events", False),
    ("mapping.require_order_id", "no"),
    ("mapping.require_order_id", 0),
    ("mapping.cloud_orders", "sales"),
    ("mapping.visitor_id", "anonymousId"),
    ("mapping.visitor_id", []),
    ("mapping.visitor_id", [5]),
    ("mapping.traits", "some"),
    ("mapping.traits", True),
    ("mapping.traits", ["plan", 5]),
    ("mapping.integrations", "keep"),
    ("mapping.integrations", False),
    ("mapping.delivered_in_browser", "drop"),
    ("mapping.delivered_in_browser", True),
    ("mapping.unreadable_amount", "skip"),
    ("mapping.unreadable_amount", 1),
    ("mapping.repeated_orders", "drop"),
    ("mapping.repeated_orders", False),
    ("privacy.suppressed", "ids.txt"),
    ("privacy.suppressed", True),
    ("privacy.suppressed", [5]),
    ("privacy.suppressed", [""]),
    ("consent.categories", "Advertising"),
    ("consent.categories", ["Advertising", 5]),
    ("consent.categories", [" "]),
    ("consent.categories", {"Advertising": True}),
    ("consent.without", "drop"),
    ("consent.without", False),
    ("consent.empty", "Skip"),
    ("consent.empty", []),
    ("schema.disabled_events", "Test Event"),
    ("schema.disabled_events", [5]),
    ("schema.disabled_events", ["Test\n"]),
    ("schema.disabled_events", {"Test Event": False}),
    ("delivery.transport", "wget"),
    ("delivery.concurrency", 0),
    ("delivery.concurrency", 257),
    ("delivery.concurrency", "16"),
    ("delivery.concurrency", 1.5),
    ("delivery.max_concurrency", "auto"),
    ("delivery.max_concurrency", 0),
    ("delivery.rate_limit", 0),
    ("delivery.rate_limit", -5),
    ("delivery.rate_limit", "50"),
    ("delivery.rate_limit", float("inf")),
    ("delivery.timeout", "soon"),
    ("delivery.timeout", 0),
    ("delivery.timeout", "0s"),
    ("delivery.timeout", -1),
    ("delivery.timeout", True),
    ("delivery.timeout", "8d"),
    ("delivery.timeout", float("nan")),
    ("delivery.max_attempts", 0),
    ("delivery.max_attempts", 2.5),
    ("delivery.max_attempts", 101),
    ("delivery.outage_timeout", "long"),
    ("delivery.outage_timeout", [900]),
    ("delivery.ledger", 5),
    ("delivery.ledger", "mysql://db.example.com/convertro"),
    ("delivery.ledger", "postgresql://me:word@db.example.com/convertro"),
    ("delivery.ledger_timeout", "long"),
    ("delivery.ledger_lease", 0),
    ("delivery.stop_after_refusals", -1),
    ("delivery.stop_after_refusals", 257),
    ("delivery.stop_after_refusals", "off"),
    ("delivery.state", 5),
    ("delivery.state", ""),
    ("delivery.state", "~nosuchuser/state"),
    ("delivery.ping_url", 5),
    ("delivery.ping_url", ""),
    ("delivery.ping_url", "hc-ping.com/uuid"),
    ("delivery.ping_url", "ftp://hc-ping.com/uuid"),
    ("delivery.ping_url", "https:///uuid"),
    ("delivery.ping_url", "https://hc-ping.com/a uuid"),
    ("wire.base_url", 5),
    ("wire.base_url", "sp1.convertro.com"),
    ("wire.paths.web_event", 5),
    ("wire.paths.web_event", "api/hit"),
    ("wire.paths.web_user", ""),
    ("wire.paths.cloud_event", "/api/{name}/"),
    ("wire.paths.cloud_user", "/api/{account"),
    ("wire.paths.install", "/api/../"),
    ("wire.params.sid", 5),
    ("wire.params.eid", ""),
    ("wire.params.ts", "t s"),
    ("wire.params.event_type", "a&b"),
    ("wire.hash_email_ids", "yes"),
    ("wire.ca_bundle", 5),
    ("wire.ca_bundle", "no-such-file.pem"),
    ("wire.ca_bundle", "~nosuchuser/ca.pem"),
    ("wire.ca_bundle", "x" * 300),
    ("wire.allow_http", "true"),
    ("storage.endpoint_url", "minio.example.com"),
    ("storage.endpoint_url", "http://minio.example.com"),
    ("storage.region", ""),
    ("storage.anonymous", "yes"),
    ("storage.allow_http", 1),
    ("storage.ca_bundle", "no-such-file.pem"),
    ("wire.success", "2xx"),
    ("wire.success", 200),
    ("wire.success", []),
    ("wire.success", [503]),
    ("wire.success", ["200"]),
]


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES, ids=lambda value: ascii(value)[:30])
def test_a_wrong_value_is_told_with_its_key_the_value_and_what_is_allowed(
    key: str, value: Any
) -> None:
    """One fault, with nothing to look up."""
    (fault,) = faults_of(nested(key, value))
    assert fault.key == key
    assert fault.problem.startswith("= ")
    assert fault.allowed
    assert fault.meant is None
    assert str(fault) == f"{key} {fault.problem}; allowed: {fault.allowed}"


def test_every_key_of_every_table_has_a_case_above() -> None:
    """A key without a test of its wrong values would show here."""
    keys = {
        f"{table}.{name}"
        for table, model in TABLES.items()
        for name in model.model_fields
        if f"{table}.{name}" not in TABLES
    }
    params = {key for key in keys if key.startswith("wire.params.")}  # all of one type
    assert keys - params <= {key for key, _ in WRONG_TYPES}
    of_filters = {"filters", "filters_file", "destination_id"}  # test_filters.py has their cases
    of_filters |= {"transformations", "transformations_file"}
    tables = {field.alias or name for name, field in Settings.model_fields.items()}
    assert tables == {key.partition(".")[0] for key, _ in WRONG_TYPES} | of_filters


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("convertro.acount", "convertro.account"),
        ("convertro.clientName", "convertro.client_name"),
        ("convertro.siteId", "convertro.site_id"),
        ("convertro.site-id", "convertro.site_id"),
        ("convertro.hybridAttributionModel", "convertro.hybrid_attribution_model"),
        ("convertro.mode", "mapping.mode"),
        ("mapping.mod", "mapping.mode"),
        ("mapping.unmaped_events", "mapping.unmapped_events"),
        ("mapping.timeout", "delivery.timeout"),
        ("delivery.rate-limit", "delivery.rate_limit"),
        ("delivery.retries", None),
        ("wire.baseurl", "wire.base_url"),
        ("wire.path", "wire.paths"),
        ("wire.paths.web_evnt", "wire.paths.web_event"),
        ("wire.params.SID", "wire.params.sid"),
        ("wire.params.qqqqqq", None),
        ("privacy.supressed", "privacy.suppressed"),
        ("consent.category", "consent.categories"),
        ("mapping.categories", "consent.categories"),
        ("consent.disabled_events", "schema.disabled_events"),
        ("schema.disabled-events", "schema.disabled_events"),
        ("mapping.delivered_in_browsers", "mapping.delivered_in_browser"),
    ],
)
def test_an_unknown_key_is_told_with_the_likely_one(key: str, meant: str | None) -> None:
    """A slip of the pen is a fault, never passed over."""
    (fault,) = faults_of(nested(key, "x"))
    assert (fault.key, fault.problem, fault.meant) == (key, "is no setting", meant)
    assert ("did you mean" in str(fault)) == (meant is not None)


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"evnts": {"a": "b"}}, "evnts is no setting; did you mean [events]?"),
        ({"Delivery": {}}, "Delivery is no setting; did you mean [delivery]?"),
        ({"consents": {}}, "consents is no setting; did you mean [consent]?"),
        ({"suppressed": []}, "suppressed is no setting; did you mean privacy.suppressed?"),
        ({"schema": []}, "schema = []; allowed: the table [schema]"),
        ({"schema_": {}}, "schema_ is no setting; did you mean [schema]?"),
        ({"privacy": "ids.txt"}, "privacy = 'ids.txt'; allowed: the table [privacy]"),
        ({"client_name": "x"}, "client_name is no setting; did you mean convertro.client_name?"),
        ({"qqqqqq": 1}, "qqqqqq is no setting"),
        ({"mapping": 5}, "mapping = 5; allowed: the table [mapping]"),
        ({"mapping": [{}]}, "mapping = [{}]; allowed: the table [mapping]"),
        ({"wire": {"paths": 5}}, "wire.paths = 5; allowed: a table of paths"),
        ({"wire": {"params": "x"}}, "wire.params = 'x'; allowed: a table of parameter names"),
        ({"convertro": 5}, "convertro = 5; allowed: the table [convertro]"),
    ],
)
def test_tables_that_are_none(tables: dict[str, Any], sentence: str) -> None:
    """An unknown table, and a table that is a value, are told like keys."""
    assert told(tables) == [sentence]


@pytest.mark.parametrize("tables", [{}, {"convertro": {}}, {"events": {"a": "b"}}])
def test_the_account_is_required(tables: dict[str, Any]) -> None:
    """It is the one key without a default."""
    _, faults = check(tables, folder=Path())
    assert list(map(str, faults)) == [
        "convertro.account is missing; allowed: the Convertro account's name, as text"
    ]


@pytest.mark.parametrize("key", ["account", "client_name", "site_id"])
@pytest.mark.parametrize("value", ["", " ", ".", "..", "a\nb", "a\x00", "\x9b", "\udcff"])
def test_names_that_no_path_can_hold(key: str, value: str) -> None:
    """Blank text, dots, control characters and bytes that are not UTF-8 are no names."""
    (fault,) = faults_of({"convertro": ACCOUNT | {key: value}})
    assert fault.key == f"convertro.{key}"


def test_all_faults_are_told_at_once() -> None:
    """Faults of the keys, of unknown keys and between keys, in one go."""
    faults = faults_of(
        {
            "convertro": {"acount": "acme"},
            "events": {"Signed Up": 5, "": "x", "Trial": ["a", ""]},
            "mapping": {"mode": "cloud", "traits": 5},
            "privacy": {"suppressed": "ids.txt"},
            "consent": {"categories": ["A", 5], "without": "?", "whithout": "send"},
            "schema": {"disabled": []},
            "delivery": {"timeout": "soon", "concurrency": 20, "max_concurrency": 10},
            "wire": {
                "base_url": "http://example.com",
                "params": {"typ": "sid"},
                "paths": {"web_user": "/{client_name}/"},
                "ca_bundle": "none.pem",
            },
            "wir": {},
        }
    )
    assert {fault.key for fault in faults} == {
        "convertro.acount",
        "convertro.account",
        "convertro.client_name",
        "convertro.site_id",
        "convertro.domain",
        "events",
        "events.Signed Up",
        "events.Trial",
        "mapping.traits",
        "privacy.suppressed",
        "consent.categories",
        "consent.without",
        "consent.whithout",
        "schema.disabled",
        "delivery.timeout",
        "delivery.concurrency",
        "wire.base_url",
        "wire.paths.web_user",
        "wire.params.typ",
        "wire.ca_bundle",
        "wir",
    }


@pytest.mark.parametrize(
    ("convertro", "missing"),
    [
        ({}, ["client_name", "site_id", "domain"]),
        ({"client_name": "acme"}, ["site_id", "domain"]),
        ({"client_name": "acme", "site_id": 1, "domain": "x"}, []),
    ],
)
def test_mode_cloud_needs_the_cloud_settings(convertro: dict[str, Any], missing: list[str]) -> None:
    """Told at the start, each by its name."""
    faults = faults_of({"convertro": ACCOUNT | convertro, "mapping": {"mode": "cloud"}})
    assert [fault.key for fault in faults] == [f"convertro.{name}" for name in missing]


@pytest.mark.parametrize("mode", ["auto", "web"])
def test_other_modes_need_none_of_them(mode: str) -> None:
    """With auto, cloud messages are skipped instead."""
    assert not faults_of({"mapping": {"mode": mode}})


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({"sid": "ts"}, ["sid"]),
        ({"sid": "x", "ts": "x"}, ["sid", "ts"]),
        ({"typ": "val", "val": "typ"}, []),
        ({"user_id": "device_id"}, ["user_id"]),
        ({"eid": "event_type"}, ["eid"]),
        # never in one call: a name may serve both
        ({"event_type": "typ", "event_value": "val", "device_id": "sid", "user_id": "id"}, []),
        ({"id": "eid"}, []),
    ],
)
def test_two_parameters_of_one_call_need_two_names(params: dict[str, str], keys: list[str]) -> None:
    """Names are shared freely between calls, never within one."""
    faults = faults_of({"wire": {"params": params}})
    assert [fault.key for fault in faults] == [f"wire.params.{key}" for key in keys]


@pytest.mark.parametrize(
    ("fixed", "most", "sound"), [(10, 10, True), (11, 10, False), (5, 10, True)]
)
def test_a_fixed_concurrency_within_the_most(fixed: int, most: int, sound: bool) -> None:
    """A number above max_concurrency contradicts it."""
    tables = {"delivery": {"concurrency": fixed, "max_concurrency": most}}
    assert bool(faults_of(tables)) is not sound


def test_a_long_value_is_cut_short() -> None:
    """A fault stays a line."""
    (sentence,) = told({"mapping": {"mode": "x" * 5000}})
    assert len(sentence) < 200
    assert "…" in sentence


@pytest.mark.parametrize(
    ("key", "value", "understood"),
    [
        ("convertro.site_id", 12, "12"),
        ("convertro.site_id", "012", "012"),
        ("delivery.timeout", 10, 10.0),
        ("delivery.timeout", "500ms", 0.5),
        ("delivery.timeout", "1.5m", 90.0),
        ("delivery.outage_timeout", "7d", 604800.0),
        ("delivery.rate_limit", 50, 50.0),
        ("delivery.stop_after_refusals", 0, 0),
        ("wire.success", "any", "any"),
        ("wire.success", [200, 302], [200, 302]),
        ("delivery.rate_limit", 0.5, 0.5),
        ("delivery.concurrency", "auto", "auto"),
        ("delivery.concurrency", 256, 256),
        ("wire.base_url", "https://acme.sp1.convertro.com/", "https://acme.sp1.convertro.com"),
        ("mapping.traits", ["plan"], ["plan"]),
        ("mapping.traits", [], []),
    ],
)
def test_what_sound_values_are_understood_as(key: str, value: Any, understood: Any) -> None:
    """Whole numbers are site ids too, lengths of time are seconds, a trailing slash is dropped."""
    settings, faults = check({"convertro": ACCOUNT} | nested(key, value), folder=Path("/nowhere"))
    assert not faults
    table, _, name = key.partition(".")
    assert getattr(getattr(settings, table), name) == understood


@pytest.mark.parametrize(
    ("tables", "helps"),
    [
        ({"convertro": {}}, True),
        ({"qqqqqq": 1}, True),
        ({"convertro": ACCOUNT, "delivery": {"retries": 1, "timeout": "long"}}, True),
        ({"evnts": {}}, False),  # it says which key is meant
        ({"delivery": {"timeout": "long"}}, False),  # it says what is allowed
        ({"privacy": {"suppressed": ["nowhere.txt"]}}, False),
    ],
)
def test_a_new_file_is_offered_only_where_it_helps(
    tmp_path: Path, tables: dict[str, Any], helps: bool
) -> None:
    """A file with all keys helps whoever does not know a key; whoever has a wrong value has it."""
    file = tmp_path / "convertro.toml"
    lines = [
        f"[{name}]\n" + "".join(f"{key} = {toml_value(v)}\n" for key, v in table.items())
        if isinstance(table, dict)
        else f"{name} = {table}\n"
        for name, table in sorted(({"convertro": ACCOUNT} | tables).items(), key=is_table)
    ]
    file.write_text("".join(lines))
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environ={})
    assert ("convertro init" in (caught.value.hint or "")) == helps


def is_table(item: tuple[str, Any]) -> bool:
    return isinstance(item[1], dict)
