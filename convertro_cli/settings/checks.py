"""Checks of single values. Each returns the value, or raises ValueError with what is wrong."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from convertro_cli.record.postgres.address import check_ledger_url

PLACEHOLDERS = frozenset({"account", "client_name", "site_id"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]+")
_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?:(?P<name>[a-z0-9._-]+)|\[(?P<ipv6>[0-9a-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/.*)?",
    re.ASCII | re.IGNORECASE,
)
_HOST = re.compile(r"(?<=://)[^/:\[\]?#@]+")
_ENCODED = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/{}-]|%[0-9A-Fa-f]{2})*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def check_no_blank(text: str) -> str:
    """Refuse blank text, control characters, and what is no text at all.

    The environment and the command line can hold bytes that are not UTF-8.
    """
    if not text.strip():
        raise ValueError("is blank")
    if _CONTROL.search(text):
        raise ValueError("holds a control character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not UTF-8") from None
    return text


def check_folder(text: str) -> str:
    """Refuse ``~name`` where there is no such user."""
    try:
        Path(text).expanduser()
    except RuntimeError:
        raise ValueError("is in a home folder that is not known") from None
    return text


def check_ledger(url: str) -> str:
    """Refuse what is no database of PostgreSQL, and a password in its address."""
    return check_ledger_url(url)


def check_path_part(text: str) -> str:
    """Refuse what as a part of a path would lead to another path, however it is encoded."""
    if text in {".", ".."}:
        raise ValueError("is nothing but dots, and would lead to another path")
    return text


def check_parameter_name(text: str) -> str:
    """Refuse names that would need encoding, or break a query apart."""
    if not _PARAMETER.fullmatch(text):
        raise ValueError("is no parameter name")
    return text


def check_path(template: str) -> str:
    """Refuse a template that is no plain absolute path, or names an unknown placeholder."""
    if not _PATH.fullmatch(template) or template.startswith("//"):
        raise ValueError("is no absolute path")
    if any(
        part in {".", ".."} for part in template.replace("%2e", ".").replace("%2E", ".").split("/")
    ):
        raise ValueError("leads up to another path")
    unknown = sorted(placeholders(template) - PLACEHOLDERS)
    if unknown:
        raise ValueError(f"has an unknown placeholder {{{unknown[0]}}}")
    if any(brace in _PLACEHOLDER.sub("", template) for brace in "{}"):
        raise ValueError("has a brace without its other half")
    return template


def placeholders(template: str) -> frozenset[str]:
    """Give the names that stand in braces."""
    return frozenset(_PLACEHOLDER.findall(template))


def check_base_url(url: str) -> str:
    """Refuse anything but scheme, host, port and a plain path; give the canonical form.

    The whole address is matched, since URL libraries pass over spaces and line breaks, and do
    not agree on what stands beside brackets.
    """
    if "@" in url or "?" in url or "#" in url:
        raise ValueError("has a user name, a query or a fragment")
    match = _BASE_URL.fullmatch(_with_ascii_host(url))
    if match is None or not _has_address(match.string, match["ipv6"]):
        raise ValueError("is no web address")
    if match["path"] not in {None, "/"}:
        check_path(match["path"])
        if "{" in match["path"]:
            raise ValueError("has a placeholder")
    return canonical_base_url(url)


def canonical_base_url(url: str) -> str:
    """Give the one form of an address that ``check_base_url`` takes, however it is spelt.

    The ledger knows a target by it: spelt otherwise, it would be another target, and all would
    be sent there again. By RFC 3986 (6.2) scheme and host are in lower case, the port is there
    only where it is not the scheme's own, and percent-encodings are in upper case; an
    internationalised name is in its ASCII form, and the dot that may end a name is dropped, as
    are slashes at the end.
    """
    match = _BASE_URL.fullmatch(_with_ascii_host(url))
    if match is None:
        raise ValueError("is no web address")
    scheme = match["scheme"].lower()
    if match["ipv6"]:
        host = f"[{IPv6Address(match['ipv6']).compressed}]"
    else:
        host = match["name"].lower().removesuffix(".")
        if not host or host.endswith("."):
            raise ValueError("is no web address")
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    path = _ENCODED.sub(lambda part: part[0].upper(), match["path"] or "")
    shown_port = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{host}{shown_port}{path}".rstrip("/")


def _with_ascii_host(url: str) -> str:
    """Write an internationalised host name as those who look it up do."""
    found = _HOST.search(url)
    if found is None or found[0].isascii():
        return url
    import idna  # noqa: PLC0415 - its tables are large, and hardly ever needed

    try:
        # Not mapped by UTS 46: what only looks like an ASCII name is refused.
        name = idna.encode(found[0].lower()).decode()
    except idna.IDNAError:
        raise ValueError("has a host name that is none") from None
    return url[: found.start()] + name + url[found.end() :]


def _has_address(url: str, ipv6: str | None) -> bool:
    """Whether the port is one, and the host in brackets, if it is in brackets."""
    try:
        if ipv6 is not None:
            IPv6Address(ipv6)
        return urlsplit(url).port != 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine only."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_ping_url(text: str) -> str:
    """Refuse what is no web address. It may be any: who watches cron jobs is anybody's choice."""
    parts = urlsplit(text)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no web address")
    if _CONTROL.search(text) or " " in text:
        raise ValueError("holds a blank or a control character")
    return text


def host_of(url: str) -> str:
    """Give the host of an address whose path is a secret."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def masked_url(url: str) -> str:
    """Give an address with no more of it than the host."""
    return f"{urlsplit(url).scheme}://{host_of(url)}/…"
