"""A TOML file, read with what is wrong with it told so that it can be mended."""

from __future__ import annotations

import re
import tomllib
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

from convertro_cli.errors import ConvertroError


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file. Raises ConvertroError where there is none or it is no TOML."""
    try:
        # Editors on Windows put a byte order mark before UTF-8, which TOML does not allow.
        return tomllib.loads(file.read_bytes().removeprefix(BOM_UTF8).decode())
    except FileNotFoundError:
        raise ConvertroError(
            f"There is no settings file {file}.",
            hint="`convertro init` writes one; --config names another.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConvertroError(f"{file} is no TOML: {error}", hint=_mending(str(error))) from None
    except RecursionError:
        raise ConvertroError(f"{file} is nested too deep to be settings.") from None
    except OSError as error:
        raise ConvertroError(f"{file} cannot be read: {error.strerror}") from None


def _mending(fault: str) -> str | None:
    """Say how to mend a table that stands twice, which a pasted suggestion easily makes."""
    twice = re.search(r"Cannot declare \('(.+)',\) twice", fault)
    if twice is None:
        return None
    table = twice[1].replace("', '", ".")
    return (
        f"A file has the heading [{table}] once: move the lines under the second one to those "
        "under the first, and delete the second heading."
    )
