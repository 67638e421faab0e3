"""The exports of a run: what the arguments name, less what the user's filters leave unread."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.days import WantedDays
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.reading.listed import TellCount
from convertro_cli.reading.sources import find_exports
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.storage.options import StorageOptions


def find_selected(
    arguments: Sequence[str],
    selection: Selection,
    *,
    own: Iterable[Path] = (),
    storage: StorageOptions | None = None,
    tell: TellCount | None = None,
) -> ExportSet:
    """Find the files to read. ``own`` are files and folders of ours, which are no exports.

    ``storage`` says how to reach object storage; ``tell`` hears how many were found so far.

    Raises ConvertroError where an argument cannot be read.
    """
    days = WantedDays(selection.since, selection.received_since, selection.received_until)
    real = {os.path.realpath(path) for path in own}
    return find_exports(arguments, days=days, own=real, storage=storage, tell=tell)


def own_files(loaded: LoadedSettings) -> tuple[Path, ...]:
    """Give the settings file and the state folder, which may lie in a folder of exports."""
    return loaded.file, loaded.state_folder
