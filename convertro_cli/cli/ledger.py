"""``convertro ledger`` and ``convertro dead-letters``: what is done with a ledger as a whole."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertro_cli.cli.options import (
    ConfigOption,
    JsonOption,
    LedgerOption,
    StateOption,
    overrides,
)

if TYPE_CHECKING:
    from convertro_cli.record.place import LedgerPlace

ledger = typer.Typer(no_args_is_help=True, help="Take over a ledger, or bring one up to date.")
dead_letters = typer.Typer(no_args_is_help=True, help="What failed for good, of all machines.")


@ledger.command("import")
def import_(
    config: ConfigOption = Path("convertro.toml"),
    state: StateOption = None,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take over the ledger of the state folder into the PostgreSQL ledger.

    Calls, failures, doubts, files, runs and dead letters. Stopped midway, the same command goes
    on where it was. The folder stays as it is; do not replay with it afterwards.

    Examples:

    * `convertro ledger import --ledger postgresql://db.example.com/convertro`
    """
    from convertro_cli.record.backends import import_ledger

    place = _shared_place(config, state, ledger)
    taken = import_ledger(place)
    counts = asdict(taken) if taken is not None else {}
    if as_json:
        import orjson

        sys.stdout.buffer.write(orjson.dumps({"ledger": str(place), **counts}) + b"\n")
    elif taken is None:
        typer.echo(f"There is no ledger in {place.state.path}: there was nothing to take over.")
    else:
        told = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())
        typer.echo(f"Now in {place}: {told}.")


@ledger.command("migrate")
def migrate(config: ConfigOption = Path("convertro.toml"), ledger: LedgerOption = None) -> None:
    """Make the PostgreSQL ledger, or bring an older one to this program's version.

    Not while older programs use it.

    Examples:

    * `convertro ledger migrate --ledger postgresql://db.example.com/convertro`
    """
    from convertro_cli.record.backends import migrate_ledger

    place = _shared_place(config, None, ledger)
    before, after = migrate_ledger(place)
    typer.echo(f"The ledger in {place} is of version {after}; it was {before or 'not there'}.")


@dead_letters.command("export")
def export(
    config: ConfigOption = Path("convertro.toml"),
    state: StateOption = None,
    ledger: LedgerOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write them to a file of this name."),
    ] = None,
    tried_too: Annotated[
        bool, typer.Option("--all", help="Also those that a replay has tried again.")
    ] = False,
) -> None:
    """Print the dead letters as lines, in the format that replay takes.

    Examples:

    * `convertro dead-letters export > letters.ndjson`
    """
    from convertro_cli.cli.dry_run import open_output
    from convertro_cli.record.backends import export_letters
    from convertro_cli.settings.load import load_settings

    place = load_settings(config, options=overrides(state=state, ledger=ledger)).ledger
    with open_output(output) as out:
        export_letters(place, out.write, tried_too=tried_too)
        out.keep = True


def _shared_place(config: Path, state: str | None, ledger: str | None) -> LedgerPlace:
    from convertro_cli.errors import ConvertroError
    from convertro_cli.settings.load import load_settings

    place = load_settings(config, options=overrides(state=state, ledger=ledger)).ledger
    if place.address is None:
        raise ConvertroError(
            "Which PostgreSQL ledger? None is named.",
            hint="--ledger postgresql://…, CONVERTRO_LEDGER, or delivery.ledger in the settings.",
        )
    return place
