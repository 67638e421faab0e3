"""The ledger in PostgreSQL with several runs at once: claims, leases, files, the rate."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import psycopg
import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import CallState, Failure, FileClaim, Settled
from convertro_cli.record.postgres import lease, schema
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.ledger import PostgresLedger
from convertro_cli.record.postgres.overview import read_overview
from convertro_cli.record.postgres.reading import look_up_calls, open_known_calls
from convertro_cli.record.postgres.session import ServerPatience
from tests.postgres import PostgresServer
from tests.record.machine import FILE, Machine, key, keys


@pytest.fixture
def address(postgres: PostgresServer) -> LedgerUrl:
    return postgres.new_address()


@pytest.fixture
def pair(address: LedgerUrl) -> Iterator[tuple[Machine, Machine]]:
    one, two = Machine(address), Machine(address)
    yield one, two
    one.die()
    two.die()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dead are known after a moment: this server was not just started again."""
    monkeypatch.setattr(lease, "SILENCE", 0.05)


def bury(machine: Machine) -> int:
    """Have a run look for lost ones until it finds some."""
    deadline = time.monotonic() + 10
    while not (found := lease.bury_lost_runs(machine.ledger._writer, machine.run)):
        assert time.monotonic() < deadline, "nobody was found to be lost"
        time.sleep(0.01)
    return found


# --- calls


def test_a_call_that_another_run_is_sending_is_refused_until_that_one_is_done(
    pair: tuple[Machine, Machine],
) -> None:
    """First it is to be tried later; then it is known as delivered, and by whom."""
    one, two = pair
    assert one.mark(1, 2) == {}
    assert two.mark(2, 3) == {key(2): None}
    one.settle(1, 2)
    assert two.mark(1, 2, 3) == {n: Settled(CallState.SENT, one.run) for n in (key(1), key(2))}


def test_a_call_that_another_run_lets_go_of_may_be_marked(pair: tuple[Machine, Machine]) -> None:
    """What is known not to have arrived is anybody's, and in no doubt."""
    one, two = pair
    one.mark(1)
    one.mark()
    marked = two.ledger.commit(two.run, sending=keys(1))
    assert (marked.refused, marked.doubtful) == ({}, frozenset())


def test_a_failure_is_tried_again_by_one_run_only(pair: tuple[Machine, Machine]) -> None:
    """Two runs that both saw the old failure: the second is told, or learns of the new one."""
    one, two = pair
    first = one.run
    one.ledger.commit(first, sending=b"", failed=[Failure(key(1), "http_400", "a:1")])
    again = {key(1): first}
    assert not two.ledger.commit(two.run, sending=keys(1), again=again).refused
    assert one.ledger.commit(one.run, sending=keys(1), again=again).refused == {
        key(1): Settled(CallState.FAILED, first)
    }
    two.ledger.commit(two.run, sending=b"", failed=[Failure(key(1), "http_400", "a:1")])
    assert one.ledger.commit(one.run, sending=keys(1), again=again).refused == {
        key(1): Settled(CallState.FAILED, two.run)
    }


def test_a_call_that_a_run_let_go_of_is_not_failed_over_anothers_success(
    pair: tuple[Machine, Machine],
) -> None:
    """A refusal that was held back comes late: what is delivered stays so, and is no failure."""
    one, two = pair
    assert one.mark(1, 2) == {}
    assert one.mark() == {}
    two.mark(1)
    two.settle(1)
    assert two.mark(2) == {}
    for number in (1, 2):
        one.fail(number, f"a:{number}")
    assert one.ledger.look_up([key(1), key(2)]) == {key(1): Settled(CallState.SENT, two.run)}
    two.settle(2)
    overview = read_overview(two.address, latest=1)
    assert overview is not None
    assert (overview.sent, overview.failed, overview.failures) == (2, 0, {})
    assert [target.dead_letters.count for target in overview.targets] == [0]


def test_many_runs_that_want_the_same_calls_get_each_of_them_once(address: LedgerUrl) -> None:
    """Whatever the order in which they ask, each call is marked by exactly one."""
    machines = [Machine(address) for _ in range(4)]
    got: list[set[bytes]] = [set() for _ in machines]

    def ask(number: int) -> None:
        for start in range(0, 2000, 100):
            wanted = {key(n) for n in range(start, start + 150)}
            if number % 2:
                wanted = {key(2149 - int.from_bytes(one, "big")) for one in wanted}
            held = b"".join(wanted | got[number])
            refused = machines[number].ledger.commit(machines[number].run, sending=held).refused
            got[number] |= wanted - refused.keys()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(machines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set().union(*got) == {key(n) for n in range(2050)} | {key(n) for n in range(100, 2150)}
    for some, others in combinations(got, 2):
        assert not some & others
    for machine in machines:
        machine.die()


# --- lost runs


@pytest.mark.usefixtures("quick")
def test_a_run_that_died_is_taken_over_at_once_and_leaves_doubts(
    pair: tuple[Machine, Machine], address: LedgerUrl
) -> None:
    """Its lock is gone with its connections; its files are free, its calls may have arrived."""
    one, two = pair
    one.mark(1, 2)
    assert one.claim() is FileClaim.GRANTED
    assert two.claim() is FileClaim.HELD
    one.die()
    assert bury(two) == 1
    assert two.claim() is FileClaim.GRANTED
    with open_known_calls(address) as known:
        assert known is not None
        assert [known.is_in_doubt(key(n)) for n in (1, 2, 3)] == [True, True, False]
    marked = two.ledger.commit(two.run, sending=keys(2, 3))
    assert not marked.refused
    assert marked.doubtful == {key(2)}


@pytest.mark.usefixtures("quick")
def test_a_run_that_lives_is_left_alone_however_silent(pair: tuple[Machine, Machine]) -> None:
    """As long as its session holds the lock and its lease lasts, nobody takes over."""
    one, two = pair
    one.mark(1)
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        assert lease.bury_lost_runs(two.ledger._writer, two.run) == 0
    assert two.mark(1) == {key(1): None}


@pytest.mark.usefixtures("quick")
def test_a_run_that_slept_past_its_lease_is_fenced_when_it_wakes(address: LedgerUrl) -> None:
    """Nothing that it says is taken any more: not what it marks, settled, or finished."""
    sleeper, other = Machine(address, lease_seconds=0.2), Machine(address)
    sleeper.mark(1)
    assert bury(other) == 1
    assert not sleeper.ledger.lease.is_held()
    for change in (lambda: sleeper.mark(2), lambda: sleeper.settle(1), sleeper.finish):
        with pytest.raises(ConvertroError, match="took over") as raised:
            change()
        assert raised.value.exit_code is ExitCode.TRY_LATER
    assert other.ledger.look_up([key(1), key(2)]) == {}
    assert sleeper.claim() is FileClaim.HELD
    assert not other.ledger.is_finished(FILE, b"s")
    sleeper.die()
    other.die()


@pytest.mark.usefixtures("quick")
def test_a_run_that_sleeps_in_the_midst_of_a_commit_holds_nobody_up(address: LedgerUrl) -> None:
    """Its session is ended, so that its row is free; what it had not committed is not."""
    sleeper, other = Machine(address, lease_seconds=0.2), Machine(address)
    sleeper.mark(1)
    connection = sleeper.ledger._writer._connection
    assert connection is not None
    connection.execute("BEGIN")
    connection.execute("UPDATE leases SET keys = '' WHERE run = %s", (sleeper.run,))
    began = time.monotonic()
    assert bury(other) == 1
    assert time.monotonic() - began < 5
    with pytest.raises(ConvertroError, match="took over"):
        sleeper.mark(2)
    assert other.mark(1) == {}
    sleeper.die()
    other.die()


def test_a_lease_is_surely_held_only_as_long_as_it_lasts(address: LedgerUrl) -> None:
    """Before it may have been taken over a run must not send: it knows that without asking."""
    machine = Machine(address, lease_seconds=0.2)
    assert machine.ledger.lease.is_held()
    deadline = time.monotonic() + 10
    while machine.ledger.lease.is_held():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert machine.ledger.lease.is_due()
    machine.mark()
    assert machine.ledger.lease.is_held()
    machine.die()


# --- files


def test_a_file_is_one_runs_until_it_is_done_or_left(pair: tuple[Machine, Machine]) -> None:
    """Then the others know it as done; or it is theirs."""
    one, two = pair
    other = FileIdentity("/exports/b.ndjson", 1, 2, b"e" * 16)
    assert one.claim() is one.claim() is one.claim(other) is FileClaim.GRANTED
    assert two.claim() is two.claim(other) is FileClaim.HELD
    one.finish()
    one.ledger.files.release([(other, b"s")])
    assert two.claim() is FileClaim.FINISHED
    assert two.claim(other) is FileClaim.GRANTED


def test_what_is_read_again_is_read_by_one_of_the_runs(address: LedgerUrl) -> None:
    """With --reread a file counts as done only when it was since the run began."""
    before = Machine(address)
    before.finish()
    one, two = Machine(address), Machine(address)
    assert one.claim(again=True) is FileClaim.GRANTED
    assert two.claim(again=True) is FileClaim.HELD
    one.finish()
    assert two.claim(again=True) is FileClaim.FINISHED
    for machine in (before, one, two):
        machine.die()


# --- absences


def test_a_commit_outlives_a_connection_that_breaks(address: LedgerUrl) -> None:
    """It is carried out once more, over a new connection, and does what it should once."""
    machine = Machine(address)
    with psycopg.connect(address.url, autocommit=True) as admin:
        for number in range(5):
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            machine.letters.add(b"{}", reason="http_400", detail="", source=f"a:{number}")
            machine.letters.append(machine.letters.take())
            failed = [Failure(key(number), "http_400", f"a:{number}")]
            marked = machine.ledger.commit(machine.run, sending=keys(100 + number), failed=failed)
            assert not marked.refused
    machine.ledger.end_run(machine.run, b"{}")
    machine.die()
    overview = read_overview(address, latest=1)
    assert overview is not None
    assert (overview.failed, overview.dead_letters, overview.in_doubt) == (5, 5, 1)


def test_a_server_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """It may be about to start; the person is told, and in the end it is exit code 75."""
    told: list[str] = []
    patience = ServerPatience(seconds=0.2, notice=told.append)
    with pytest.raises(ConvertroError, match="cannot be reached") as raised:
        PostgresLedger(LedgerUrl(f"postgresql://me@/x?host={tmp_path}"), patience=patience)
    assert raised.value.exit_code is ExitCode.TRY_LATER
    (notice,) = told
    assert "waiting" in notice


def test_a_database_that_does_not_exist_is_told_at_once(postgres: PostgresServer) -> None:
    """The server is there and says no: to wait would change nothing, and so would to try later."""
    told: list[str] = []
    with pytest.raises(ConvertroError, match="does not exist") as raised:
        PostgresLedger(
            LedgerUrl(postgres.url("nothing")), patience=ServerPatience(notice=told.append)
        )
    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert "createdb" in str(raised.value.hint)
    assert told == []


def test_where_a_database_is_closed_to_all_nobody_is_told_to_make_one(
    postgres: PostgresServer,
) -> None:
    """What helps against a missing database does not help against a closed one."""
    closed = postgres.create_database()
    name = psycopg.conninfo.conninfo_to_dict(closed)["dbname"]
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    with pytest.raises(ConvertroError, match="not currently accepting") as raised:
        PostgresLedger(LedgerUrl(closed))
    assert "createdb" not in str(raised.value.hint)
    assert "psql" in str(raised.value.hint)


@pytest.mark.parametrize("password", ["", "wrong"])
def test_who_is_not_let_in_is_told_at_once_where_a_password_is_found(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """A password that is wrong or that nobody gave does not come by itself."""
    url = postgres.create_role(f"role_of_{password or 'none'}", "right")
    monkeypatch.setenv("PGPASSWORD", password)
    monkeypatch.setenv("PGPASSFILE", os.devnull)
    told: list[str] = []
    with pytest.raises(ConvertroError, match="password") as raised:
        PostgresLedger(LedgerUrl(url), patience=ServerPatience(notice=told.append))
    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert "PGPASSWORD" in str(raised.value.hint)
    assert told == []


# --- the rate


def test_one_rate_holds_over_all_runs(pair: tuple[Machine, Machine]) -> None:
    """Several runs together get what one would: the rate, and little more at the start."""
    rate, seconds = 200.0, 1.5
    buckets = [machine.ledger.share_rate(rate) for machine in pair]
    taken = 0
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for bucket in buckets:
            allowed = bucket.available(now)
            bucket.take(allowed)
            taken += allowed
        time.sleep(min(bucket.wait(now) for bucket in buckets))
    assert 0.5 * rate * seconds <= taken <= rate * seconds + rate / 20 + 1


# --- versions


def test_a_newer_ledger_is_told_and_left_as_it_is(address: LedgerUrl) -> None:
    """Neither a run nor a look at it changes anything."""
    Machine(address).die()
    with psycopg.connect(address.url, autocommit=True) as admin:
        admin.execute("UPDATE convertro.ledger SET version = 99")
        for look in (
            lambda: PostgresLedger(address),
            lambda: read_overview(address, latest=1),
            lambda: schema.migrate(admin, address),
        ):
            with pytest.raises(ConvertroError, match="version 99") as raised:
                look()
            assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
        assert schema.read_version(admin) == 99


def test_an_older_ledger_is_brought_to_this_version_only_when_asked(
    address: LedgerUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run refuses it and names the command; many that migrate at once do so once."""
    ours = schema.MIGRATIONS
    with monkeypatch.context() as past, psycopg.connect(address.url, autocommit=True) as admin:
        past.setattr(schema, "MIGRATIONS", ours[:1])
        schema.migrate(admin, address)
    with pytest.raises(ConvertroError, match="version 1") as raised:
        PostgresLedger(address)
    assert raised.value.hint is not None
    assert "convertro ledger migrate" in raised.value.hint
    found: list[int] = []

    def migrate() -> None:
        with psycopg.connect(address.url, autocommit=True) as connection:
            found.append(schema.migrate(connection, address))

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [1, *[len(ours)] * 3]
    Machine(address).die()


def test_an_empty_database_has_no_ledger_and_gets_none_by_a_look(address: LedgerUrl) -> None:
    """Status, explain and dry runs change nothing."""
    assert read_overview(address, latest=1) is None
    assert look_up_calls(address, [key(1)]) is None
    with open_known_calls(address) as known:
        assert known is None
    with psycopg.connect(address.url) as admin:
        assert schema.read_version(admin) == 0


def test_single_calls_are_looked_up(address: LedgerUrl) -> None:
    """What became of a call is told with its run, and why if it failed."""
    machine = Machine(address)
    failed = [Failure(key(2), "http_400", "a\0:1")]
    machine.ledger.commit(machine.run, sending=keys(3), sent=[key(1)], failed=failed)
    found = look_up_calls(address, [key(n) for n in range(5)])
    assert found is not None
    told = {one: (record.state, record.reason) for one, record in found.items()}
    assert told == {
        key(1): ("delivered", None),
        key(2): ("failed", "http_400"),
        key(3): ("in_doubt", None),
    }
    machine.die()
