"""Options that several commands share."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convertro_cli.cli.completion import complete_events, complete_transports, complete_types

if TYPE_CHECKING:
    from convertro_cli.settings.load import LoadedSettings

DEFAULT_CONFIG = Path("convertro.toml")

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", metavar="FILE", help="The settings file."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output.")
]
LogFormatOption = Annotated[
    Literal["text", "json"],
    typer.Option("--log-format", help="How to write on standard error."),
]
ExportsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPORT...", help="Files, folders, quoted patterns, or - for standard input."
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From this time on: an ISO date or an age (7d)."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Before this time, likewise.")
]
ReceivedSinceOption = Annotated[
    str | None,
    typer.Option(
        "--received-since", metavar="TIME", help="Received by Segment from this time on, likewise."
    ),
]
ReceivedUntilOption = Annotated[
    str | None,
    typer.Option(
        "--received-until", metavar="TIME", help="Received before this time, whenever it happened."
    ),
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="Only identify, or only track.",
        autocompletion=complete_types,
    ),
]
EventOption = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        metavar="NAME",
        help="Only this event, in any spelling; repeatable.",
        autocompletion=complete_events,
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=1, help="Stop after N messages that pass the other filters."
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, max=64, help="Mapping processes."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing but errors on standard error.")
]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="In place of convertro.account."),
]
ClientNameOption = Annotated[
    str | None,
    typer.Option("--client-name", metavar="NAME", help="In place of convertro.client_name."),
]
SiteIdOption = Annotated[
    str | None,
    typer.Option("--site-id", metavar="ID", help="In place of convertro.site_id."),
]
DomainOption = Annotated[
    str | None,
    typer.Option("--domain", metavar="URL", help="In place of convertro.domain."),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="In place of wire.base_url."),
]
TransportOption = Annotated[
    str | None,
    typer.Option(
        "--transport",
        metavar="NAME",
        help="auto, curl or requests.",
        autocompletion=complete_transports,
    ),
]
ConcurrencyOption = Annotated[
    str | None,
    typer.Option("--concurrency", metavar="N", help="Requests under way at once, or auto."),
]
RateLimitOption = Annotated[
    float | None,
    typer.Option("--rate-limit", metavar="N", help="Calls a second, at most."),
]
StateOption = Annotated[
    str | None,
    typer.Option("--state", metavar="DIR", help="The folder of the ledger and dead letters."),
]
SuppressedOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--suppressed",
        metavar="FILE",
        help="Users whose messages are not sent, besides privacy.suppressed; repeatable.",
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger", metavar="URL", help="A PostgreSQL ledger, shared by many machines; no password."
    ),
]


def overrides(
    *,
    account: str | None = None,
    client_name: str | None = None,
    site_id: str | None = None,
    domain: str | None = None,
    base_url: str | None = None,
    transport: str | None = None,
    concurrency: str | None = None,
    rate_limit: float | None = None,
    state: str | None = None,
    ledger: str | None = None,
) -> dict[str, object]:
    """Put the options that override settings under the keys that they override."""
    return {
        "convertro.account": account,
        "convertro.client_name": client_name,
        "convertro.site_id": site_id,
        "convertro.domain": domain,
        "wire.base_url": base_url,
        "delivery.transport": transport,
        "delivery.concurrency": _number_or_text(concurrency),
        "delivery.rate_limit": rate_limit,
        "delivery.state": state,
        "delivery.ledger": ledger,
    }


_FLAGS = {
    "convertro.account": "--account",
    "convertro.client_name": "--client-name",
    "convertro.site_id": "--site-id",
    "convertro.domain": "--domain",
    "wire.base_url": "--base-url",
    "delivery.state": "--state",
    "delivery.ledger": "--ledger",
}


def repeat_options(loaded: LoadedSettings) -> str:
    """Give the options that another command needs to mean the same settings, ledger and target."""
    words = [] if loaded.file == DEFAULT_CONFIG else ["-c", str(loaded.file)]
    for key, flag in _FLAGS.items():
        if loaded.origins.get(key) == "option":
            table, name = key.split(".")
            words += [flag, str(getattr(getattr(loaded.settings, table), name))]
    for path in loaded.suppressed_options:
        words += ["--suppressed", str(path)]
    return " ".join(shlex.quote(word) for word in words)


def _number_or_text(text: str | None) -> int | str | None:
    # Python refuses to read thousands of digits; as text they are told like any wrong value.
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else text
