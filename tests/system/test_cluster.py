"""One command, many workers: Dask carries the work out, and the ledger keeps the guarantees."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import psutil  # type: ignore[import-untyped]  # its stubs are no dependency
import pytest

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

from convertro_cli.sandbox.options import SandboxOptions
from tests.exports import iter_lines, write_export
from tests.postgres import PostgresServer
from tests.system.dask_machines import DaskMachines
from tests.system.dask_soak import go_through
from tests.system.other_side import OtherSide
from tests.system.program import Running, Workspace, wait_until
from tests.system.receiving import accepted, expected_calls
from tests.system.shared_ordeal import SETTINGS

EVENTS = 1_100
SEED = 3
FILES = 4


@pytest.fixture(scope="module")
def machines() -> Iterator[DaskMachines]:
    """A cluster of two workers that other people run."""
    with DaskMachines(workers=2) as machines:
        yield machines


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A folder with settings, and exports of which every two hold the same events."""
    workspace = Workspace(tmp_path, SETTINGS)
    folder = tmp_path / "exports"
    folder.mkdir()
    lines = list(iter_lines(EVENTS, seed=2, share_sent=0.6))
    for number in range(FILES):
        (folder / f"part-{number}.ndjson").write_bytes(b"".join(lines[number % 2 :: 2]))
    yield workspace
    workspace.close()


def start(
    workspace: Workspace, machines: DaskMachines, side: OtherSide, url: str, *more: str
) -> Running:
    """Start a replay of the exports on the cluster."""
    where = ("--scheduler", machines.address, "--base-url", side.url, "--ledger", url)
    return workspace.start("replay", "exports", "--json", *where, *more)


def start_sending(
    workspace: Workspace, machines: DaskMachines, side: OtherSide, url: str
) -> Running:
    """Start a replay on the cluster, and wait until it is in the midst of sending."""
    driver = start(workspace, machines, side, url)
    wait_until(lambda: side.requests() > 100, "requests", within=60)
    return driver


def stop_a_sender(machines: DaskMachines, side: OtherSide) -> psutil.Process:
    """Stop the process of a bundle in the midst of sending: neither about to begin nor done."""
    stopped: list[psutil.Process] = []
    port = urlsplit(side.url).port

    def stops_one() -> bool:
        for process in machines.bundle_processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()
                if any(at.raddr[1:] == (port,) for at in process.net_connections("tcp")):
                    stopped.append(process)
                    return True
                process.resume()
        return False

    wait_until(stops_one, "process that sends")
    return stopped[0]


def slow_side() -> OtherSide:
    """An other side that takes its time, so that there is something to interrupt."""
    return OtherSide(SandboxOptions(port=0, latency_s=0.02))


def all_calls(workspace: Workspace, side: OtherSide) -> set[object]:
    """The calls that the exports hold."""
    return set(expected_calls(workspace, side.url, "exports").values())


def test_a_dry_run_by_processes_started_here_gives_the_same_bytes(workspace: Workspace) -> None:
    """--cluster makes a cluster and leaves nothing behind; nothing that it says gets in between."""
    command = ("replay", "--dry-run", "exports")
    alone = workspace.run(*command, "--workers", "1")
    spread = workspace.run(*command, "--cluster", "2")
    assert alone.code == spread.code == 0, spread.err
    assert spread.out.count(b'"repeat":"earlier"') > 300
    assert spread.out == alone.out
    assert spread.err.splitlines()[:-1] == alone.err.splitlines()[:-1]


def test_two_drivers_share_the_work_and_each_summary_adds_up(
    workspace: Workspace, machines: DaskMachines, postgres: PostgresServer
) -> None:
    """Started at once, as cron may: no call goes out twice, and none is missing in both counts."""
    with slow_side() as side:
        url = postgres.create_database()
        drivers = [start(workspace, machines, side, url) for _ in range(2)]
        ended = [driver.end(within=60) for driver in drivers]
        assert [each.code for each in ended] == [0, 0], [each.err for each in ended]
        calls, files = Counter[str](), Counter[str]()
        for each in ended:
            calls.update(each.summary["calls"])
            files.update(each.summary["files"])
            assert sum(each.summary["files"].values()) == FILES
        arrived = accepted(side.received())
        assert set(arrived) == all_calls(workspace, side)
        assert calls["delivered"] == calls["attempts"] == len(arrived) == arrived.total()
        assert files["read"] == FILES


def test_whatever_befalls_a_cluster_all_adds_up(
    tmp_path: Path,
    machines: DaskMachines,
    mortal_postgres: PostgresServer,
    record_property: Callable[[str, object], None],
) -> None:
    """kill -9 of a worker and of a bundle, a sleep past the lease, database and target away."""
    figures = go_through(SEED, tmp_path, mortal_postgres, machines, events=1_500)
    assert figures.lost == 0
    assert (figures.kills, figures.database_kills) == (2, 1)
    record_property(f"a cluster, seed {SEED}", str(figures))


def test_a_bundle_whose_process_is_killed_each_time_is_given_up(
    workspace: Workspace, machines: DaskMachines, postgres: PostgresServer
) -> None:
    """As the system does where memory runs out: 75, and where to look. Nothing is lost."""
    with slow_side() as side:
        url = postgres.create_database()
        driver = start(workspace, machines, side, url)

        def kills_all() -> bool:
            for process in machines.bundle_processes():
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            return driver.process.poll() is not None

        wait_until(kills_all, "end of the driver", within=60)
        ended = driver.end()
        assert "ended unexpectedly" in ended.err
        assert "memory" in ended.err
        assert "Traceback" not in ended.err
        assert ended.code == ended.summary["exit_code"] == 75


def test_a_database_that_stays_away_ends_the_command_and_the_next_one_goes_on(
    workspace: Workspace, machines: DaskMachines, mortal_postgres: PostgresServer
) -> None:
    """Away for longer than ledger_timeout: 75 and why, whichever worker saw it first."""
    timeout = 'ledger_timeout = "30s"'
    workspace.config.write_text(SETTINGS.replace(timeout, 'ledger_timeout = "1s"'))
    with slow_side() as side:
        url = mortal_postgres.create_database()
        driver = start_sending(workspace, machines, side, url)
        mortal_postgres.kill()
        ended = driver.end(within=60)
        assert "cannot be reached" in ended.err
        assert "Traceback" not in ended.err
        assert ended.code == ended.summary["exit_code"] == 75
        wait_until(lambda: not machines.bundle_processes(), "end of the workers' processes")
        side.wait_for_quiet()
        before = accepted(side.received()).total()
        mortal_postgres.start()
        again = start(workspace, machines, side, url).end(within=60)
        assert again.code == 0, again.err
        arrived = accepted(side.received())
        assert set(arrived) == all_calls(workspace, side)
        assert before + again.summary["calls"]["delivered"] == arrived.total()
        assert arrived.total() - len(arrived) <= again.summary["calls"]["possibly_repeated"]


def test_workers_need_nothing_but_the_package_and_their_own_secrets(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    """No settings, no lists, another folder; the password is in the environment of each side."""
    password = "not-to-be-seen"
    url = postgres.create_role("carrier", password)
    workspace = Workspace(tmp_path, SETTINGS + '[privacy]\nsuppressed = ["gone.txt"]\n')
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:carrier:{password}\n")
    passfile.chmod(0o600)
    (tmp_path / "gone.txt").write_text("somebody-else\n")
    (tmp_path / "exports").mkdir()
    write_export(tmp_path / "exports" / "a.ndjson", 300)
    with DaskMachines(workers=1, environ={"PGPASSWORD": password}) as machines, slow_side() as side:
        driver = workspace.start(
            *("replay", "exports", "--json", "--scheduler", machines.address),
            *("--base-url", side.url, "--ledger", url),
            environ={"PGPASSFILE": str(passfile)},
        )
        ended = driver.end(within=60)
        assert ended.code == 0, ended.err
        assert set(accepted(side.received())) == all_calls(workspace, side)
        assert password not in machines.logs() + ended.err
    workspace.close()


def test_an_interrupt_stops_all_workers_cleanly(
    workspace: Workspace, machines: DaskMachines, postgres: PostgresServer
) -> None:
    """Ctrl-C at the driver: what is under way ends, nothing is in doubt, the summary is right."""
    with slow_side() as side:
        url = postgres.create_database()
        driver = start_sending(workspace, machines, side, url)
        driver.send(signal.SIGINT)
        ended = driver.end(within=30)
        assert ended.code == 130, ended.err
        assert ended.summary["interrupted"] is True
        side.wait_for_quiet()
        assert ended.summary["calls"]["delivered"] == side.requests() < 1_000
        status = orjson.loads(workspace.run("status", "--json", "--ledger", url).out)
        assert status["in_doubt"] == 0
        assert status["sent"] == side.requests()
        assert not machines.bundle_processes()


def test_a_machine_that_sleeps_on_is_not_waited_for(
    workspace: Workspace, machines: DaskMachines, postgres: PostgresServer
) -> None:
    """A worker and its bundle are stopped: after the lease all that it had goes to the other one.

    So does what waited there and was not begun.
    """
    with slow_side() as side, ExitStack() as woken:
        url = postgres.create_database()
        driver = start_sending(workspace, machines, side, url)
        victim = stop_a_sender(machines, side)
        worker = machines.worker_of(victim)
        worker.send_signal(signal.SIGSTOP)
        for process in (worker, victim):
            woken.callback(process.send_signal, signal.SIGCONT)
        ended = driver.end(within=60)
        assert ended.code == 0, ended.err
        assert "begun anew" in ended.err
        arrived = accepted(side.received())
        assert set(arrived) == all_calls(workspace, side)
        assert arrived.total() - len(arrived) <= ended.summary["calls"]["possibly_repeated"] <= 256


def test_a_command_that_is_killed_takes_its_workers_along(
    workspace: Workspace, machines: DaskMachines, postgres: PostgresServer
) -> None:
    """kill -9 of the driver: what is under way ends, nothing more is sent or in doubt."""
    with slow_side() as side:
        url = postgres.create_database()
        driver = start_sending(workspace, machines, side, url)
        driver.kill()
        wait_until(lambda: not machines.bundle_processes(), "end of the workers' processes")
        side.wait_for_quiet()
        status = orjson.loads(workspace.run("status", "--json", "--ledger", url).out)
        assert status["in_doubt"] == 0
        assert status["sent"] == side.requests() < 1_000


def test_a_scheduler_that_is_killed_ends_the_run_and_leaves_nothing_in_doubt(
    workspace: Workspace, machines: DaskMachines, postgres: PostgresServer
) -> None:
    """75 and a sentence; the workers end what is under way, and the ledger knows all of it.

    This is the last one, since the cluster is gone after it.
    """
    with slow_side() as side:
        url = postgres.create_database()
        driver = start_sending(workspace, machines, side, url)
        machines.scheduler.kill()
        ended = driver.end(within=60)
        assert "is gone" in ended.err
        assert "Traceback" not in ended.err
        assert ended.code == ended.summary["exit_code"] == 75
        wait_until(lambda: not machines.bundle_processes(), "end of the workers' processes")
        # Its driver could not wait for them, and knows what they had committed when it ended.
        assert 0 < ended.summary["calls"]["delivered"] <= side.requests()
        status = orjson.loads(workspace.run("status", "--json", "--ledger", url).out)
        assert status["in_doubt"] == 0
        assert status["sent"] == side.requests() < 1_000
