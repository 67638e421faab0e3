"""The files of a suppression list: each is read to its end, and all that is wrong is told."""

from __future__ import annotations

import os
import re
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from msgspec import Struct, field

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.privacy.id_lines import read_id_lines
from convertro_cli.privacy.list_builder import ListBuilder, TooManyIdsError
from convertro_cli.privacy.misshapen import MisshapenError
from convertro_cli.privacy.public_api import Pages, read_answers, take_answer
from convertro_cli.privacy.suppression_list import SuppressionList

ALLOWED = (
    "text with a user id a line, CSV with a header userId, or answers of Segment's Public API "
    "one after another"
)
"""What a file may hold, for those whose file holds something else."""

_JSON_START = re.compile(rb'\s*[{\[]\s*["{\[}\]]')
_HEAD = 4096


class ListFault(NamedTuple):
    """What is wrong with a file, as the end of a sentence that begins with its name."""

    file: Path
    problem: str
    is_misshapen: bool = False


class ListFile(Struct, frozen=True):
    """A file of a suppression list.

    ``ids`` counts the user ids that stand in it, ``others`` the subjects that are none,
    ``modified`` is in Unix seconds.
    """

    path: Path
    ids: int
    others: int
    modified: float


class Suppressions(Struct, frozen=True):
    """The users that are suppressed, and the files that say so."""

    users: SuppressionList
    files: tuple[ListFile, ...] = ()


class _Reading(Struct):
    """The files read so far."""

    builder: ListBuilder
    files: list[ListFile] = field(default_factory=list)
    faults: list[ListFault] = field(default_factory=list)
    pages: list[tuple[Path, Pages]] = field(default_factory=list)


def read_suppressions(paths: Sequence[Path]) -> tuple[Suppressions | None, list[ListFault]]:
    """Read the files of a suppression list: the list where all are sound, and every fault in them.

    Raises ConvertroError where there is no room for the list.
    """
    try:
        reading = _Reading(ListBuilder())
        for path in paths:
            _read_file(path, reading)
        _find_missing_pages(reading)
        if reading.faults:
            return None, reading.faults
        return Suppressions(reading.builder.finish(), tuple(reading.files)), []
    except OSError as error:
        raise ConvertroError(
            f"The suppression list cannot be kept in a temporary file: {error.strerror}.",
            hint="Free some space, or name another folder with TMPDIR.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None
    except TooManyIdsError:
        raise ConvertroError("The suppression list has more than 150 million ids.") from None


def _read_file(path: Path, reading: _Reading) -> None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        reading.faults.append(ListFault(path, "is not there"))
        return
    except OSError as error:
        reading.faults.append(ListFault(path, f"cannot be read: {error.strerror}"))
        return
    with file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            reading.faults.append(ListFault(path, "is no file"))
            return
        try:
            ids, others = _read_content(path, file, reading)
        except MisshapenError as error:
            reading.faults.append(ListFault(path, str(error), is_misshapen=True))
        else:
            reading.files.append(ListFile(path, ids, others, facts.st_mtime))


def _read_content(path: Path, file: BinaryIO, reading: _Reading) -> tuple[int, int]:
    """Take in a file; give how many user ids stand in it, and how many subjects that are none."""
    head = file.read(_HEAD)
    file.seek(0)
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise MisshapenError("is in UTF-16: save it as UTF-8")
    count = others = 0
    add = reading.builder.add
    if _JSON_START.match(head.removeprefix(BOM_UTF8)):
        pages = Pages()
        reading.pages.append((path, pages))

        def counting_add(user_id: str, word: bytes) -> None:
            nonlocal count
            count += 1
            add(user_id, word)

        for answer in read_answers(file):
            others += take_answer(answer, counting_add, pages)
        return count, others
    for user_id in read_id_lines(file):
        add(user_id)
        count += 1
    if not count:
        raise MisshapenError("is empty" if not head.strip() else "has no user id in it")
    return count, 0


def _find_missing_pages(reading: _Reading) -> None:
    """Tell of answers that lead to a page which is in none of the files."""
    read = set().union(*(pages.read for _, pages in reading.pages))
    for path, pages in reading.pages:
        for page, line in pages.missing().items():
            if page not in read:
                reading.faults.append(
                    ListFault(
                        path,
                        f"line {line:,}: its pagination.next says that there is more: the list is "
                        "not whole. Get the pages that follow, too",
                    )
                )
