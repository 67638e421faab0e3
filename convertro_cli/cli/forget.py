"""``convertro forget``: nothing of suppressed users stays among the dead letters."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertro_cli.cli.options import (
    DEFAULT_CONFIG,
    DELIVERY,
    ConfigOption,
    JsonOption,
    LedgerOptions,
    SuppressedOption,
    load,
    option,
)
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from convertro_cli.privacy.suppression_list import SuppressionList
    from convertro_cli.record.forgetting import Forgotten
    from convertro_cli.record.place import LedgerPlace


def forget(
    *,
    suppressed: SuppressedOption = None,
    dry_run: Annotated[
        bool,
        option(
            "--dry-run", "-n", panel=DELIVERY, help="Count what would be removed, and stop there."
        ),
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    ledger: LedgerOptions,
) -> None:
    """Remove the dead letters of suppressed users, for good and without a replay.

    Dead letters are the only place where events stay. Those set aside by earlier replays are
    gone through, too, and those of a PostgreSQL ledger. The lists that the settings name count
    as well; without a settings file only those named here.

    Examples:

    * `convertro forget --suppressed objections.csv --dry-run`

    * `convertro forget --suppressed objections.csv --state /var/lib/convertro`
    """
    from convertro_cli.record.letters import count_suppressed, forget_suppressed

    users, place = _load(suppressed or [], config, ledger)
    if dry_run:
        counts = count_suppressed(place, users)
    else:
        counts = forget_suppressed(place, users, command=" ".join(sys.argv[1:]))
    if as_json:
        _print_json(place, counts, dry_run)
    else:
        _print(place, counts, dry_run)


def _load(
    suppressed: Sequence[Path], config: Path, ledger: LedgerOptions
) -> tuple[SuppressionList, LedgerPlace]:
    """Give the users to forget, and where the ledger is."""
    from convertro_cli.settings.load import load_ledger_place, load_lists

    if config == DEFAULT_CONFIG and not config.exists():
        lists = load_lists(suppressed)
        place = load_ledger_place(ledger.state, ledger.ledger)
    else:
        loaded = load(config, ledger, suppressed=suppressed)
        lists, place = loaded.suppressions, loaded.ledger
    if lists is None:
        raise ConvertroError(
            "Whose dead letters? There is no suppression list.",
            hint="Name one with --suppressed FILE, or in privacy.suppressed of the settings.",
        )
    return lists.users, place


def _print(place: LedgerPlace, counts: Sequence[Forgotten], dry_run: bool) -> None:
    from convertro_cli.text import visible

    if not counts:
        typer.echo(f"There are no dead letters in {visible(str(place))}.")
        return
    done = "would be removed" if dry_run else "removed"
    for count in counts:
        typer.echo(f"{visible(str(count.where))}: {count.removed:,} {done}, {_kept(count)}")
    if len(counts) > 1:
        typer.echo(f"In all: {_sum(counts, 'removed'):,} {done}, {_stay(_sum(counts, 'kept'))}")


def _kept(count: Forgotten) -> str:
    text = _stay(count.kept)
    if count.unreadable:
        text += f", {count.unreadable:,} of them of a user who cannot be told"
    return text


def _stay(lines: int) -> str:
    return "1 stays" if lines == 1 else f"{lines:,} stay"


def _sum(counts: Sequence[Forgotten], name: str) -> int:
    return sum(getattr(count, name) for count in counts)


def _print_json(place: LedgerPlace, counts: Sequence[Forgotten], dry_run: bool) -> None:
    import json

    numbers = ("removed", "kept", "unreadable")
    fields: dict[str, Any] = {
        "state": str(place),
        "dry_run": dry_run,
        **{name: _sum(counts, name) for name in numbers},
        "files": [
            {"file": str(count.where), **{name: getattr(count, name) for name in numbers}}
            for count in counts
        ],
    }
    # Not every path is UTF-8, and only escapes carry one in JSON.
    sys.stdout.write(json.dumps(fields) + "\n")
