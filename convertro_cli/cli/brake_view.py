"""What a person reads before the first messages go out: what would be sent, and where to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.run.outlook import Outlook
from convertro_cli.run.plan import ReplayOptions
from convertro_cli.run.target import target_of
from convertro_cli.run.unread import in_words
from convertro_cli.settings.compile import missing_cloud_settings
from convertro_cli.settings.known_addresses import Basis, addresses_in_use
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.settings.toml_text import toml_value
from convertro_cli.text import listed, size, things

_COLUMN = 10
_BASES: dict[Basis, str] = {
    "known": "known (read off public code)",
    "guess": "a guess in the same style (ask your account manager)",
    "yours": "set in [wire.paths]",
}

Labelled = tuple[str, str]


def first_send_lines(
    loaded: LoadedSettings, exports: ExportSet, selection: Selection, options: ReplayOptions
) -> list[str]:
    """Say what the first replay to a target would send, line by line."""
    rows = [
        ("target", str(target_of(loaded))),
        ("exports", _exports(exports)),
        *_address_rows(loaded),
        *_rows("filters", _filters(selection, options)),
        *_rows("gates", _gates(loaded)),
    ]
    return [
        "Nothing was sent to this target yet, as far as the ledger knows. What would go where:",
        *(f"  {label:<{_COLUMN}}{text}" for label, text in rows),
    ]


def retyped_lines(outlook: Outlook) -> list[str]:
    """Say what would go out again under another type; nothing where nothing was found."""
    lines = outlook.retyped.in_words() if outlook.retyped is not None else []
    if lines and not outlook.saw_all:
        lines[0] = f"At least {lines[0]}"
        lines.append("That is in the beginning of what would be read: a dry run counts them all.")
    return lines


def _exports(exports: ExportSet) -> str:
    if not exports.is_whole:
        found = f"more than {things(exports.found, 'file')}"
    elif exports.total_bytes is None:
        number = len(exports.files)
        found = f"{things(number, 'file')}, among them what has no size, such as standard input"
    else:
        found = f"{things(exports.found, 'file')}, {size(exports.total_bytes)}"
    unread = in_words({why.value: number for why, number in exports.unread.items()})
    return f"{found}; left unread: {unread}" if unread else found


def _address_rows(loaded: LoadedSettings) -> Iterator[Labelled]:
    """Give the addresses, those of one kind together: on 80 columns there is no room beside."""
    addresses = list(addresses_in_use(loaded.settings))
    for basis, words in _BASES.items():
        some = [address for address in addresses if address.basis == basis]
        if some:
            yield "addresses", f"{words}:"
        for address in some:
            yield "", f"  {address.call.replace('_', ' '):<13}{address.url}"
    missing = missing_cloud_settings(loaded.settings)
    if missing and loaded.settings.mapping.mode != "web":
        names = listed([f"convertro.{name}" for name in missing])
        yield "", f"no cloud calls: {names} {'is' if len(missing) == 1 else 'are'} not set"


def _rows(label: str, texts: Sequence[str]) -> Iterator[Labelled]:
    for number, text in enumerate(texts or ["none"]):
        yield "" if number else label, text


def _filters(selection: Selection, options: ReplayOptions) -> list[str]:
    """Give what the command line asks for, and leaves out."""
    times = {
        "--since": selection.since,
        "--until": selection.until,
        "--received-since": selection.received_since,
        "--received-until": selection.received_until,
    }
    found = [f"{name} {_moment(at)}" for name, at in times.items() if at is not None]
    found += [f"--type {name}" for name in sorted(selection.types)]
    found += [f"--event {name}" for name in sorted(selection.events)]
    if options.limit is not None:
        found.append(f"--limit {options.limit:,}")
    found += ["--resend"] if options.resend else []
    return found


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _gates(loaded: LoadedSettings) -> list[str]:
    """Give the gates in force, as the settings name them."""
    settings = loaded.settings
    mapping = settings.mapping
    found = [
        f"mapping.{name} = {toml_value(getattr(mapping, name))}"
        for name in ("delivered_in_browser", "integrations", "unreadable_amount", "repeated_orders")
    ]
    if loaded.suppressed is not None:
        found.append(f"privacy.suppressed: {things(len(loaded.suppressed), 'user id')}")
    if settings.consent.categories:
        found.append(f"consent.categories = {toml_value(settings.consent.categories)}")
    if settings.schema_.disabled_events:
        number = len(settings.schema_.disabled_events)
        found.append(f"schema.disabled_events: {things(number, 'event')}")
    return found + list(_destination_filters(loaded))


def _destination_filters(loaded: LoadedSettings) -> Iterator[str]:
    specs = loaded.settings.filter_specs
    for noun, some in (
        ("destination filter", specs.filters),
        ("transformation", specs.transformations),
    ):
        titles = [each.title for each in some if each.enabled]
        if titles:
            yield f"{things(len(titles), noun)}: {'; '.join(titles[:_MOST_TITLES])}" + (
                " …" if len(titles) > _MOST_TITLES else ""
            )


_MOST_TITLES = 5
