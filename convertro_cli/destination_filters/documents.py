"""JSON files that hold one value, or several one after another: what an API answered, collected."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from convertro_cli.errors import ConvertroError

_BLANK = " \t\r\n"
_OF_TERRAFORM = "; wanted is the state that Terraform made of it: terraform show -json"


class JsonValue(NamedTuple):
    """One value of a file, and the line that it begins on."""

    line: int
    value: Any


def read_documents(path: Path) -> list[JsonValue]:
    """Read all JSON values of a file. Raises ConvertroError, with the line, where it is no JSON."""
    try:
        text = path.read_bytes().removeprefix(BOM_UTF8).decode()
    except OSError as error:
        raise ConvertroError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConvertroError(f"{path} is not UTF-8 at byte {error.start + 1}.") from None
    documents: list[JsonValue] = []
    place = _after_blanks(text, 0)
    line, counted = 1, 0
    while place < len(text):
        line += text.count("\n", counted, place)
        counted = place
        try:
            value, end = _DECODER.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise ConvertroError(
                f"{path}:{error.lineno}: no JSON: {error.msg} at character {error.colno}"
                + (_OF_TERRAFORM if path.suffix in {".tf", ".hcl"} else "")
            ) from None
        except ValueError as error:
            raise ConvertroError(f"{path}:{line}: no JSON: {error}") from None
        except RecursionError:
            raise ConvertroError(f"{path}:{line}: nested too deep") from None
        documents.append(JsonValue(line, value))
        place = _after_blanks(text, end)
    return documents


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _after_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANK:
        place += 1
    return place
