"""Signed web addresses: whoever has the query has the file, so it is kept where nobody looks.

Arguments are seen in many places: in the list of processes, in the lock that names its holder, in
complaints about a mistyped command. So the queries are taken out of them before anything else is
done, and put back only where a request is made.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import sys
from collections.abc import Sequence
from pathlib import Path

_OTHERS = frozenset({"--base-url", "--domain"})
_LINE = "--line="
_NUMBER = re.compile(r":[0-9]+(?:\[[0-9]+\])?\Z")
_SCHEMES = ("https://", "http://")
_kept: dict[str, str] = {}


def set_aside(arguments: Sequence[str]) -> list[str]:
    """Take the queries of web addresses out of arguments; ``signed`` gives them back."""
    left: list[str] = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        option, url, line = _taken_apart(before, argument)
        address, mark, query = url.partition("?")
        if mark and before not in _OTHERS and address.lower().startswith(_SCHEMES):
            _kept.setdefault(address, url)
            left.append(f"{option}{address if _kept[address] == url else url}{line}")
            _blot_out(query)
        else:
            left.append(argument)
    return left


def _taken_apart(before: str, argument: str) -> tuple[str, str, str]:
    """Give the address in an argument, with what stands before it and after it.

    ``--line`` takes an address and the number of a line, as one argument or as two.
    """
    option = _LINE if argument.startswith(_LINE) else ""
    address = argument.removeprefix(option)
    number = _NUMBER.search(address) if option or f"{before}=" == _LINE else None
    end = number.start() if number is not None else len(address)
    return option, address[:end], address[end:]


def signed(address: str) -> str:
    """Give a web address with the query that was set aside, if one was."""
    return _kept.get(address, address)


def _blot_out(secret: str) -> None:
    """Overwrite a text among the arguments that the list of processes shows.

    They stand in this process's own memory, and Linux says where. Elsewhere nothing is done.
    """
    if sys.platform != "linux" or not secret:
        return
    with contextlib.suppress(OSError, ValueError, IndexError):
        # Fields 48 and 49 of proc(5); the name in field 2 may hold blanks and parentheses.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        if 0 < start < end:
            at = ctypes.string_at(start, end - start).find(secret.encode(errors="surrogateescape"))
            if at >= 0:
                ctypes.memset(start + at, ord("*"), len(secret.encode(errors="surrogateescape")))
