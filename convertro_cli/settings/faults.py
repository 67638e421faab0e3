"""What is wrong with a settings file, told for each key: what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from convertro_cli.destination_filters.raw_table import ABOVE_ALL_TABLES, MISPLACED
from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.wire import PARAMETERS
from convertro_cli.settings.checks import is_loopback, placeholders
from convertro_cli.settings.model import (
    SECRETS,
    ConsentTable,
    ConvertroTable,
    DeliveryTable,
    MappingTable,
    ParamsTable,
    PathsTable,
    PrivacyTable,
    SchemaTable,
    Settings,
    StorageTable,
    WireTable,
)

TABLES: dict[str, type[BaseModel]] = {
    "convertro": ConvertroTable,
    "mapping": MappingTable,
    "privacy": PrivacyTable,
    "consent": ConsentTable,
    "schema": SchemaTable,
    "delivery": DeliveryTable,
    "wire": WireTable,
    "wire.paths": PathsTable,
    "wire.params": ParamsTable,
    "storage": StorageTable,
}

_TOP = {field.alias or name: field for name, field in Settings.model_fields.items()}

CLOUD_SETTINGS = ("client_name", "site_id", "domain")
"""What cloud calls need of ``[convertro]``, as Segment's page on mobile libraries says."""

_LONGEST_SHOWN = 60


class Fault(Struct, frozen=True):
    """One fault: a dotted key, what is wrong with it, and what would be right."""

    key: str
    problem: str
    allowed: str | None = None
    meant: str | None = None

    @property
    def is_about_a_key(self) -> bool:
        """Whether a key is missing or unknown, and nothing is known of which one is meant."""
        return self.meant is None and self.problem.startswith(("is no setting", "is missing"))

    def __str__(self) -> str:
        text = f"{self.key} {self.problem}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.meant:
            text += f"; did you mean {self.meant}?"
        return text


class SettingsError(ConvertroError):
    """Settings that are not sound. Tells every fault, and keeps them as values too."""

    def __init__(
        self,
        file: str,
        faults: list[Fault],
        origins: Mapping[str, str],
        *,
        is_template: bool = False,
    ) -> None:
        # It says which keys there are. Who began with the template has them all there.
        unsure = any(fault.is_about_a_key for fault in faults) and not is_template
        hint = "`convertro init` writes a file with every key and comment." if unsure else None
        super().__init__(describe_faults(file, faults, origins), hint=hint)
        self.faults = faults


def describe_faults(file: str, faults: list[Fault], origins: Mapping[str, str]) -> str:
    """Tell all faults of a file in one text, with where a value is from if not the file."""
    number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = [f"{number} in the settings ({file}):"]
    for fault in faults:
        origin = origins.get(fault.key, "file")
        lines.append(f"  {fault}" + ("" if origin == "file" else f" (from the {origin})"))
    return "\n".join(lines)


def translate(error: ValidationError) -> list[Fault]:
    """Turn pydantic's errors into one fault a key."""
    faults: dict[str, Fault] = {}
    for detail in error.errors(include_url=False):
        fault = _fault(detail)
        faults.setdefault(fault.key, fault)
    return list(faults.values())


def cross_faults(data: Mapping[str, Any], folder: Path) -> list[Fault]:
    """Find the faults that no key has by itself. Works on raw data, so that all are told."""
    return [
        *_missing_for_cloud(_table(data, "convertro"), _table(data, "mapping")),
        *_plain_http("wire", "base_url", _table(data, "wire"), "send"),
        *_plain_http("storage", "endpoint_url", _table(data, "storage"), "read"),
        *_unreadable_bundle("wire", _table(data, "wire"), folder),
        *_unreadable_bundle("storage", _table(data, "storage"), folder),
        *_empty_path_parts(_table(data, "convertro"), _table(_table(data, "wire"), "paths")),
        *_shared_parameter_names(_table(_table(data, "wire"), "params")),
        *_doubled_concurrency(_table(data, "delivery")),
        *_misplaced_in_events(_table(data, "events")),
    ]


def _fault(detail: ErrorDetails) -> Fault:
    path = tuple(str(part) for part in detail["loc"])
    depth = 3 if path[:2] in {("wire", "paths"), ("wire", "params")} else 2
    table, name = ".".join(path[: depth - 1]), path[depth - 1] if len(path) >= depth else ""
    key = f"{table}.{name}" if name else table
    found = shown(detail["input"])
    if detail["type"] == "extra_forbidden":
        if path[-1] in ABOVE_ALL_TABLES:
            return Fault(_key_alone(path), MISPLACED)
        return Fault(_key_alone(path), "is no setting", meant=_likely(path))
    if detail["type"] == "missing":
        name = name or "account"
        return Fault(f"{table}.{name}", "is missing", _allowed(table, name))
    problem = "= …" if key in SECRETS else f"= {found}"
    if detail["type"] == "value_error":
        problem += f" {detail['ctx']['error']}"
    return Fault(key, problem, _allowed(table, name))


def _key_alone(path: tuple[str, ...]) -> str:
    return ".".join(path)


def _field(table: str, name: str) -> FieldInfo | None:
    if not name and "." in table:  # the fault is in a table of [wire] as a whole
        table, _, name = table.partition(".")
    model = TABLES.get(table)
    return model.model_fields.get(name) if model else _TOP.get(table)


def _allowed(table: str, name: str) -> str | None:
    field = _field(table, name) or _TOP.get(table)
    return field.description if field else None


def _likely(path: tuple[str, ...]) -> str | None:
    """Guess the key that was meant: one spelt like it here, or its like in another table."""
    table, name = ".".join(path[:-1]), path[-1]
    here = _close(name, list(TABLES[table].model_fields) if table else list(_TOP))
    if here:
        return f"{table}.{here}" if table else _heading(here)
    for other, model in TABLES.items():
        there = _close(name, list(model.model_fields), 0.8)
        if there:
            return f"{other}.{there}"
    return None


def _heading(name: str) -> str:
    """Give a name at the top of the file as it stands there: a table in brackets, or a key."""
    if name in TABLES or name == "events":
        return f"[{name}]"
    return f"[[{name}]]" if name in {"filters", "transformations"} else name


def _close(name: str, known: list[str], likeness: float = 0.6) -> str | None:
    return next(iter(get_close_matches(name.lower(), known, 1, likeness)), None)


def shown(value: Any) -> str:
    """Give a value as a person is told it, cut short where it is long."""
    text = repr(value)
    if isinstance(value, bool):
        text = text.lower()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = data.get(name)
    return table if isinstance(table, dict) else {}


def _missing_for_cloud(convertro: Mapping[str, Any], mapping: Mapping[str, Any]) -> Iterator[Fault]:
    if mapping.get("mode") == "cloud":
        for name in CLOUD_SETTINGS:
            if convertro.get(name) is None:
                allowed = _allowed("convertro", name)
                yield Fault(f"convertro.{name}", 'is missing, and mode = "cloud" needs it', allowed)


def _plain_http(table: str, key: str, values: Mapping[str, Any], what: str) -> Iterator[Fault]:
    url = values.get(key)
    if not isinstance(url, str) or not url.lower().startswith("http://"):
        return
    try:
        allowed = is_loopback(url) or values.get("allow_http") is True
    except ValueError:
        return
    if not allowed:
        yield Fault(
            f"{table}.{key}",
            f"= {shown(url)} would {what} personal data unencrypted",
            f"https://, or http:// to this machine or with {table}.allow_http = true",
        )


def _unreadable_bundle(table: str, values: Mapping[str, Any], folder: Path) -> Iterator[Fault]:
    name = values.get("ca_bundle")
    if isinstance(name, str) and name.strip() and not _is_file(folder, name):
        problem = f"= {shown(name)} is no file"
        yield Fault(f"{table}.ca_bundle", problem, _allowed(table, "ca_bundle"))


def _is_file(folder: Path, name: str) -> bool:
    try:
        return (folder / Path(name).expanduser()).is_file()
    except (OSError, RuntimeError):  # too long a name, a closed folder, an unknown ~user
        return False


def _shared_parameter_names(params: Mapping[str, Any]) -> Iterator[Fault]:
    for key in (known for known in ParamsTable.model_fields if known in params):
        calls = [names for names in PARAMETERS.values() if key in names]
        others = dict.fromkeys(name for names in calls for name in names if name != key)
        twin = next((name for name in others if params.get(name, name) == params[key]), None)
        if twin:
            yield Fault(
                f"wire.params.{key}",
                f"= {shown(params[key])} is the name of {twin} in the same call",
                "a name of its own for each parameter of a call",
            )


def _empty_path_parts(convertro: Mapping[str, Any], paths: Mapping[str, Any]) -> Iterator[Fault]:
    """A web call is sent without a client name, so its path cannot be made of one."""
    for name in ("web_event", "web_user"):
        path = paths.get(name)
        if (
            isinstance(path, str)
            and "client_name" in placeholders(path)
            and convertro.get("client_name") is None
        ):
            yield Fault(
                f"wire.paths.{name}",
                f"= {shown(path)} names {{client_name}}, and convertro.client_name is missing",
            )


def _misplaced_in_events(events: Mapping[str, Any]) -> Iterator[Fault]:
    """Any name can be an event's, but these are surely keys that slipped below the heading."""
    for name in events:
        if name in ABOVE_ALL_TABLES:
            yield Fault(f"events.{name}", MISPLACED)


def _doubled_concurrency(delivery: Mapping[str, Any]) -> Iterator[Fault]:
    fixed, most = delivery.get("concurrency"), delivery.get("max_concurrency")
    if isinstance(fixed, int) and isinstance(most, int) and fixed > most:
        yield Fault("delivery.concurrency", f"= {fixed} is more than max_concurrency = {most}")
