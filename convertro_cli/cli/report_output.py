"""Where a report goes and in which form: by --format, else as the file is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct

from convertro_cli.cli.options import OUTPUT, option
from convertro_cli.cli.outputs import file_or_stdout
from convertro_cli.errors import ConvertroError
from convertro_cli.review.masking import Masking, Show
from convertro_cli.storage.options import StorageOptions

if TYPE_CHECKING:
    from convertro_cli.review.report.document import Document

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


class ReportOptions(Struct, frozen=True):
    """Where a report goes and in which form."""

    format_: Annotated[
        Format | None,
        option(
            "--format",
            "-f",
            panel=OUTPUT,
            help="How to write the report.  [default: as --output is named, else terminal]",
            show_default=False,
        ),
    ] = None
    output: Annotated[
        Path | None,
        option("--output", "-o", panel=OUTPUT, metavar="FILE", help="Write the report to a file."),
    ] = None

    def choose(self) -> Format:
        """Give the form of the report.

        Raises ConvertroError where a file's name does not tell it, or the form needs what is not
        installed.
        """
        form = _choose(self.format_, file_or_stdout(self.output))
        if form == "html":
            from convertro_cli.review.report.page import check_page

            check_page()
        return form

    def write(
        self,
        form: Format,
        document: Callable[[], Document],
        json: Callable[[], bytes],
        storage: StorageOptions | None = None,
    ) -> None:
        """Write a report to its file, or on standard output: its JSON, or its document."""
        if form == "terminal" and file_or_stdout(self.output) is None:
            print_to_terminal(document())
        else:
            content = json() if form == "json" else _written(document(), form).encode()
            write_content(content, self.output, is_json=form == "json", storage=storage)


ShowOption = Annotated[
    Show | None,
    option(
        "--show",
        panel=OUTPUT,
        help="How much of ids and traits to show.  "
        "[default: masked in markdown and html, else full]",
        show_default=False,
    ),
]


def _choose(wanted: Format | None, file: Path | None) -> Format:
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


def masking_for(show: Show | None, form: Format) -> Masking:
    """Say how ids and traits are shown: where it is not said, masked in what is handed on."""
    return Masking(show or ("masked" if form in {"markdown", "html"} else "full"))


def write_content(
    content: bytes,
    output: Path | None,
    *,
    is_json: bool = False,
    storage: StorageOptions | None = None,
) -> None:
    """Write to a file, whole or not at all, or to standard output."""
    file = file_or_stdout(output)
    if file is not None:
        from convertro_cli.cli.output_file import open_output_file

        with open_output_file(file, is_json=is_json, storage=storage) as out:
            out.write(content)
            out.keep = True
    elif is_json:
        from convertro_cli.json_text import print_json

        print_json(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()


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
