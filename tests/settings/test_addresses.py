"""Where requests can go: to the address and path that the settings name, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from string import ascii_letters
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.rules import Wire
from convertro_cli.mapping.wire import PARAMETERS, build_url
from convertro_cli.settings.checks import check_base_url, check_path, is_loopback
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import check
from convertro_cli.settings.model import Settings
from tests.soaking import examples

ADDRESSES = [
    "https://sp1.convertro.com",
    "https://acme.sp1.convertro.com",
    "https://localhost",
    "https://10.0.0.1:8443",
    "https://[::1]:8020",
    "https://[2001:db8::1]",
    "https://proxy.example.com/convertro/v1",
    "https://proxy.example.com/a%20b",
    "https://my_host-1.local",
    "https://xn--bcher-kva.example",
]

SPELLINGS = [
    ("HTTPS://SP1.Convertro.COM", "https://sp1.convertro.com"),
    ("https://sp1.convertro.com.", "https://sp1.convertro.com"),
    ("https://sp1.convertro.com:443/", "https://sp1.convertro.com"),
    ("http://sp1.convertro.com:080", "http://sp1.convertro.com"),
    ("http://sp1.convertro.com:443", "http://sp1.convertro.com:443"),
    ("http://127.0.0.1:08020/", "http://127.0.0.1:8020"),
    ("https://[0:0:0:0:0:0:0:1]:8020", "https://[::1]:8020"),
    ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
    ("https://Bücher.example:8443/", "https://xn--bcher-kva.example:8443"),
    ("https://faß.example", "https://xn--fa-hia.example"),
    ("https://proxy.example.com/A%2fb//", "https://proxy.example.com/A%2Fb"),
]
"""Other spellings of an address, and the one that stands for all of them."""

NO_ADDRESSES = [
    "",
    "sp1.convertro.com",
    "//sp1.convertro.com",
    "https:sp1.convertro.com",
    "https:/sp1.convertro.com",
    "https://",
    "https:///path",
    "ftp://sp1.convertro.com",
    "file:///etc/passwd",
    "https://user@sp1.convertro.com",
    "https://user:secret@sp1.convertro.com",
    "https://sp1.convertro.com@evil.example",
    "https://sp1.convertro.com?x=1",
    "https://sp1.convertro.com/?",
    "https://sp1.convertro.com#x",
    "https://sp1.convertro.com\\@evil.example",
    "https://sp1.convertro.com\\.evil.example",
    "https://sp1.convertro.com:99999",
    "https://sp1.convertro.com:0",
    "https://sp1.convertro.com:",
    "https://sp1.convertro.com:x",
    "https://sp1.convertro.com:٨",
    "https://sp1.convertro.com/../x",
    "https://sp1.convertro.com/%2e%2E/x",
    "https://sp1.convertro.com//evil.example",
    "https://sp1.convertro.com/{account}",
    "https://sp1.convertro.com/{{",
    "https://sp1.convertro.com/a b",
    "https://sp1.convertro.com/%zz",
    "https://ｓp1.convertro.com",
    "https://é\u0301 .com",
    "https://.",
    "https://sp1.convertro.com..",
    # What URL libraries pass over, or read in their own way each.
    " https://sp1.convertro.com",
    "https://sp1.convertro.com ",
    "https://sp1.convertro.com\n",
    "https://sp1.convertro.com\r\nHost: evil.example",
    "ht\ntps://sp1.convertro.com",
    "https://sp1.conv\tertro.com",
    "\x00https://sp1.convertro.com",
    "https://[::1].evil.example",
    "https://evil.example[::1]",
    "https://[::1",
    "https://::1",
    "https://[:::1]",
    "https://[sp1.convertro.com]",
    "https://[fe80::1%25eth0]",
]

TEMPLATES = [
    "/",
    "/api/hit/{account}/{site_id}/",
    "/x",
    "/{client_name}",
    "/v1.{site_id}/~x/a;b=c,d:e@f!$&'()*+",
    "/a%20b/",
    "/a//b",
    "/...",
    "/.well-known/x",
]

NO_TEMPLATES = [
    "",
    "x",
    "api/hit/",
    "//evil.example/x",
    "https://evil.example/",
    "/a b",
    "/a?x=1",
    "/a#x",
    "/a\\b",
    "/a\n",
    "/é",
    "/%",
    "/%2",
    "/%zz",
    "/.",
    "/..",
    "/./x",
    "/a/../b",
    "/a/%2e%2e/b",
    "/a/.%2E/b",
    "/{}",
    "/{0}",
    "/{name}",
    "/{account",
    "/account}",
    "/{{account}}",
    "/{account}}",
    "/{{",
    # What Python's format would make something else of.
    "/{account!r}",
    "/{account:.0}..",
    "/{site_id:>9}",
    "/{account.__class__}",
    "/{account[0]}",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_plain_addresses(url: str) -> None:
    """Scheme, host, port and a plain path, as they are."""
    assert check_base_url(url) == url
    assert check_base_url(url + "/") == url


@pytest.mark.parametrize(("url", "canonical"), SPELLINGS, ids=ascii)
def test_one_target_has_one_name(url: str, canonical: str) -> None:
    """However an address is spelt, the settings and so the ledger have it in one form."""
    assert check_base_url(url) == canonical
    assert check_base_url(canonical) == canonical


@pytest.mark.parametrize("url", NO_ADDRESSES, ids=ascii)
def test_what_is_no_plain_address(url: str) -> None:
    """Anything that could be read in two ways is refused."""
    with pytest.raises(ValueError, match=r"\w"):
        check_base_url(url)


@pytest.mark.parametrize("template", TEMPLATES)
def test_plain_paths(template: str) -> None:
    """Absolute paths with the three placeholders."""
    assert check_path(template) == template


@pytest.mark.parametrize("template", NO_TEMPLATES, ids=ascii)
def test_what_is_no_plain_path(template: str) -> None:
    """Dots that lead up, what needs encoding, and any other placeholder are refused."""
    with pytest.raises(ValueError, match=r"\w"):
        check_path(template)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost", True),
        ("http://LOCALHOST:8020", True),
        ("http://127.0.0.1:8020", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8020", True),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://127.1", False),
        ("http://0.0.0.0", False),
        ("http://10.0.0.1", False),
        ("http://[2001:db8::1]", False),
        ("http://sp1.convertro.com", False),
    ],
)
@pytest.mark.parametrize("allow_http", [None, False, True])
def test_plain_http_only_to_this_machine(url: str, loopback: bool, allow_http: bool | None) -> None:
    """Unless allow_http says otherwise."""
    assert is_loopback(url) is loopback
    wire = {"base_url": url} | ({} if allow_http is None else {"allow_http": allow_http})
    _, faults = check({"convertro": {"account": "acme"}, "wire": wire}, folder=Path())
    assert [fault.key for fault in faults] == ([] if loopback or allow_http else ["wire.base_url"])


def test_a_web_path_cannot_be_made_of_a_client_name_that_is_not_set() -> None:
    """Its part of the path would be empty; cloud calls are not sent then."""
    tables: dict[str, Any] = {
        "convertro": {"account": "acme"},
        "wire": {"paths": {"web_event": "/.{client_name}./", "install": "/{client_name}/"}},
    }
    _, faults = check(tables, folder=Path())
    assert [fault.key for fault in faults] == ["wire.paths.web_event"]
    tables["convertro"]["client_name"] = "acme"
    assert not check(tables, folder=Path())[1]


NASTY = st.sampled_from([*"./\\%?#&=@:;{} \t\n\x00é😀\u2024\uff0f"]) | st.sampled_from(
    ["..", "//", "%2e", "%2F", "{{", "{account}", "{client_name}", "[::1]", "http://", "localhost"]
)
TEXT = st.lists(NASTY | st.text(ascii_letters + "0123456789-_.~", max_size=3), max_size=5).map(
    "".join
)
NAMES = st.sampled_from(["acme", "1", "a/b", "é", "..."]) | TEXT
PARTS = st.sampled_from(["/", ".", "..", "a", "%20", "%2e", "{account}", "{client_name}", ";@:"])
PATHS = st.lists(PARTS, max_size=6).map(lambda parts: "/" + "".join(parts)) | TEXT
BASE_URLS = (
    st.sampled_from(ADDRESSES)
    | st.sampled_from(NO_ADDRESSES)
    | st.tuples(st.sampled_from(["https://", *ADDRESSES]), TEXT | PATHS).map("".join)
)
TABLES = st.fixed_dictionaries(
    {
        "convertro": st.fixed_dictionaries(
            {"account": NAMES},
            optional={"client_name": NAMES, "site_id": NAMES, "domain": TEXT},
        ),
        "wire": st.fixed_dictionaries(
            {
                "base_url": BASE_URLS,
                "paths": st.fixed_dictionaries(dict.fromkeys(PARAMETERS, PATHS)),
                "params": st.fixed_dictionaries({"sid": TEXT, "ts": TEXT}),
            }
        ),
    }
)

EVENT = Call("web", "event", 1, visitor_id="v&#?/../", event_type="t", event_id="e")
CALLS = {
    "web_event": EVENT,
    "web_user": EVENT._replace(kind="user", user_id="u", traits={"of_the_test": "x"}),
    "cloud_event": EVENT._replace(mode="cloud", device_id="d"),
    "cloud_user": EVENT._replace(mode="cloud", kind="user", device_id="d"),
    "install": EVENT._replace(mode="cloud", kind="install", device_id="d"),
}


def accepted(tables: dict[str, Any]) -> Settings:
    """Leave out what is refused until the rest is accepted."""
    while True:
        found, faults = check(tables, folder=Path())
        if found is not None and not faults:
            return found
        for fault in faults:
            *path, name = fault.key.split(".")
            inner = tables
            for table in path:
                inner = inner[table]
            inner.pop(name, None)
        tables["convertro"].setdefault("account", "acme")


@settings(max_examples=examples(300))
@given(TABLES)
def test_no_setting_reaches_another_host_or_path(tables: dict[str, Any]) -> None:
    """Settings that are accepted send every call to the host and path that they name."""
    found = accepted(tables)
    rules = compile_rules(found)
    values = found.convertro.model_dump() | {"site_id": found.convertro.site_id or "0"}
    base = urlsplit(found.wire.base_url)
    for endpoint, template in found.wire.paths.model_dump().items():
        if rules.missing_cloud_settings and endpoint in {"cloud_event", "cloud_user", "install"}:
            continue
        assert_goes_to(base, template, values, build_url(CALLS[endpoint], rules.wire))
        assert_parameters(endpoint, rules.wire)


def assert_goes_to(base: Any, template: str, values: dict[str, Any], url: str) -> None:
    """Compare a URL with its base and its template, as two libraries take it apart."""
    wanted = [part.format(**values) for part in unquote_parts(base.path.rstrip("/") + template)]
    plain, strict = urlsplit(url), parse_url(url)
    assert (plain.scheme, plain.hostname, plain.port) == (base.scheme, base.hostname, base.port)
    assert strict.scheme == base.scheme
    assert (strict.host or "").strip("[]") == base.hostname
    assert strict.port == base.port
    assert strict.auth is None
    for path in (plain.path, strict.path or ""):
        assert unquote_parts(path) == wanted
    assert (plain.fragment, strict.fragment) == ("", None)


def unquote_parts(path: str) -> list[str]:
    """The parts of a path, decoded."""
    return [unquote(part) for part in path.split("/")]


def assert_parameters(endpoint: str, wire: Wire) -> None:
    """The query decodes to as many parameters as the call has, each under its own name."""
    query = urlsplit(build_url(CALLS[endpoint], wire)).query
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True, strict_parsing=True)]
    assert len(set(names)) == len(names)
    assert {wire.names.get("ts", "ts")} <= set(names)
