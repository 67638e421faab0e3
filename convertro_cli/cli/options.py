"""The options of the commands: each is declared once, and commands are put together from groups.

A declaration has an option's names, its help, the panel of ``--help`` that shows it, and the
setting in whose place it is, if it is. A group is a struct of such declarations, which
``option_groups`` shows Typer as the command's own.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from msgspec import Struct

from convertro_cli.cli.completion import complete_events, complete_transports, complete_types
from convertro_cli.cli.option_groups import Overrides, in_place_of_settings, overrides

if TYPE_CHECKING:
    from convertro_cli.settings.load import LoadedSettings

DEFAULT_CONFIG = Path("convertro.toml")

INPUT = "Input"
WHAT_TO_SEND = "What to send"
DELIVERY = "Delivery"
OUTPUT = "Output"
SETTINGS = "Settings"
PANELS = (INPUT, WHAT_TO_SEND, DELIVERY, OUTPUT, SETTINGS)
"""The panels of ``--help``, in their order; a command declares its options in the same."""


def option(*names: str, panel: str, help: str, **more: Any) -> Any:
    """Declare an option. ``more`` is as ``typer.Option`` has it."""
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


def _in_place_of(key: str, name: str, metavar: str) -> Any:
    return option(name, panel=SETTINGS, metavar=metavar, help=f"In place of {key}.")


def _number_or_text(text: str) -> int | str:
    # Python refuses to read thousands of digits; as text they are told like any wrong value.
    return int(text) if text.isdecimal() and len(text) < 10 else text


ExportsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPORT...", help="Files, folders, quoted patterns, or - for standard input."
    ),
]
WorkersOption = Annotated[
    int | None,
    option("--workers", panel=INPUT, metavar="N", min=1, max=64, help="Mapping processes."),
]

EventOption = Annotated[
    list[str] | None,
    option(
        "--event",
        panel=WHAT_TO_SEND,
        metavar="NAME",
        help="Only this event, in any spelling; repeatable.",
        autocompletion=complete_events,
    ),
]
LimitOption = Annotated[
    int | None,
    option(
        "--limit",
        panel=WHAT_TO_SEND,
        metavar="N",
        min=1,
        help="Stop after N messages that pass the other filters.",
    ),
]
SuppressedOption = Annotated[
    list[Path] | None,
    option(
        "--suppressed",
        panel=WHAT_TO_SEND,
        metavar="FILE",
        help="Users whose messages are not sent, besides privacy.suppressed; repeatable.",
    ),
]

JsonOption = Annotated[
    bool, option("--json", panel=OUTPUT, help="Print one JSON object on standard output.")
]

ConfigOption = Annotated[
    Path, option("--config", "-c", panel=SETTINGS, metavar="FILE", help="The settings file.")
]
LedgerOption = Annotated[
    str | None,
    option(
        "--ledger",
        panel=SETTINGS,
        metavar="URL",
        help="A PostgreSQL ledger, shared by many machines; no password.",
    ),
    Overrides("delivery.ledger"),
]


class ClusterOptions(Struct, frozen=True):
    """On which machines."""

    scheduler: Annotated[
        str | None,
        option(
            "--scheduler",
            panel=INPUT,
            metavar="ADDRESS",
            help="Have a cluster of Dask do it: tcp://HOST:8786.",
        ),
    ] = None
    cluster: Annotated[
        int | None,
        option(
            "--cluster",
            panel=INPUT,
            metavar="N",
            min=1,
            max=256,
            help="Have N processes of Dask do it, started here.",
        ),
    ] = None


class SelectionOptions(Struct, frozen=True):
    """Which messages to take, by time and type."""

    since: Annotated[
        str | None,
        option(
            "--since",
            panel=WHAT_TO_SEND,
            metavar="TIME",
            help="From this time on: an ISO date or an age (7d).",
        ),
    ] = None
    until: Annotated[
        str | None,
        option("--until", panel=WHAT_TO_SEND, metavar="TIME", help="Before this time, likewise."),
    ] = None
    received_since: Annotated[
        str | None,
        option(
            "--received-since",
            panel=WHAT_TO_SEND,
            metavar="TIME",
            help="Received by Segment from this time on, likewise.",
        ),
    ] = None
    received_until: Annotated[
        str | None,
        option(
            "--received-until",
            panel=WHAT_TO_SEND,
            metavar="TIME",
            help="Received before this time, whenever it happened.",
        ),
    ] = None
    type_: Annotated[
        list[str] | None,
        option(
            "--type",
            panel=WHAT_TO_SEND,
            metavar="TYPE",
            help="Only identify, or only track.",
            autocompletion=complete_types,
        ),
    ] = None


class SendingOptions(Struct, frozen=True):
    """How to send."""

    transport: Annotated[
        str | None,
        option(
            "--transport",
            panel=DELIVERY,
            metavar="NAME",
            help="auto, curl or requests.",
            autocompletion=complete_transports,
        ),
        Overrides("delivery.transport"),
    ] = None
    concurrency: Annotated[
        str | None,
        option(
            "--concurrency",
            panel=DELIVERY,
            metavar="N",
            help="Requests under way at once, or auto.",
        ),
        Overrides("delivery.concurrency", _number_or_text),
    ] = None
    rate_limit: Annotated[
        float | None,
        option("--rate-limit", panel=DELIVERY, metavar="N", help="Calls a second, at most."),
        Overrides("delivery.rate_limit"),
    ] = None


class Loudness(Struct, frozen=True):
    """What the user wants to see on standard error."""

    quiet: Annotated[
        bool,
        option("--quiet", "-q", panel=OUTPUT, help="Say nothing but errors on standard error."),
    ] = False
    log_format: Annotated[
        Literal["text", "json"],
        option("--log-format", panel=OUTPUT, help="How to write on standard error."),
    ] = "text"


class LedgerOptions(Struct, frozen=True):
    """Where the ledger is."""

    state: Annotated[
        str | None,
        option(
            "--state",
            panel=SETTINGS,
            metavar="DIR",
            help="The folder of the ledger and dead letters.",
        ),
        Overrides("delivery.state"),
    ] = None
    ledger: LedgerOption = None


class TargetOptions(Struct, frozen=True):
    """Where calls go."""

    account: Annotated[
        str | None,
        _in_place_of("convertro.account", "--account", "NAME"),
        Overrides("convertro.account"),
    ] = None
    client_name: Annotated[
        str | None,
        _in_place_of("convertro.client_name", "--client-name", "NAME"),
        Overrides("convertro.client_name"),
    ] = None
    site_id: Annotated[
        str | None,
        _in_place_of("convertro.site_id", "--site-id", "ID"),
        Overrides("convertro.site_id"),
    ] = None
    domain: Annotated[
        str | None,
        _in_place_of("convertro.domain", "--domain", "URL"),
        Overrides("convertro.domain"),
    ] = None
    base_url: Annotated[
        str | None,
        _in_place_of("wire.base_url", "--base-url", "URL"),
        Overrides("wire.base_url"),
    ] = None


def load(
    config: Path,
    *groups: LedgerOptions | SendingOptions | TargetOptions,
    suppressed: Sequence[Path] | None = None,
    with_files: bool = True,
) -> LoadedSettings:
    """Load the settings as the options have them. Raises ConvertroError."""
    from convertro_cli.settings.load import load_settings

    return load_settings(
        config, options=overrides(*groups), suppressed=suppressed or (), with_files=with_files
    )


def repeat_options(loaded: LoadedSettings) -> str:
    """Give the options that another command needs to mean the same settings, ledger and target."""
    words = [] if loaded.file == DEFAULT_CONFIG else ["-c", str(loaded.file)]
    for group in (TargetOptions, LedgerOptions):
        for name, (key, _) in in_place_of_settings(group):
            if loaded.origins.get(key) == "option":
                table, setting = key.split(".")
                value = getattr(getattr(loaded.settings, table), setting)
                words += [f"--{name.replace('_', '-')}", str(value)]
    for path in loaded.suppressed_options:
        words += ["--suppressed", str(path)]
    return " ".join(shlex.quote(word) for word in words)
