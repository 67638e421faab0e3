"""Is this a request that Convertro could have understood? The calls, their paths and their
parameters, as Convertro's tag and a site's server-style client sent them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal
from urllib.parse import unquote

from msgspec import Struct

Call = Literal["event", "user", "install"]

_CALLS: Final[dict[str, Call]] = {"hit": "event", "user": "user", "install": "install"}
_PATHS: Final = "/api/hit/<name>/<site id>/, /api/user/<name>/<site id>/ or /api/install/..."

_WEB_EVENT: Final = ("typ", "val")
_CLOUD_EVENT: Final = ("event_type", "event_value", "device_id")
_CLOUD_USER: Final = ("device_id", "user_id")
_INSTALL: Final = ("device_id",)

_FIXED_BESIDE_TRAITS: Final = frozenset(("sid", "id", "pag", "ref", "cip", "cua", "ts"))
_FIXED: Final = _FIXED_BESIDE_TRAITS | {"eid", *_WEB_EVENT, *_CLOUD_EVENT, *_CLOUD_USER}
"""The interface's own parameters; whatever else stands on a web user call is a trait."""

_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DIGITS: Final = re.compile(r"[0-9]+")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LONGEST_NUMBER: Final = 400  # the largest double, written plainly, has 309 digits
_LONGEST_SECONDS: Final = 12  # the year 9999; thirteen digits are milliseconds of our time


class Checked(Struct, frozen=True):
    """A request as read: the call that its path names (None for an unknown path), its parameters,
    and one sentence that says why it is refused, or None when it is in order.

    ``event_type`` and ``value`` are those of an event in order, else None.
    """

    call: Call | None
    path: str
    params: dict[str, str]
    refusal: str | None = None
    event_type: str | None = None
    value: Decimal | None = None


def check(target: str) -> Checked:
    """Checks a request's path and query, given as they came, still percent-encoded.

    The parameters of a refused request are given as far as they can be read.
    """
    path, _, query = target.partition("?")
    call = _call(path)
    params, unreadable = _parameters(query)
    refusal = _unknown_path(target, call) or unreadable or _refusal(call, params)
    if refusal is not None or call != "event":
        return Checked(call, path, params, refusal)
    web = "typ" in params
    return Checked(
        call,
        path,
        params,
        event_type=params["typ" if web else "event_type"],
        value=Decimal(params["val" if web else "event_value"]),
    )


def _call(path: str) -> Call | None:
    """The call of ``/api/<call>/<name>/<site id>/``."""
    parts = path.split("/")
    if len(parts) != 6 or parts[:2] != ["", "api"] or not parts[3] or not parts[4] or parts[5]:
        return None
    return _CALLS.get(parts[2])


def _unknown_path(target: str, call: Call | None) -> str | None:
    if not (target.isascii() and target.isprintable()):
        return "The address holds a character that must be percent-encoded."
    if call is None:
        return f"There is nothing at this path; the calls are {_PATHS}"
    return None


def _parameters(query: str) -> tuple[dict[str, str], str | None]:
    """The parameters by name, the first of a repeated one, and the first fault found."""
    params: dict[str, str] = {}
    fault: str | None = None
    for part in query.split("&") if query else ():
        raw_name, _, raw_value = part.partition("=")
        name, name_fault = _decoded(raw_name)
        value, value_fault = _decoded(raw_value)
        if name_fault or not _NAME.fullmatch(name):
            fault = fault or (
                "A parameter's name must be made of letters, digits and underscores."
                if name
                else "There is a parameter without a name."
            )
        elif name in params:
            fault = fault or f"The parameter {_shown(name)} is there more than once."
        elif value_fault:
            fault = fault or f"The parameter {_shown(name)} {value_fault}."
        params.setdefault(name, value)
    return params, fault


def _decoded(text: str) -> tuple[str, str | None]:
    """A percent-encoded text, decoded, and what is wrong with it."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text, None
    if _BAD_ESCAPE.search(text):
        return unquote(text), "has a % that is not followed by two hexadecimal digits"
    try:
        return unquote(text, errors="strict"), None
    except UnicodeDecodeError:
        return unquote(text), "is not UTF-8"


def _refusal(call: Call | None, params: dict[str, str]) -> str | None:
    web_user = call == "user" and "id" in params
    fixed = _FIXED_BESIDE_TRAITS if web_user else _FIXED
    for name, value in params.items():
        if not value and name in fixed:
            return f"The parameter {name} is empty; one without a value is left out."
    match call:
        case "event":
            return _event_refusal(params)
        case "user":
            if not web_user and "device_id" not in params:
                return "The parameter id is missing (or device_id, with user_id, on a cloud call)."
            return _missing(params, () if web_user else _CLOUD_USER) or _time_refusal(params)
        case _:
            return _missing(params, _INSTALL) or _time_refusal(params)


def _event_refusal(params: dict[str, str]) -> str | None:
    cloud = [name for name in (*_CLOUD_EVENT, "user_id") if name in params]
    web = [name for name in _WEB_EVENT if name in params]
    if cloud and web:
        return f"The parameters {web[0]} and {cloud[0]} belong to different calls, web and cloud."
    if not cloud and not web:
        return "The parameter typ is missing (or event_type, on a cloud call)."
    missing = _missing(params, _CLOUD_EVENT if cloud else _WEB_EVENT)
    return (
        missing
        or _number_refusal(params, "event_value" if cloud else "val")
        or (_time_refusal(params))
    )


def _missing(params: dict[str, str], required: Iterable[str]) -> str | None:
    for name in required:
        if name not in params:
            return f"The parameter {name} is missing."
    return None


def _number_refusal(params: dict[str, str], name: str) -> str | None:
    value = params[name]
    if not _NUMBER.fullmatch(value):
        return f"The parameter {name} is not a plain number, such as 12 or 50.99."
    if len(value) > _LONGEST_NUMBER:
        return f"The parameter {name} is longer than a number can be."
    return None


def _time_refusal(params: dict[str, str]) -> str | None:
    """An event without its own time would be booked as happening on its arrival."""
    value = params.get("ts")
    if value is None:
        return "The parameter ts is missing."
    if not _DIGITS.fullmatch(value):
        return "The parameter ts is not a time in whole Unix seconds."
    if len(value) > _LONGEST_SECONDS:
        return "The parameter ts is too large for Unix seconds; is it in milliseconds?"
    return None


def _shown(name: str) -> str:
    return name if len(name) <= 40 else name[:40] + "..."
