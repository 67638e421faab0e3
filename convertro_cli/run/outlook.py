"""A look ahead at a replay: what it would read, and what it would send again under another type.

Nothing is written, and no connection opened but to list exports in object storage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from msgspec import Struct

from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.retyping import RetypingJob
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.export_set import ExportFile, ExportSet
from convertro_cli.reading.exports import read_exports
from convertro_cli.reading.listed import TellCount
from convertro_cli.reading.unread import Unread
from convertro_cli.record.backends import open_known_calls, read_earlier_runs
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.state import StateFolder
from convertro_cli.run.plan import ReplayOptions, digest_settings, letters_in_place
from convertro_cli.run.replayed import ReplayedFiles
from convertro_cli.run.retyped import RetypedSearch
from convertro_cli.run.selected import find_selected, own_files
from convertro_cli.run.target import target_of
from convertro_cli.settings.compile import compile_loaded
from convertro_cli.settings.load import LoadedSettings

LOOKED_AT = 64 << 20
"""The bytes of lines that are looked at before a run: a second's work."""

_LOOKED_AT_IN_DOUBT = 4 << 20
"""Likewise where an earlier run was killed, most likely under these very settings."""

_MOST_FILES = 32


class Outlook(Struct, frozen=True):
    """What is known of a replay before it begins.

    ``is_new`` says that nothing was ever sent to its target, as far as the ledger knows.
    ``exports`` are what it would read, None where that was not looked for. ``retyped`` has what
    would go out again under another type, None where nothing can; ``saw_all`` whether all was
    looked at.
    """

    is_new: bool
    exports: ExportSet | None = None
    retyped: RetypedSearch | None = None
    saw_all: bool = True


def look_ahead(
    loaded: LoadedSettings,
    arguments: Sequence[str],
    selection: Selection,
    options: ReplayOptions,
    *,
    asking: Callable[[str], None] | None = None,
    tell: TellCount | None = None,
) -> Outlook | None:
    """Look ahead at a replay.

    For whoever will ask somebody: ``asking`` is told what takes a while, the exports of a first
    replay are found, and what keeps the replay from beginning is raised as ConvertroError. For
    all others it is None then, and the run itself will tell. ``tell`` hears how many files were
    found so far.
    """
    try:
        return _look_ahead(loaded, arguments, selection, options, asking, tell)
    except ConvertroError:
        if asking is not None:
            raise
        return None


def _look_ahead(
    loaded: LoadedSettings,
    arguments: Sequence[str],
    selection: Selection,
    options: ReplayOptions,
    asking: Callable[[str], None] | None,
    tell: TellCount | None,
) -> Outlook:
    state = StateFolder(loaded.state_folder)
    earlier = read_earlier_runs(loaded.ledger, target_of(loaded), asking)
    digest = digest_settings(loaded)
    looks = bool(earlier) and not options.resend and earlier.had_other_settings(digest)
    if not looks and (earlier or asking is None):
        return Outlook(not earlier)
    with open_known_calls(loaded.ledger) as known:
        rereads = options.reread or options.resend
        paths = letters_in_place(arguments, state, known)
        found = find_selected(
            paths, selection, own=own_files(loaded), storage=loaded.storage, tell=tell
        )
        exports = found if rereads else _left_of(found, state, known, digest)
        if known is None or not looks:
            return Outlook(not earlier, exports)
        search = RetypedSearch(known)
        rules = compile_loaded(loaded, selection)
        job = RetypingJob(rules, options.limit, earlier.event_types)
        most = LOOKED_AT if earlier.surely_had_other_settings(digest) else _LOOKED_AT_IN_DOUBT
        saw_all = _look_into(exports, job, search, most)
    return Outlook(False, exports, search, saw_all)


def _left_of(
    found: ExportSet, state: StateFolder, known: KnownCalls | None, digest: bytes
) -> ExportSet:
    """Give what the replay would read of what was found. Dead letters stay where they are."""
    if known is None:
        return found
    replayed = ReplayedFiles(known, state, digest)
    return found.sifted(replayed.unread_of, Unread.ALREADY_REPLAYED)


def _look_into(exports: ExportSet, job: RetypingJob, search: RetypedSearch, most: int) -> bool:
    """Look for events under another type; tell whether that was all that there is."""
    files = [file for file in exports.files if file.size is not None]
    chosen = files[:: -(-len(files) // _MOST_FILES)] if files else []
    saw_all = len(chosen) == len(exports.files) and exports.is_whole
    left = most
    for number, file in enumerate(chosen):
        share = left // (len(chosen) - number)
        looked_at, is_whole, is_enough = _look_into_file(file, job, search, share)
        left -= looked_at
        if is_enough:
            return saw_all
        saw_all = saw_all and is_whole
    return saw_all


def _look_into_file(
    file: ExportFile, job: RetypingJob, search: RetypedSearch, most: int
) -> tuple[int, bool, bool]:
    """Look into the first bytes of a file: how many, whether all, and whether it is enough."""
    looked_at = 0
    with closing(read_exports([file], recognise=False)) as batches:
        for batch in batches:
            keys, is_enough = job(batch)
            search.review(keys)
            looked_at += len(batch.data)
            if is_enough or looked_at >= most:
                return looked_at, batch.end is not None, is_enough
    return looked_at, True, False
