"""Where a report goes, and in which form: what the commands that report have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from convertro_cli.review.report.document import Document

Format = Literal["terminal", "json", "markdown", "html"]

_BY_ENDING: dict[str, Format] = {".json": "json", ".md": "markdown", ".html": "html"}

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
    """Give the form: as wanted, else as the file's name ends."""
    if wanted is not None or output is None:
        return wanted or "terminal"
    return _BY_ENDING.get(output.suffix.lower(), "terminal")


def check_report(form: Format | None, output: Path | None) -> None:
    """Tell what cannot be written before hours are spent on reading."""
    if output is not None:
        from convertro_cli.cli.output_file import check_folder

        check_folder(output)
    if form == "html":
        from convertro_cli.review.report.page import check_page

        check_page()


def write_report(
    document: Callable[[], Document], json: Callable[[], bytes], form: Format, output: Path | None
) -> None:
    """Write a report where it is wanted, from its document, or from its JSON."""
    if output is not None:
        write_text(json() if form == "json" else _written(document(), form).encode(), output)
    elif form == "terminal":
        print_to_terminal(document())
    else:
        write_text(json() if form == "json" else _written(document(), form).encode(), None)


def write_text(content: bytes, output: Path | None) -> None:
    """Write to a file, whole or not at all, or to standard output."""
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    from convertro_cli.cli.output_file import open_output_file

    with open_output_file(output) as out:
        out.write(content)
        out.keep = True


def print_to_terminal(document: Document) -> None:
    """Print a report for eyes."""
    from convertro_cli.cli.console import output_console
    from convertro_cli.review.report.terminal import print_document

    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal of another encoding shows what it can.
        sys.stdout.reconfigure(errors="replace")
    print_document(document, output_console())


def _written(document: Document, form: Format) -> str:
    if form == "markdown":
        from convertro_cli.review.report.markdown import to_markdown

        return to_markdown(document)
    if form == "html":
        from convertro_cli.review.report.page import to_html

        return to_html(document)
    from convertro_cli.review.report.terminal import to_text

    return to_text(document)
