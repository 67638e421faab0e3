"""Cutting a list of exports into bundles: so much that a process for each does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from convertro_cli.errors import ConvertroError
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.paths import quoted
from convertro_cli.storage.find import ObjectPlace

BYTES: Final = 64 << 20
FILES: Final = 500
_FEWEST_BYTES: Final = 1 << 20
_A_THREAD: Final = 4  # bundles, so that none has to wait for the largest for long


class Bundle(Struct, frozen=True):
    """Some exports in their order. ``number`` counts bundles, ``first`` is its first file's place.

    ``size`` is in bytes as the files lie there.
    """

    number: int
    first: int
    files: tuple[ExportFile, ...]
    size: int


def bundle_size(total: int | None, threads: int) -> int:
    """Give the bytes that a bundle should have at most, of so many in all, None for unknown.

    Of few bytes each of the ``threads`` gets its share, down to what starting a process is worth.
    """
    if total is None:
        return BYTES
    return min(BYTES, max(_FEWEST_BYTES, total // (_A_THREAD * max(1, threads))))


def bundles_of(
    files: Iterable[ExportFile], *, most_bytes: int = BYTES, most_files: int = FILES
) -> Iterator[Bundle]:
    """Cut a list into bundles, in its order; a file that is larger than a bundle is one alone.

    Raises ConvertroError for what only this process can read.
    """
    number = first = size = 0
    some: list[ExportFile] = []
    for file in map(_for_others, files):
        more = file.size or 0
        if some and (len(some) >= most_files or size + more > most_bytes):
            yield Bundle(number, first, tuple(some), size)
            number, first, size = number + 1, first + len(some), 0
            some = []
        some.append(file)
        size += more
    if some:
        yield Bundle(number, first, tuple(some), size)


def _for_others(file: ExportFile) -> ExportFile:
    """Give a file as processes can find it that run elsewhere."""
    if isinstance(file.place, ObjectPlace) and file.place.found.address.is_web:
        raise ConvertroError(
            f"{quoted(file.name)} is a web address, which may be a secret: it is not sent to other "
            "machines.",
            hint="Name its bucket (s3://, gs://, az://), or leave out --scheduler and --cluster.",
        )
    if file.size is None:
        raise ConvertroError(
            f"{quoted(file.name)} can be read by this process only, so not on a cluster.",
            hint="Write it to a file that all workers see, or leave out --scheduler and --cluster.",
        )
    return file if file.path is None else replace(file, path=file.path.absolute())
