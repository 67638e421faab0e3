"""What a run finds to do: files that were done with are left out, dead letters are set aside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.identity import identify
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder
from convertro_cli.run.plan import Plan, ReplayOptions, digest_settings
from convertro_cli.settings.load import load_settings

SETTINGS = '[convertro]\naccount = "acme"\n'


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    (tmp_path / "convertro.toml").write_text(SETTINGS)
    folder = StateFolder(tmp_path / ".convertro")
    folder.create()
    return folder


@pytest.fixture
def ledger(state: StateFolder) -> Iterator[Ledger]:
    with SqliteLedger(state.ledger) as ledger:
        yield ledger


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.ndjson"
    path.write_bytes(b'{"type":"track"}\n')
    return path


def plan(
    state: StateFolder,
    ledger: Ledger,
    *,
    selection: Selection | None = None,
    options: ReplayOptions | None = None,
) -> Plan:
    loaded = load_settings(state.path.parent / "convertro.toml", environ={})
    return Plan(loaded, state, ledger, selection or Selection(), options or ReplayOptions())


def finish(plan: Plan, ledger: Ledger, path: Path) -> None:
    """Note a file as replayed to its end, as a run does."""
    run, _ = ledger.begin_run("x")
    identity = identify(path)
    ledger.commit(run, sending=b"", finished=[(identity, plan.digest_for(identity.path))])


def test_a_file_is_replayed_once(state: StateFolder, ledger: Ledger, export: Path) -> None:
    """A file that was replayed to its end is left out, and counted as skipped."""
    first = plan(state, ledger)
    found = first.find([str(export)])
    assert [file.path for file in found.files] == [export]
    assert found.total_bytes == export.stat().st_size
    finish(first, ledger, export)

    again = plan(state, ledger).find([str(export)])

    assert (again.files, again.skipped, again.total_bytes) == ((), 1, 0)


def test_a_file_that_grew_is_replayed_again(
    state: StateFolder, ledger: Ledger, export: Path
) -> None:
    """New lines at the end make it another file; the ledger knows the calls of the old ones."""
    finish(plan(state, ledger), ledger, export)
    with export.open("ab") as stream:
        stream.write(b"{}\n")

    assert len(plan(state, ledger).find([str(export)]).files) == 1


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        ('[convertro]\naccount = "other"\n', True),
        (SETTINGS + '[events]\n"Signed Up" = "signup"\n', True),
        (SETTINGS + "[delivery]\nconcurrency = 4\nmax_attempts = 3\n", False),
    ],
)
def test_other_settings_make_a_file_new_if_they_change_what_is_sent(
    state: StateFolder, ledger: Ledger, export: Path, change: str, matters: bool
) -> None:
    """A new mapping or target means to read again; how fast it is sent does not."""
    finish(plan(state, ledger), ledger, export)
    (state.path.parent / "convertro.toml").write_text(change)

    assert len(plan(state, ledger).find([str(export)]).files) == matters


def test_another_suppression_list_makes_a_file_new(
    state: StateFolder, ledger: Ledger, export: Path
) -> None:
    """The content of the files that settings and options name counts, not their age or place."""
    folder = state.path.parent
    settings, ids = folder / "convertro.toml", folder / "ids.txt"
    settings.write_text(SETTINGS + '[privacy]\nsuppressed = ["ids.txt"]\n')
    ids.write_text("u1\n")
    finish(plan(state, ledger), ledger, export)
    os.utime(ids, (1, 1))
    assert not plan(state, ledger).find([str(export)]).files

    ids.write_text("u2\n")
    assert plan(state, ledger).find([str(export)]).files
    ids.write_text("u1\n")
    more = folder / "more.txt"
    more.write_text("u3\n")
    with_option = load_settings(settings, environ={}, suppressed=[more])
    without = load_settings(settings, environ={})
    before = digest_settings(with_option)
    assert before != digest_settings(without)
    more.rename(folder / "moved.txt")
    moved = load_settings(settings, environ={}, suppressed=[folder / "moved.txt"])
    assert digest_settings(moved) == before
    with pytest.raises(ConvertroError, match=r"more\.txt cannot be read"):
        digest_settings(with_option)


@pytest.mark.parametrize("options", [ReplayOptions(reread=True), ReplayOptions(resend=True)])
def test_a_file_is_read_again_when_told_to(
    state: StateFolder, ledger: Ledger, export: Path, options: ReplayOptions
) -> None:
    """``--reread`` and ``--resend`` read what was replayed before."""
    finish(plan(state, ledger), ledger, export)

    assert len(plan(state, ledger, options=options).find([str(export)]).files) == 1


@pytest.mark.parametrize(
    ("selection", "options", "whole"),
    [
        (Selection(), ReplayOptions(), True),
        (Selection(since=1.0), ReplayOptions(), False),
        (Selection(types=frozenset(["track"])), ReplayOptions(), False),
        (Selection(), ReplayOptions(limit=10), False),
    ],
)
def test_only_a_run_without_filters_replays_whole_files(
    state: StateFolder, ledger: Ledger, selection: Selection, options: ReplayOptions, whole: bool
) -> None:
    """Whoever leaves something out must not have the file taken for done."""
    assert plan(state, ledger, selection=selection, options=options).takes_whole_files == whole


def test_dead_letters_are_set_aside_before_they_are_read(
    state: StateFolder, ledger: Ledger
) -> None:
    """The file is renamed, so that what fails again goes into a new one, and is tried once."""
    state.dead_letters.write_bytes(b'{"reason":"r","event":{}}\n')

    first = plan(state, ledger)
    (file,) = first.find([str(state.dead_letters)]).files

    assert file.path is not None
    assert file.path.name.startswith("dead-letters.2")
    assert not state.dead_letters.exists()
    # A run that died before its end finds it again; one that came to its end does not.
    assert plan(state, ledger).find([str(state.dead_letters)]).files == (file,)
    finish(first, ledger, file.path)
    assert plan(state, ledger).find([str(state.dead_letters)]).files == ()


def test_without_dead_letters_there_is_nothing_to_do(state: StateFolder, ledger: Ledger) -> None:
    """Replaying dead letters where there are none is no error."""
    assert plan(state, ledger).find([str(state.dead_letters)]).files == ()
