"""The ledger on disk: what is written stays, and what is none is left alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import patience, schema
from convertro_cli.record.ledger import CallState, Failure, Settled, split_keys
from convertro_cli.record.settled_calls import find_settled, read_recent
from convertro_cli.record.sqlite_ledger import SqliteLedger
from tests.record.programs import files_of_at_most, output_of

IDENTITY = FileIdentity("/exports/a.ndjson", 123, 456, b"e" * 16)


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def keys(*numbers: int) -> bytes:
    return b"".join(map(key, numbers))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def filled(path: Path) -> Path:
    """A ledger with a thousand calls, a failure and a doubt, closed."""
    with SqliteLedger(path) as ledger:
        run, _ = ledger.begin_run("https://sp1.convertro.com")
        failures = [Failure(key(2000), "http_400", "a.ndjson:7")]
        sent = [key(number) for number in range(1000)]
        ledger.commit(run, sending=keys(5000), sent=sent, failed=failures)
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- what it keeps


def test_a_settled_call_is_known_how_and_by_whom(filled: Path) -> None:
    """Look-ups give the state and the run of settled calls, and nothing of others."""
    with SqliteLedger(filled) as ledger:
        assert ledger.look_up([key(3), key(2000), key(3000), key(5000)]) == {
            key(3): Settled(CallState.SENT, 1),
            key(2000): Settled(CallState.FAILED, 1),
        }


def test_any_number_of_calls_is_looked_up_at_once(filled: Path) -> None:
    """A batch may ask for thousands."""
    with SqliteLedger(filled) as ledger:
        found = ledger.look_up([key(number) for number in range(5000)])

    assert len(found) == 1001


def test_runs_are_numbered_and_inherit_doubts(filled: Path) -> None:
    """A new run is told what earlier ones left in doubt, and it stays so until it is settled."""
    with SqliteLedger(filled) as ledger:
        assert ledger.begin_run("x") == (2, frozenset([key(5000)]))
    with SqliteLedger(filled) as ledger:
        run, in_doubt = ledger.begin_run("x")
        assert (run, in_doubt) == (3, frozenset([key(5000)]))
        ledger.commit(run, sending=b"", sent=[key(5000)])
        assert ledger.begin_run("x") == (4, frozenset())


def test_the_latest_marks_replace_those_before(path: Path) -> None:
    """What is marked as being sent is what the last commit said."""
    with SqliteLedger(path) as ledger:
        run, _ = ledger.begin_run("x")
        ledger.commit(run, sending=keys(1, 2, 3))
        ledger.commit(run, sending=keys(3, 4), sent=[key(1), key(2)])
        assert ledger.begin_run("x")[1] == {key(3), key(4)}


def test_a_call_that_failed_may_be_delivered_later(filled: Path) -> None:
    """Success replaces failure, and the failure's reason goes."""
    with SqliteLedger(filled) as ledger:
        run, _ = ledger.begin_run("x")
        ledger.commit(run, sending=b"", sent=[key(2000)])

        assert ledger.look_up([key(2000)]) == {key(2000): Settled(CallState.SENT, run)}
    with sqlite3.connect(filled) as database:
        assert database.execute("SELECT count(*) FROM failures").fetchone() == (0,)
    database.close()


def test_a_file_is_known_as_it_was_last(path: Path) -> None:
    """Once it was replayed as it is now, what it was before is forgotten."""
    with SqliteLedger(path) as ledger:
        run, _ = ledger.begin_run("x")
        ledger.commit(run, sending=b"", finished=[(IDENTITY, b"s")])
        changed = FileIdentity("/exports/a.ndjson", 9, 9, b"g" * 16)
        ledger.commit(run, sending=b"", finished=[(changed, b"s")])
        assert not ledger.is_finished(IDENTITY, b"s")


@given(st.lists(st.binary(min_size=16, max_size=16)))
def test_keys_end_to_end_come_apart_again(several: list[bytes]) -> None:
    """Keys that are stored as one are the same when they are read."""
    assert split_keys(b"".join(several)) == several


def test_what_is_committed_is_seen_by_others_at_once(path: Path) -> None:
    """After a commit the marks are on disk, not in this process."""
    with SqliteLedger(path) as ledger:
        run, _ = ledger.begin_run("x")
        ledger.commit(run, sending=keys(1, 2), sent=[key(3)])

        other = sqlite3.connect(path)
        assert other.execute("SELECT keys FROM sending").fetchall() == [(keys(1, 2),)]
        assert find_settled(other, [key(3)], read_recent(other)).keys() == {key(3)}
        other.close()


def test_a_commit_outlives_the_process_and_the_machine(path: Path) -> None:
    """The log is written ahead and synced at each commit."""
    with SqliteLedger(path) as ledger:
        database = ledger._database
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)


# --- privacy


def test_only_the_owner_may_look(path: Path) -> None:
    """All the ledger's files have mode 0600, whatever the umask allows."""
    before = os.umask(0)
    try:
        with SqliteLedger(path) as ledger:
            ledger.commit(ledger.begin_run("x")[0], sending=keys(1))
            files = list(path.parent.iterdir())
            assert len(files) >= 2
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)


# --- commits are whole


_CRASHING = """
import os, sys
from pathlib import Path
from convertro_cli.record.ledger import Failure
from convertro_cli.record.sqlite_ledger import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
run, _ = ledger.begin_run("x")
ledger.commit(run, sending=b"a" * 16, sent=[b"b" * 16])
ledger._database.execute("BEGIN IMMEDIATE")
ledger._mark(run, b"c" * 16)
os._exit(0)
"""


def test_a_process_that_dies_leaves_whole_commits(path: Path) -> None:
    """What was committed is there after a crash, what was not is not."""
    output_of(_CRASHING, path)
    assert path.with_name("ledger.db-wal").exists()

    with SqliteLedger(path) as ledger:
        assert ledger.look_up([b"b" * 16]) == {b"b" * 16: Settled(CallState.SENT, 1)}
        assert ledger.begin_run("x") == (2, frozenset([b"a" * 16]))


def test_a_commit_that_fails_leaves_nothing_of_itself(path: Path) -> None:
    """An error in the middle of a transaction takes all of it back, and the next one works."""
    with SqliteLedger(path) as ledger:
        run, _ = ledger.begin_run("x")
        for_nothing = Failure(key(4), None, "a.ndjson:1")  # type: ignore[arg-type]
        with pytest.raises(ConvertroError) as raised:
            ledger.commit(run, sending=keys(1), sent=[key(2)], failed=[for_nothing])
        assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE

        assert ledger.look_up([key(2)]) == {}
        ledger.commit(run, sending=keys(7), sent=[key(3)])
        assert ledger.look_up([key(2), key(3)]) == {key(3): Settled(CallState.SENT, run)}
        assert ledger.begin_run("x")[1] == {key(7)}


# --- a full disk


_FILLING = """
import sys
from pathlib import Path
from convertro_cli.errors import ConvertroError
from convertro_cli.record.sqlite_ledger import SqliteLedger
done = 0
try:
    with SqliteLedger(Path(sys.argv[1])) as ledger:
        run, _ = ledger.begin_run("x")
        while done < 500:
            sent = [(done * 500 + number).to_bytes(16, "big") for number in range(500)]
            ledger.commit(run, sending=done.to_bytes(16, "big"), sent=sent)
            done += 1
except ConvertroError as error:
    print(done, int(error.exit_code), error.message)
"""


def check_filled(output: str, path: Path) -> None:
    """The error was told, and all that was committed before it is there."""
    done, code, message = output.split(" ", 2)
    assert int(done) > 0
    assert int(code) == ExitCode.CANNOT_WRITE_STATE
    assert "cannot be written" in message
    with SqliteLedger(path) as ledger:
        sent = [key(number) for number in range(int(done) * 500)]
        assert len(ledger.look_up(sent)) == len(sent)
        assert ledger.look_up([key(int(done) * 500)]) == {}
        assert ledger.begin_run("x")[1] == {key(int(done) - 1)}


def test_a_file_size_limit_is_told_and_loses_nothing(path: Path) -> None:
    """Where the ledger may not grow any further, the error says so; what was there stays."""
    check_filled(output_of(_FILLING, path, before=files_of_at_most(600_000)), path)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that is soon full; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_told_and_loses_nothing(tiny_disk: Path) -> None:
    """When the disk is full the error says so; once there is room, all is there."""
    path = tiny_disk / "ledger.db"
    output = output_of(_FILLING, path)
    subprocess.run(["mount", "-o", "remount,size=8m", str(tiny_disk)], check=True)

    check_filled(output, path)


# --- what is no ledger


def foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE calls (key BLOB)")
    database.close()


def other_version(path: Path) -> None:
    SqliteLedger(path).__exit__(None, None, None)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 4")
        database.execute("PRAGMA journal_mode = DELETE")
    database.close()


def first_version(path: Path) -> None:
    """A ledger as the first version of this program wrote it."""
    with sqlite3.connect(path) as database:
        database.executescript(f"""
            CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT,
                target TEXT NOT NULL, summary TEXT);
            CREATE TABLE calls (key BLOB PRIMARY KEY, state INTEGER NOT NULL, run INTEGER NOT NULL)
                WITHOUT ROWID;
            CREATE TABLE sending (run INTEGER PRIMARY KEY, keys BLOB NOT NULL);
            PRAGMA application_id = {schema.APPLICATION_ID};
            PRAGMA user_version = 1;
        """)
    database.close()


def text_file(path: Path) -> None:
    path.write_text("my notes\n" * 100)


def short_file(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00")


def zeroed_file(path: Path) -> None:
    path.write_bytes(bytes(8192))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (foreign_database, "another program's database"),
        (other_version, "of version 4"),
        (first_version, "of version 1; .* would be sent again"),
        (text_file, "damaged, or no ledger"),
        (short_file, "damaged, or no ledger"),
        (zeroed_file, "damaged, or no ledger"),
    ],
)
def test_what_is_no_ledger_is_refused_and_left_as_it_is(
    path: Path, make: object, said: str
) -> None:
    """A file that is something else ends the run with 74; not a byte of it changes."""
    make(path)  # type: ignore[operator]
    before = snapshot(path.parent)

    with pytest.raises(ConvertroError, match=said) as raised:
        SqliteLedger(path)

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert raised.value.hint is not None
    assert snapshot(path.parent) == before


def test_an_older_ledger_is_told_what_to_do(path: Path) -> None:
    """Its keys are of another kind: finish with the old version, or begin anew and leave out."""
    first_version(path)

    with pytest.raises(ConvertroError) as raised:
        SqliteLedger(path)

    hint = str(raised.value.hint)
    assert "the version that wrote it" in hint
    assert "--state" in hint
    assert "--since" in hint


def test_a_run_is_noted_with_its_target_and_its_end(path: Path) -> None:
    """Which account and site it sent to, and the exit code, for whoever asks later."""
    with SqliteLedger(path) as ledger:
        run, _ = ledger.begin_run("https://sp1.convertro.com", account="acme", site_id="7")
        ledger.end_run(run, b"{}", exit_code=75)
        ledger.begin_run("https://sp1.convertro.com")

    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT account, site_id, exit_code FROM runs").fetchall()
    database.close()
    assert rows == [("acme", "7", 75), ("", "", None)]


def test_orders_in_doubt_are_inherited_with_their_calls(path: Path) -> None:
    """An order whose call was under way at a crash is in doubt, whichever message brings it."""
    with SqliteLedger(path) as ledger:
        run, _ = ledger.begin_run("x")
        ledger.commit(run, sending=keys(1, 2), orders=keys(11))
    with SqliteLedger(path) as ledger:
        run, in_doubt = ledger.begin_run("x")

        assert in_doubt == {key(1), key(2)}
        assert ledger.orders_in_doubt() == {key(11)}
        ledger.commit(run, sending=b"", sent=[key(1), key(11)])
        assert ledger.orders_in_doubt() == frozenset()


def overwrite(path: Path, start: int, content: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(start)
        stream.write(content)


@pytest.mark.parametrize("page", [1, 2, 5, 9])
def test_a_damaged_ledger_is_refused_and_left_as_it_is(filled: Path, page: int) -> None:
    """Damage inside ends the run with 74 before anything is sent; not a byte changes."""
    overwrite(filled, page * 4096, b"\xff" * 4096)
    before = filled.read_bytes()

    with pytest.raises(ConvertroError, match="is damaged") as raised:
        SqliteLedger(filled)

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert filled.read_bytes() == before


def test_a_ledger_cut_short_is_refused_and_left_as_it_is(filled: Path) -> None:
    """Half a file is damage too."""
    os.truncate(filled, filled.stat().st_size // 2 // 4096 * 4096)
    before = filled.read_bytes()

    with pytest.raises(ConvertroError, match="is damaged"):
        SqliteLedger(filled)

    assert filled.read_bytes() == before


def test_damage_beside_a_crashs_log_leaves_both_as_they_are(filled: Path) -> None:
    """With a log left by a crash, a damaged ledger and its log stay as they are."""
    output_of(_CRASHING, filled)
    overwrite(filled, 4 * 4096, b"\xff" * 4096)  # a page that is not in the log
    log = filled.with_name("ledger.db-wal")
    before = (filled.read_bytes(), log.read_bytes())
    assert before[1]

    with pytest.raises(ConvertroError, match="is damaged"):
        SqliteLedger(filled)

    assert (filled.read_bytes(), log.read_bytes()) == before


@pytest.mark.parametrize("emptied", [True, False])
def test_a_log_without_its_ledger_is_not_taken_for_a_new_start(filled: Path, emptied: bool) -> None:
    """If the ledger is gone but not its log, something is wrong: nothing is made in its place."""
    output_of(_CRASHING, filled)
    filled.unlink()
    if emptied:
        filled.touch()
    before = snapshot(filled.parent)

    with pytest.raises(ConvertroError) as raised:
        SqliteLedger(filled)

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert snapshot(filled.parent) == before


@given(st.binary(min_size=1, max_size=300), st.sampled_from([b"", b"SQLite format 3\x00"]))
@settings(max_examples=40, deadline=None)
def test_no_file_at_all_makes_it_stumble(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    """Whatever lies under the ledger's name, there is an error with code 74, or a ledger."""
    path = tmp_path_factory.mktemp("any") / "ledger.db"
    path.write_bytes(start + content)

    with pytest.raises(ConvertroError) as raised:
        SqliteLedger(path)

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert path.read_bytes() == start + content


def test_the_header_tells_program_and_version(path: Path) -> None:
    """A ledger says in its first bytes what it is, for programs that have never heard of it."""
    SqliteLedger(path).__exit__(None, None, None)

    header = path.read_bytes()[:100]
    assert struct.unpack_from(">I", header, 68) == (schema.APPLICATION_ID,)
    assert struct.unpack_from(">I", header, 60) == (schema.VERSION,)
    assert schema.APPLICATION_ID.to_bytes(4, "big") == b"CVRT"


def test_half_made_ledgers_are_made_anew(path: Path) -> None:
    """What a crash left while a ledger was made is no ledger, and in nobody's way."""
    path.with_suffix(".new").write_bytes(b"half")

    with SqliteLedger(path) as ledger:
        assert ledger.begin_run("x")[0] == 1
    assert not path.with_suffix(".new").exists()


@pytest.mark.parametrize("kind", ["folder", "missing folder"])
def test_a_place_that_takes_no_ledger_is_told(tmp_path: Path, kind: str) -> None:
    """Where no ledger can be, the error has code 74 and no traceback."""
    path = tmp_path / "nowhere" / "ledger.db"
    if kind == "folder":
        path.mkdir(parents=True)

    with pytest.raises(ConvertroError) as raised:
        SqliteLedger(path)

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE


def test_a_held_ledger_is_waited_for(filled: Path) -> None:
    """A program that holds the ledger's own lock is waited for with a word, as long as it takes."""
    notices: list[str] = []
    other = sqlite3.connect(filled, isolation_level=None, check_same_thread=False)

    def let_go(text: str) -> None:
        notices.append(text)
        assert (ledger.waited or 0.0) > 0.0
        other.execute("ROLLBACK")

    with SqliteLedger(filled, notice=let_go) as ledger:
        other.execute("BEGIN EXCLUSIVE")
        assert ledger.begin_run("x")[0] == 2
        assert ledger.waited is None
    other.close()
    (notice,) = notices
    assert str(filled) in notice
    assert "held by another program" in notice


def test_a_ledger_that_stays_held_is_told(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the end the error says who is in the way, not that a disk is full; then it goes on."""
    monkeypatch.setattr(patience, "LIMIT", 0.1)
    other = sqlite3.connect(filled, isolation_level=None)
    with SqliteLedger(filled) as ledger:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ConvertroError, match="held by another program") as raised:
            ledger.begin_run("x")
        assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
        assert "space" not in (raised.value.hint or "")
        other.execute("ROLLBACK")
        assert ledger.begin_run("x")[0] == 2
    other.close()


def test_a_ledger_held_from_the_start(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that keeps even readers out is told of in the same way."""
    monkeypatch.setattr(patience, "LIMIT", 0.1)
    other = sqlite3.connect(filled, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ConvertroError, match="held by another program"):
        SqliteLedger(filled)
    other.close()


def remove(path: Path) -> None:
    path.unlink()


def replace_by_a_copy(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


@pytest.mark.parametrize("change", [remove, replace_by_a_copy])
@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal"])
def test_a_ledger_that_is_taken_away_is_noticed(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    """The first commit after it says so: what it wrote is nowhere that the next run would look."""
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        run, _ = ledger.begin_run("x")
        ledger.commit(run, sending=b"")
        change(tmp_path / name)
        with pytest.raises(ConvertroError, match=f"{name} was re") as raised:
            ledger.commit(run, sending=b"")
        assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE


def test_a_commit_asks_whether_the_run_still_holds_its_lock(tmp_path: Path) -> None:
    """What the check raises comes out of the commit."""
    gone = ConvertroError("gone")

    def check() -> None:
        if ledger.look_up([b"k" * 16]):
            raise gone

    with SqliteLedger(tmp_path / "ledger.db", check=check) as ledger:
        run, _ = ledger.begin_run("x")
        with pytest.raises(ConvertroError) as raised:
            ledger.commit(run, sending=b"", sent=[b"k" * 16])
        assert raised.value is gone
