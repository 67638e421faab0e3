"""From convertro.toml, the environment and the command line's options to checked settings."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from pydantic import ValidationError

from convertro_cli.destination_filters.specs import FilterSpecs
from convertro_cli.errors import ConvertroError
from convertro_cli.record.place import LedgerPlace
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.state import StateFolder
from convertro_cli.settings.checks import check_ledger, check_no_blank
from convertro_cli.settings.faults import Fault, SettingsError, cross_faults, translate
from convertro_cli.settings.model import DeliveryTable, Settings
from convertro_cli.settings.toml_file import read_toml
from convertro_cli.storage.options import StorageOptions

if TYPE_CHECKING:
    from convertro_cli.privacy.list_files import Suppressions
    from convertro_cli.privacy.suppression_list import SuppressionList


ENVIRONMENT = {
    "CONVERTRO_ACCOUNT": "convertro.account",
    "CONVERTRO_CLIENT_NAME": "convertro.client_name",
    "CONVERTRO_SITE_ID": "convertro.site_id",
    "CONVERTRO_DOMAIN": "convertro.domain",
    "CONVERTRO_BASE_URL": "wire.base_url",
    "CONVERTRO_LEDGER": "delivery.ledger",
}
"""Environment variables and the keys that they override. An empty one counts as not set."""

_FILTER_KEYS = frozenset({"filters", "transformations", "filters_file", "transformations_file"})

Origin = Literal["file", "environment", "option", "default"]


class LoadedSettings(Struct, frozen=True):
    """Checked settings, with where they are from.

    ``origins`` has a dotted key for each value that is not a default. Paths in the settings
    are relative to the file's folder. ``suppressions`` is what the suppression lists hold, None
    where there are none. ``named_files`` are the files of which the digest takes the content.
    """

    settings: Settings
    file: Path
    origins: Mapping[str, Origin]
    suppressions: Suppressions | None = None
    suppressed_options: tuple[Path, ...] = ()
    named_files: tuple[Path, ...] = ()

    @property
    def suppressed(self) -> SuppressionList | None:
        """The users whose messages are not sent; None where there is nobody."""
        return (self.suppressions.users or None) if self.suppressions else None

    @property
    def state_folder(self) -> Path:
        """The folder of the ledger; ``--state`` is relative to where the command runs."""
        folder = Path(self.settings.delivery.state).expanduser()
        if self.origins.get("delivery.state") == "option":
            return folder
        return self.file.parent / folder

    def origin_of(self, key: str) -> str:
        """Say where a setting's value is from, with the name of the variable or the option."""
        origin = self.origins.get(key, "default")
        if origin == "environment":
            variable = next(name for name, known in ENVIRONMENT.items() if known == key)
            return f"environment: {variable}"
        if origin == "option":
            return f"option: --{key.partition('.')[2].replace('_', '-')}"
        return origin

    def digest_parts(self) -> Iterator[bytes]:
        """Give what else decides what is sent: the content of the files that the settings name.

        Raises ConvertroError where one has gone since it was read.
        """
        filters = self.settings.filter_specs
        if filters:
            yield repr((filters.filters, filters.transformations)).encode(
                "utf-8", "backslashreplace"
            )
        for file in self.named_files:
            try:
                with file.open("rb") as stream:
                    yield file_digest(stream, blake2b).digest()
            except OSError as error:
                raise ConvertroError(f"{file} cannot be read: {error.strerror}") from None

    @property
    def ledger(self) -> LedgerPlace:
        """Where the ledger is: in the state folder, or in a database."""
        url = self.settings.delivery.ledger
        return LedgerPlace(StateFolder(self.state_folder), LedgerUrl(url) if url else None)

    @property
    def ca_bundle(self) -> Path | None:
        """The file of certificates to trust instead of the usual ones."""
        return self._beside(self.settings.wire.ca_bundle)

    @property
    def storage(self) -> StorageOptions:
        """How to reach object storage."""
        storage = self.settings.storage
        return StorageOptions(
            endpoint_url=storage.endpoint_url,
            region=storage.region,
            anonymous=storage.anonymous,
            allow_http=storage.allow_http,
            ca_bundle=self._beside(storage.ca_bundle),
        )

    def _beside(self, name: str | None) -> Path | None:
        return self.file.parent / Path(name).expanduser() if name else None


def load_settings(
    file: Path,
    *,
    options: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
    suppressed: Sequence[Path] = (),
    read_before: Suppressions | None = None,
    with_files: bool = True,
) -> LoadedSettings:
    """Load and check the settings.

    ``options`` maps dotted keys to the values given on the command line; None is not given.
    ``suppressed`` are the suppression lists given there; ``read_before`` is what other settings
    named, and is shared if these name the same. Without ``with_files``, for commands that map
    nothing, the files that the settings name are left alone.
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
    lists = _named_lists(data, file.parent) if with_files else {}
    lists |= {path: ("--suppressed", str(path)) for path in suppressed}
    suppressions, list_faults = _read_lists(lists, read_before)
    if settings is None or faults or list_faults:
        raise SettingsError(
            str(file), faults + list_faults, origins, is_template=_is_template(file)
        )
    return LoadedSettings(
        settings, file, origins, suppressions, tuple(suppressed), named_files=tuple(lists)
    )


def load_lists(suppressed: Sequence[Path]) -> Suppressions | None:
    """Load suppression lists where there are no settings; None where none is named.

    Raises ConvertroError that tells all faults at once.
    """
    suppressions, faults = _read_lists({path: ("--suppressed", str(path)) for path in suppressed})
    if faults:
        raise SettingsError("the command line", faults, {})
    return suppressions


def load_ledger_place(
    state: str | None, ledger: str | None, *, environ: Mapping[str, str] = os.environ
) -> LedgerPlace:
    """Tell where the ledger is, where there are no settings but these options and the environment.

    Raises ConvertroError where the ledger is no address of a database.
    """
    url = ledger or environ.get("CONVERTRO_LEDGER") or None
    try:
        address = LedgerUrl(check_ledger(url)) if url else None
    except ValueError as error:
        fault = Fault("delivery.ledger", f"= … {error}")
        raise SettingsError("the command line", [fault], {}) from None
    return LedgerPlace(StateFolder(Path(state or DeliveryTable().state)), address)


def _named_lists(data: Mapping[str, Any], folder: Path) -> dict[Path, tuple[str, str]]:
    """Give the suppression lists that raw settings name: the key and the name of each."""
    privacy = data.get("privacy")
    names = privacy.get("suppressed") if isinstance(privacy, dict) else None
    return {
        folder / _expanded(name): ("privacy.suppressed", name)
        for name in (names if isinstance(names, list) else ())
        if isinstance(name, str) and _is_name(name)
    }


def _is_name(name: str) -> bool:
    """Whether a name is one; what is wrong with another is told of its key."""
    try:
        return bool(check_no_blank(name))
    except ValueError:
        return False


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # an unknown ~user: there is no such file, which is told
        return Path(name)


def _read_lists(
    lists: Mapping[Path, tuple[str, str]], read_before: Suppressions | None = None
) -> tuple[Suppressions | None, list[Fault]]:
    if not lists:
        return None, []
    if read_before is not None and [file.path for file in read_before.files] == list(lists):
        return read_before, []
    from convertro_cli.privacy.list_files import ALLOWED, read_suppressions

    suppressions, faults = read_suppressions(list(lists))
    told = []
    for path, problem, is_misshapen in faults:
        key, name = lists[path]
        told.append(Fault(key, f"= {name!r} {problem}", ALLOWED if is_misshapen else None))
    return suppressions, told


def check(data: Mapping[str, Any], *, folder: Path) -> tuple[Settings | None, list[Fault]]:
    """Check raw settings: the settings where they are sound, and every fault in them."""
    filters, filter_faults = _read_filters(data, folder)
    faults = cross_faults(data, folder) + filter_faults
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        return None, translate(error) + faults
    return settings.with_filters(filters), faults


def _read_filters(data: Mapping[str, Any], folder: Path) -> tuple[FilterSpecs, list[Fault]]:
    """Read the filters and transformations; most settings have none, and then nothing is loaded."""
    if _FILTER_KEYS.isdisjoint(data):
        return FilterSpecs(), []
    from convertro_cli.settings.filters import read_filters

    return read_filters(data, folder)


def _is_template(file: Path) -> bool:
    from convertro_cli.settings.template import is_template

    try:
        return is_template(file.read_bytes().removeprefix(BOM_UTF8).decode())
    except (OSError, UnicodeDecodeError):
        return False


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
