"""``convertro init``: a commented convertro.toml to start from."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from convertro_cli.cli.options import DEFAULT_CONFIG, INPUT, OUTPUT, option
from convertro_cli.cli.outputs import Spared, is_stdout
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.text import visible


def init(
    exports: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPORT...",
            help="With --suggest: files, folders, quoted patterns, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    suggest: Annotated[
        bool,
        option("--suggest", panel=INPUT, help="Propose [events] from the tracks in these exports."),
    ] = False,
    from_segment: Annotated[
        Path | None,
        option(
            "--from-segment",
            panel=INPUT,
            metavar="FILE",
            help="Fill it from JSON of Segment's: a destination's settings, all destinations, or "
            "what browsers load; - for standard input.",
        ),
    ] = None,
    destination: Annotated[
        str | None,
        option(
            "--destination",
            panel=INPUT,
            metavar="ID",
            help="Which of several Convertro destinations.",
        ),
    ] = None,
    output: Annotated[
        Path,
        option(
            "--output",
            "-o",
            "--config",
            "-c",
            panel=OUTPUT,
            metavar="FILE",
            help="The file to write; -c as with the other commands.",
        ),
    ] = DEFAULT_CONFIG,
    force: Annotated[
        bool, option("--force", panel=OUTPUT, help="Overwrite a file that is there.")
    ] = False,
) -> None:
    """Write a commented convertro.toml: every key with its default.

    Asks nothing. With *--from-segment* it takes over a destination's settings, and from what
    browsers load (`https://cdn.segment.com/v1/projects/KEY/settings`) also the consent
    categories, the events switched off, and the filters. It says what it could not take over.

    Examples:

    * `convertro init`

    * `convertro init --from-segment destination.json -o shop.toml`

    * `convertro init --suggest exports/`
    """
    from convertro_cli.reading.paths import for_shell
    from convertro_cli.settings.segment_import import read_segment_settings
    from convertro_cli.settings.taken import SegmentSettings
    from convertro_cli.settings.template import render_template

    if bool(exports) != suggest:
        raise ConvertroError("--suggest and exports go together: init --suggest EXPORT...")
    if from_segment is not None and is_stdout(from_segment) and exports and "-" in exports:
        raise ConvertroError("Standard input is either the settings or an export, not both.")
    if destination is not None and from_segment is None:
        raise ConvertroError("--destination goes with --from-segment.")
    taken = read_segment_settings(from_segment, destination) if from_segment else SegmentSettings()
    Spared(others=[from_segment] if from_segment and not is_stdout(from_segment) else []).refuse(
        "--output", output
    )
    if force:
        _spare_exports(output)
    proposed = ""
    if exports:
        from convertro_cli.cli.init_suggest import propose_events

        _check_free(output, force=force)
        proposed = propose_events(exports, taken.values.get("events", {}), output)
    _write(output, render_template(taken.values, proposed), force=force)
    for sentence in taken.left_out:
        _say(f"convertro: not taken over: {sentence}")
    if is_stdout(output):
        return
    _say(f"Wrote {output}.")
    config = "" if output == DEFAULT_CONFIG else f" --config {for_shell(str(output))}"
    if "account" in taken.values["convertro"]:
        _say(f"Next: `convertro check{config}` shows the settings as understood.")
    else:
        _say(f"Next: fill in convertro.account, then `convertro check{config}`.")


def _spare_exports(output: Path) -> None:
    """Raise ConvertroError where what would be overwritten is an export, or no text at all."""
    from convertro_cli.reading.exports import holds_messages

    if is_stdout(output) or not os.path.isfile(output):  # noqa: PTH113 - a bad name is told later
        return
    if holds_messages(output):
        what = "is an export"
    elif b"\0" in _beginning(output):
        what = "is no settings file"
    else:
        return
    raise ConvertroError(
        f"{output} {what}, and was left as it is, even with --force.",
        hint="--output names another file.",
    )


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(4096)
    except OSError:  # whatever it is, writing it will tell
        return b""


def _check_free(file: Path, *, force: bool) -> None:
    if not force and not is_stdout(file) and os.path.lexists(file):
        raise ConvertroError(
            f"{file} is there already, and was left as it is.",
            hint="--force overwrites it; --output names another file.",
        )


def _write(file: Path, text: str, *, force: bool) -> None:
    """Write a file whole or not at all, or standard output. Raises ConvertroError."""
    if is_stdout(file):
        typer.echo(text, nl=False)
        return
    _check_free(file, force=force)
    try:
        target = file.resolve()  # a link stays a link
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            _write_through(partial, text)
            with suppress(FileNotFoundError):
                partial.chmod(target.stat().st_mode & 0o7777)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        reason = error.strerror if isinstance(error, OSError) else "its links go in a circle"
        raise ConvertroError(
            f"{file} cannot be written: {reason}.",
            hint="--output names another file.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None


def _write_through(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _say(text: str) -> None:
    typer.echo(visible(text), err=True)
