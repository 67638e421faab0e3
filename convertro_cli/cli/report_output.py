"""Where a report goes and in which form: by --format, else as the file is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from convertro_cli.cli.outputs import file_or_stdout
from convertro_cli.errors import ConvertroError
from convertro_cli.storage.options import StorageOptions

Format = Literal["terminal", "json", "markdown", "html"]

_FORMATS: dict[str, Format] = {
    ".json": "json",
    ".jsonl": "json",  # a report is one object, and that on one line
    ".ndjson": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".txt": "terminal",
    "": "terminal",
}

FILE_WIDTH = 100
"""Columns of the tables in a file, which has no width of its own."""

FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        help="How to write the report.  [default: as --output is named, else terminal]",
        show_default=False,
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the report to a file."),
]


def choose_format(wanted: Format | None, output: Path | None) -> Format:
    """Give the form of a report. Raises ConvertroError where a file's name does not tell it."""
    file = file_or_stdout(output)
    if wanted is not None or file is None or (file.exists() and not file.is_file()):
        return wanted or "terminal"
    form = _FORMATS.get(file.suffix.lower())
    endings = ", ".join(filter(None, _FORMATS))
    if form is None:
        raise ConvertroError(
            f"The name of {file} does not say in which form to write the report.",
            hint=f"Give it one of the endings {endings}, or say --format.",
        )
    return form


def check_format(form: Format | None) -> None:
    """Raise ConvertroError where this form needs what is not installed."""
    if form == "html":
        from convertro_cli.review.report.page import check_page

        check_page()


def write_report(
    content: Callable[[], bytes],
    form: Format | None,
    output: Path | None,
    show: Callable[[], None],
    storage: StorageOptions | None = None,
) -> None:
    """Write a report to its file, or on standard output; ``show`` does that for eyes."""
    file = file_or_stdout(output)
    if file is not None:
        from convertro_cli.cli.output_file import open_output_file

        with open_output_file(file, is_json=form == "json", storage=storage) as out:
            out.write(content())
            out.keep = True
    elif form == "terminal":
        show()
    elif form == "json":
        from convertro_cli.json_text import print_json

        print_json(content())
    else:
        sys.stdout.buffer.write(content())
        sys.stdout.flush()
