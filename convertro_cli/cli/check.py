"""``convertro check``: the settings as understood, or every fault in them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from convertro_cli.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    LedgerOptions,
    SendingOptions,
    SuppressedOption,
    TargetOptions,
    load,
)
from convertro_cli.errors import ExitCode

if TYPE_CHECKING:
    from convertro_cli.privacy.list_files import ListFile
    from convertro_cli.settings.faults import SettingsError
    from convertro_cli.settings.load import LoadedSettings

_COLUMN = 44


def check(
    *,
    suppressed: SuppressedOption = None,
    sending: SendingOptions,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    place: LedgerOptions,
    target: TargetOptions,
) -> None:
    """Show the settings as understood, or every fault in them.

    Each value stands with where it is from: the file, an environment variable, an option, or
    the default. What is surely unwanted is told on standard error. Sends nothing.

    Examples:

    * `convertro check`

    * `convertro check -c shop.toml --base-url http://127.0.0.1:8020`
    """
    from convertro_cli.settings.faults import SettingsError

    try:
        loaded = load(config, sending, place, target, suppressed=suppressed)
    except SettingsError as error:
        if not as_json:
            raise
        _print_json(_describe_faults(config, error))
        raise typer.Exit(int(ExitCode.USAGE)) from None
    _print_settings(loaded, as_json=as_json)


def _print_settings(loaded: LoadedSettings, *, as_json: bool) -> None:
    from convertro_cli.cli.console import output_console
    from convertro_cli.delivery.transports import resolve_transport
    from convertro_cli.settings.advice import advise
    from convertro_cli.settings.advice_on_gates import advise_on_lists
    from convertro_cli.text import visible

    transport = resolve_transport(loaded.settings.delivery.transport)
    now = time.time()
    lists = loaded.suppressions.files if loaded.suppressions else ()
    advice = advise(loaded.settings) + advise_on_lists(lists, now)
    if as_json:
        _print_json(_describe(loaded, transport, advice, now))
        return
    from rich.text import Text

    console = output_console()
    for value, comment in (*_lines(loaded, transport), *_list_lines(loaded, now)):
        text = Text(value)
        if comment:
            text.append(" " * max(2, _COLUMN - len(value)) if value else "")
            text.append(f"# {comment}", style="dim")
        console.print(text, soft_wrap=True)
    for sentence in advice:
        typer.echo(visible(f"convertro: note: {sentence}"), err=True)


def _lines(loaded: LoadedSettings, transport: str) -> Iterator[tuple[str, str]]:
    """Give the lines of a convertro.toml that says the same, each with its comment."""
    from convertro_cli.cli.filters_view import filter_key_lines, filter_table_lines
    from convertro_cli.settings.compile import compile_rules, missing_cloud_settings
    from convertro_cli.settings.toml_text import toml_string, toml_value
    from convertro_cli.text import visible

    yield "", f"{visible(str(loaded.file))}, as understood; after each value, where it is from"
    origin = loaded.origin_of
    yield from filter_key_lines(loaded.settings, origin)
    for table, values in _tables(loaded.settings.model_dump()):
        yield "", ""
        yield f"[{table}]", ""
        for name, value in values.items():
            key = toml_string(name) if table == "events" else name
            if value is None:
                yield "", f"{key} is not set"
            else:
                yield f"{key} = {toml_value(value)}", origin(f"{table}.{name}")
    yield from filter_table_lines(loaded.settings, origin)
    yield "", ""
    how = " (curl where pycurl is installed, else requests)"
    chosen = loaded.settings.delivery.transport
    yield "", f"transport: {transport}{how if chosen == 'auto' else ''}"
    missing = missing_cloud_settings(loaded.settings)
    yield "", f"cloud calls: {'no: ' + ', '.join(missing) + ' not set' if missing else 'yes'}"
    categories = visible(", ".join(loaded.settings.consent.categories))
    ignored = "not looked at, even where messages carry it: no categories are set"
    yield "", f"consent: {f'asked for {categories}' if categories else ignored}"
    yield "", f"state: {visible(str(loaded.state_folder))}"
    for call, url in compile_rules(loaded.settings).wire.targets.items():
        if not (missing and call in {"cloud_event", "cloud_user", "install"}):
            yield "", f"{call}: {url}"


def _list_lines(loaded: LoadedSettings, now: float) -> Iterator[tuple[str, str]]:
    """Give a line for each suppression list, and one for what they come to."""
    from convertro_cli.text import visible

    if loaded.suppressions is None:
        return
    files, users = loaded.suppressions.files, len(loaded.suppressions.users)
    for file in files:
        days = _days(file, now)
        age = "changed today" if days < 1 else f"{days:,} {'day' if days == 1 else 'days'} old"
        ids = "1 user id" if file.ids == 1 else f"{file.ids:,} user ids"
        yield "", f"suppressed: {visible(str(file.path))}: {ids}, {age}"
    yield "", f"suppressed: different users on the list: {users:,}"


def _days(file: ListFile, now: float) -> int:
    return max(0, int((now - file.modified) // 86400))


def _tables(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each table with its own keys; a table in a table comes after it."""
    for table, values in tables.items():
        if not isinstance(values, dict):
            continue  # a key above all tables, or an array of them
        inner = (
            {} if table == "events" else {k: v for k, v in values.items() if isinstance(v, dict)}
        )
        yield f"{prefix}{table}", {k: v for k, v in values.items() if k not in inner}
        yield from _tables(inner, f"{prefix}{table}.")


def _describe(
    loaded: LoadedSettings, transport: str, advice: list[str], now: float
) -> dict[str, Any]:
    from convertro_cli.cli.filters_view import ARRAYS, FILTER_KEYS, describe_filters

    settings = loaded.settings.model_dump(mode="json")
    keys = [f"{table}.{name}" for table, values in _tables(settings) for name in values]
    keys += [*FILTER_KEYS, *ARRAYS]
    return {
        "file": str(loaded.file),
        "settings": settings | describe_filters(loaded),
        "origins": {key: loaded.origins.get(key, "default") for key in keys},
        "transport": transport,
        "state": str(loaded.state_folder),
        "suppressed": _describe_lists(loaded, now),
        "advice": advice,
        "faults": [],
    }


def _describe_lists(loaded: LoadedSettings, now: float) -> dict[str, Any]:
    lists = loaded.suppressions
    files = [
        {
            "file": str(file.path),
            "ids": file.ids,
            "other_subjects": file.others,
            "age_days": _days(file, now),
        }
        for file in (lists.files if lists else ())
    ]
    return {"users": len(lists.users) if lists else 0, "files": files}


def _describe_faults(file: Path, error: SettingsError) -> dict[str, Any]:
    faults = [
        {
            "key": fault.key,
            "problem": fault.problem,
            "allowed": fault.allowed,
            "meant": fault.meant,
        }
        for fault in error.faults
    ]
    return {"file": str(file), "faults": faults}


def _print_json(fields: Mapping[str, Any]) -> None:
    import json

    # Not every path is UTF-8, and only escapes carry one in JSON.
    sys.stdout.write(json.dumps(fields) + "\n")
