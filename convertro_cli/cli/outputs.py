"""Where output goes, and what it must never be written over.

Files are compared by what they are, not by their names: a link, or the same file by another
path, is the same file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertro_cli.errors import ConvertroError
from convertro_cli.reading.paths import CLOUDS
from convertro_cli.record.held import Inode, identity_of

if TYPE_CHECKING:
    from convertro_cli.reading.export_set import ExportFile, ExportSet
    from convertro_cli.settings.load import LoadedSettings

_STDOUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


def is_stdout(path: Path) -> bool:
    """Whether a name stands for standard output."""
    return str(path) in _STDOUT


def address_of(path: Path) -> str | None:
    """Give the place in object storage that an output names; None for a file.

    A path has lost one of the two slashes by now.
    """
    scheme, found, rest = str(path).partition(":/")
    return f"{scheme}://{rest.lstrip('/')}" if found and scheme in CLOUDS else None


def file_or_stdout(path: Path | None) -> Path | None:
    """Give the file to write to; None for standard output, named or not."""
    return None if path is None or is_stdout(path) else path


class Spared(Struct, frozen=True):
    """What a command reads or keeps: its exports, its settings, and the state beside them.

    Of a long list of exports the first ones are checked at once, the others when they are found:
    an output takes its place only after that.
    """

    exports: ExportSet | None = None
    settings: Sequence[LoadedSettings] = ()
    others: Sequence[Path] = ()

    def check(self, option: str, output: Path | None) -> None:
        """Raise ConvertroError where an output cannot be written, or would eat one of them."""
        if output is None or is_stdout(output):
            return
        address = address_of(output)
        if address is not None:
            self._check_exports(lambda export: export.name == address, option, address)
        else:
            check_folder(output)
            self.refuse(option, output)

    def refuse(self, option: str, output: Path) -> None:
        """Raise ConvertroError where an output would be written over one of them."""
        place = _place(output)
        found = _status(output)
        if found is not None and not stat.S_ISREG(found.st_mode):
            return  # a device or a pipe keeps nothing that could be lost
        for what, file in self._files():
            if _place(file) == place or (found is not None and _is(file, identity_of(found))):
                raise _refusal(option, str(output), what)
        if found is not None:
            identity, size = identity_of(found), found.st_size
            self._check_exports(
                # Its size is known from the list: nothing is asked of nearly all of them.
                lambda export: export.size == size and _is_export(export, identity),
                option,
                str(output),
            )

    def check_stdout(self) -> None:
        """Raise ConvertroError where standard output is a file that is read: it would never end."""
        found = os.fstat(1)
        if not stat.S_ISREG(found.st_mode):
            return
        identity = identity_of(found)
        self._check_exports(lambda export: _is_export(export, identity), "Standard output")

    def _check_exports(
        self, is_output: Callable[[ExportFile], bool], option: str, output: str = ""
    ) -> None:
        """Refuse an output that is an export. One that is not named is named by the export."""
        if self.exports is None:
            return

        def look(export: ExportFile) -> None:
            if is_output(export):
                raise _refusal(option, output or export.name, "an export")

        for export in self.exports.files:
            look(export)
        self.exports.look_at_rest(look)

    def _files(self) -> Iterator[tuple[str, Path]]:
        for loaded in self.settings:
            yield "the settings", loaded.file
            yield from (("a file that the settings name", file) for file in _named_by(loaded))
            yield from (("the state of replays", file) for file in _state_of(loaded))
        yield from (("a file that is read", file) for file in self.others)


def lies_below(path: Path, arguments: Iterable[str]) -> bool:
    """Whether a file is one of those that are named, or lies in a folder or where a pattern looks.

    A link may lead to it from elsewhere.
    """
    place = _place(path)
    for argument in arguments:
        # Of a pattern what stands before its first folder that is none by name.
        fixed = re.split(r"[*?\[]", argument, maxsplit=1)[0]
        folder = argument if fixed == argument else os.path.dirname(fixed)  # noqa: PTH120
        root = os.path.realpath(folder)
        if place == root or place.startswith(f"{root.rstrip('/')}/"):
            return True
    return False


def check_folder(path: Path) -> None:
    """Tell what cannot be written, before hours are spent on reading."""
    if path.is_dir():
        raise ConvertroError(f"{path} is a folder.", hint="Name a file in it.")
    if not path.parent.is_dir():
        raise ConvertroError(f"There is no folder {path.parent} for {path}.")


def _named_by(loaded: LoadedSettings) -> Iterator[Path]:
    if loaded.ca_bundle is not None:
        yield loaded.ca_bundle
    yield from loaded.named_files
    for name in (loaded.settings.filters_file, loaded.settings.transformations_file):
        if name is not None:
            yield loaded.file.parent / Path(name).expanduser()


def _state_of(loaded: LoadedSettings) -> Iterable[Path]:
    from convertro_cli.record.state import StateFolder

    return StateFolder(loaded.state_folder).files()


def _refusal(option: str, output: str, what: str) -> ConvertroError:
    return ConvertroError(
        f"{option} {output} would be written over {what}.", hint="Name another file."
    )


def _place(path: Path) -> str:
    return os.path.realpath(path)


def _is(file: Path, identity: Inode) -> bool:
    status = _status(file)
    return status is not None and identity_of(status) == identity


def _is_export(export: ExportFile, identity: Inode) -> bool:
    return export.path is not None and _is(export.path, identity)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
