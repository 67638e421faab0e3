"""The state folder and its lock, with real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record import state
from convertro_cli.record.state import RunLock, StateFolder
from tests.record.programs import program

_HOLDING = """
import sys
from pathlib import Path
from convertro_cli.errors import ConvertroError
from convertro_cli.record.state import RunLock
try:
    with RunLock(Path(sys.argv[1]), "replay other.ndjson"):
        print("held", flush=True)
        sys.stdin.read()
except ConvertroError as error:
    print(int(error.exit_code), error.message, flush=True)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_the_folder_is_the_owners_alone(tmp_path: Path) -> None:
    """It is made with mode 0700, with the folders above it, whatever the umask allows."""
    folder = StateFolder(tmp_path / "above" / ".convertro")
    before = os.umask(0)
    try:
        folder.create()
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.path.parent.stat().st_mode) == 0o700


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """A folder of the program's own gets mode 0700; those above it stay as they are."""
    folder = StateFolder(tmp_path / ".convertro")
    folder.path.mkdir(mode=0o755)
    for name in ("lock", "ledger.db", "ledger.db-wal", "dead-letters.ndjson"):
        (folder.path / name).touch()
    tmp_path.chmod(0o755)

    folder.create()
    folder.create()

    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_folder_with_other_things_in_it_stays_as_it_is(tmp_path: Path) -> None:
    """It is not the program's own: nobody is locked out of it, and what was forbidden stays so."""
    folder = StateFolder(tmp_path / "shared")
    folder.path.mkdir()
    (folder.path / "other.txt").touch()
    for mode in (0o1777, 0o755, 0o500):
        folder.path.chmod(mode)
        folder.create()
        assert stat.S_IMODE(folder.path.stat().st_mode) == mode


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in the folder's place ends the run with 74."""
    (tmp_path / "file").touch()

    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConvertroError, match="cannot be used") as raised:
            StateFolder(place).create()
        assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE


def test_the_files_have_their_names(tmp_path: Path) -> None:
    """The names are those that the README tells."""
    folder = StateFolder(tmp_path)

    names = [path.name for path in (folder.ledger, folder.dead_letters, folder.lock)]
    assert names == ["ledger.db", "dead-letters.ndjson", "lock"]


def test_a_lock_is_held_by_one_process_alone(lock: Path) -> None:
    """A second process is told who holds the lock, since when, and to come again later."""
    first, second = program(_HOLDING, lock, stdin=-1), None
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        second = program(_HOLDING, lock, stdin=-1)
        told, _ = second.communicate(timeout=30)
        with pytest.raises(ConvertroError) as raised:
            RunLock(lock, "replay").__enter__()
    finally:
        first.communicate(timeout=30)

    assert told.startswith(f"{int(ExitCode.TRY_LATER)} Another run holds {lock}: ")
    for part in (f"process {first.pid}", socket.gethostname(), "replay other.ndjson"):
        assert part in told
        assert part in raised.value.message
    assert raised.value.exit_code is ExitCode.TRY_LATER
    with RunLock(lock, "replay"):
        pass


def test_of_many_at_the_same_instant_one_gets_the_lock(lock: Path) -> None:
    """However close together runs start, one goes on and the others are told of it."""
    runs = [program(_HOLDING, lock, stdin=-1) for _ in range(4)]
    outputs = []
    held = None
    for run in runs:
        assert run.stdout is not None
        outputs.append(run.stdout.readline())
        if outputs[-1] == "held\n":
            held = run
    assert held is not None
    for run in runs:
        run.communicate(timeout=30)

    assert outputs.count("held\n") == 1
    assert all(f"process {held.pid}" in told for told in outputs if told != "held\n")


def test_a_killed_process_lets_go_of_its_lock(lock: Path) -> None:
    """After kill -9 the next run starts, without anything to clean up."""
    holder = program(_HOLDING, lock, stdin=-1)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=30)
    assert lock.read_bytes() != b""

    with RunLock(lock, "replay"):
        assert json.loads(lock.read_bytes())["pid"] == os.getpid()


def test_a_lock_can_be_had_again_after_its_end(lock: Path) -> None:
    """Within one process too, one holds it at a time, and it is free when that has ended."""
    with RunLock(lock, "replay"), pytest.raises(ConvertroError), RunLock(lock, "replay"):
        pass
    with RunLock(lock, "replay"):
        pass
    assert lock.read_bytes() == b""


def test_a_lock_does_not_pass_on_to_child_processes(lock: Path) -> None:
    """A child that outlives the run must not keep the next one out."""
    with RunLock(lock, "replay"):
        child = program("import sys; print('up', flush=True); sys.stdin.read()", stdin=-1)
        assert child.stdout is not None
        child.stdout.readline()
    try:
        with RunLock(lock, "replay"):
            pass
    finally:
        child.communicate(timeout=30)


@pytest.mark.parametrize("content", [b"", b'{"pid":1}', b"\xff"])
def test_a_holder_that_left_no_name_is_told_of_all_the_same(
    lock: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the lock file says, the second run ends with 75 and a sentence."""
    monkeypatch.setattr(state, "_NAMED_WITHIN", 0.05)
    with RunLock(lock, "replay"):
        lock.write_bytes(content)
        with pytest.raises(ConvertroError, match="Another run holds") as raised:
            RunLock(lock, "replay").__enter__()

    assert raised.value.exit_code is ExitCode.TRY_LATER


def test_a_lock_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A lock in a folder that is not there ends the run with 74."""
    with pytest.raises(ConvertroError, match="cannot be opened") as raised:
        RunLock(tmp_path / "missing" / "lock", "replay").__enter__()

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE


def test_the_lock_file_is_the_owners_alone(lock: Path) -> None:
    """A command line may hold names, so the lock's mode is 0600 too."""
    before = os.umask(0)
    try:
        with RunLock(lock, "replay"):
            assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    finally:
        os.umask(before)
