"""``convertro ledger`` and ``convertro dead-letters``: what is done with a ledger as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import asdict

from convertro_cli.cli.help import EXIT_CODES, Command, Commands
from convertro_cli.cli.option_groups import with_groups
from convertro_cli.cli.options import (
    DEFAULT_CONFIG,
    OUTPUT,
    ConfigOption,
    JsonOption,
    LedgerOption,
    LedgerOptions,
    load,
    option,
)

if TYPE_CHECKING:
    from convertro_cli.record.place import LedgerPlace

ledger = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Take over a ledger, or bring one up to date."
)
dead_letters = typer.Typer(
    cls=Commands, no_args_is_help=True, help="What failed for good, of all machines."
)


@ledger.command("import", cls=Command, epilog=EXIT_CODES)
@with_groups
def import_(
    *, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG, place: LedgerOptions
) -> None:
    """Take over the ledger of the state folder into the PostgreSQL ledger.

    Calls, failures, doubts, files, runs and dead letters. Stopped midway, the same command goes
    on where it was. The folder stays as it is; do not replay with it afterwards.

    Examples:

    * `convertro ledger import --ledger postgresql://db.example.com/convertro`
    """
    from convertro_cli.record.backends import import_ledger

    shared = _shared_place(config, place)
    taken = import_ledger(shared)
    counts = asdict(taken) if taken is not None else {}
    if as_json:
        import orjson

        from convertro_cli.json_text import print_json

        print_json(orjson.dumps({"ledger": str(shared), **counts}) + b"\n")
    elif taken is None:
        typer.echo(f"There is no ledger in {shared.state.path}: there was nothing to take over.")
    else:
        told = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())
        typer.echo(f"Now in {shared}: {told}.")


@ledger.command("migrate", cls=Command, epilog=EXIT_CODES)
def migrate(config: ConfigOption = DEFAULT_CONFIG, ledger: LedgerOption = None) -> None:
    """Make the PostgreSQL ledger, or bring an older one to this program's version.

    Not while older programs use it.

    Examples:

    * `convertro ledger migrate --ledger postgresql://db.example.com/convertro`
    """
    from convertro_cli.record.backends import migrate_ledger

    place = _shared_place(config, LedgerOptions(ledger=ledger))
    before, after = migrate_ledger(place)
    typer.echo(f"The ledger in {place} is of version {after}; it was {before or 'not there'}.")


@dead_letters.command("export", cls=Command, epilog=EXIT_CODES)
@with_groups
def export(
    *,
    output: Annotated[
        Path | None,
        option(
            "--output",
            "-o",
            panel=OUTPUT,
            metavar="FILE",
            help="Write them to a file of this name.",
        ),
    ] = None,
    tried_too: Annotated[
        bool, option("--all", panel=OUTPUT, help="Also those that a replay has tried again.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    place: LedgerOptions,
) -> None:
    """Print the dead letters as lines, in the format that replay takes.

    Examples:

    * `convertro dead-letters export > letters.ndjson`
    """
    from convertro_cli.cli.output_file import open_output
    from convertro_cli.cli.outputs import Spared
    from convertro_cli.record.letters import export_letters

    loaded = load(config, place, with_files=False)
    Spared(settings=[loaded]).check("--output", output)
    with open_output(output, loaded.storage) as out:
        export_letters(loaded.ledger, out.write, tried_too=tried_too)
        out.keep = True


def _shared_place(config: Path, ledger: LedgerOptions) -> LedgerPlace:
    from convertro_cli.errors import ConvertroError

    place = load(config, ledger, with_files=False).ledger
    if place.address is None:
        raise ConvertroError(
            "Which PostgreSQL ledger? None is named.",
            hint="--ledger postgresql://…, CONVERTRO_LEDGER, or delivery.ledger in the settings.",
        )
    return place
