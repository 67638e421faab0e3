"""From convertro.toml, the environment and the command line's options to checked settings."""

from __future__ import annotations

import os
import tomllib
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from convertro_cli.errors import ConvertroError
from convertro_cli.record.place import LedgerPlace
from convertro_cli.record.postgres.address import Address
from convertro_cli.record.state import StateFolder
from convertro_cli.settings.faults import Fault, SettingsError, cross_faults, translate
from convertro_cli.settings.model import Settings

DEFAULT_FILE = Path("convertro.toml")

ENVIRONMENT = {
    "CONVERTRO_ACCOUNT": "convertro.account",
    "CONVERTRO_CLIENT_NAME": "convertro.client_name",
    "CONVERTRO_SITE_ID": "convertro.site_id",
    "CONVERTRO_DOMAIN": "convertro.domain",
    "CONVERTRO_BASE_URL": "wire.base_url",
    "CONVERTRO_LEDGER": "delivery.ledger",
}
"""Environment variables and the keys that they override. An empty one counts as not set."""

Origin = Literal["file", "environment", "option", "default"]


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Checked settings, with where they are from.

    ``origins`` has a dotted key for each value that is not a default. Paths in the settings
    are relative to the file's folder.
    """

    settings: Settings
    file: Path
    origins: Mapping[str, Origin]

    @property
    def state_folder(self) -> Path:
        """The folder of the ledger; ``--state`` is relative to where the command runs."""
        folder = Path(self.settings.delivery.state).expanduser()
        if self.origins.get("delivery.state") == "option":
            return folder
        return self.file.parent / folder

    @property
    def ledger(self) -> LedgerPlace:
        """Where the ledger is: in the state folder, or in a database."""
        url = self.settings.delivery.ledger
        return LedgerPlace(StateFolder(self.state_folder), Address(url) if url else None)

    @property
    def ca_bundle(self) -> Path | None:
        """The file of certificates to trust instead of the usual ones."""
        name = self.settings.wire.ca_bundle
        return self.file.parent / Path(name).expanduser() if name else None


def load_settings(
    file: Path, *, options: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ
) -> LoadedSettings:
    """Load and check the settings.

    ``options`` maps dotted keys to the values given on the command line; None is not given.
    Raises ConvertroError that tells all faults at once.
    """
    data = read_toml(file)
    origins: dict[str, Origin] = dict.fromkeys(_dotted(data), "file")
    for variable, key in ENVIRONMENT.items():
        if environ.get(variable):
            _override(data, key, environ[variable])
            origins[key] = "environment"
    for key, value in (options or {}).items():
        if value is not None:
            _override(data, key, value)
            origins[key] = "option"
    settings, faults = check(data, folder=file.parent)
    if settings is None or faults:
        raise SettingsError(str(file), faults, origins)
    return LoadedSettings(settings, file, origins)


def check(data: Mapping[str, Any], *, folder: Path) -> tuple[Settings | None, list[Fault]]:
    """Check raw settings: the settings where they are sound, and every fault in them."""
    faults = cross_faults(data, folder)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        return None, translate(error) + faults
    return settings, faults


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
        raise ConvertroError(f"{file} is no TOML: {error}") from None
    except RecursionError:
        raise ConvertroError(f"{file} is nested too deep to be settings.") from None
    except OSError as error:
        raise ConvertroError(f"{file} cannot be read: {error.strerror}") from None


def _dotted(data: Mapping[str, Any], prefix: str = "") -> list[str]:
    keys = []
    for key, value in data.items():
        if isinstance(value, dict) and prefix != "events.":
            keys += _dotted(value, f"{prefix}{key}.")
        else:
            keys.append(f"{prefix}{key}")
    return keys


def _override(data: dict[str, Any], key: str, value: Any) -> None:
    table, name = key.split(".")
    inner = data.setdefault(table, {})
    if isinstance(inner, dict):
        inner[name] = value
