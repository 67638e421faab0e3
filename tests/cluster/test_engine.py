"""What the engine makes of what becomes of a task: a sentence, or another wait."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil  # type: ignore[import-untyped]  # its stubs are no dependency
import pytest
import requests

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

from distributed import Client
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from convertro_cli.cluster import frames
from convertro_cli.cluster.bundles import Bundle, bundles_of
from convertro_cli.cluster.engine import Engine, EngineGoneError, open_engine
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.cluster.task import BundleProcessError
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.sources import find_exports
from tests.exports import write_export


class Task:
    """A task that is done the moment somebody waits for it; each time with another outcome."""

    def __init__(self, *outcomes: bytes | Exception) -> None:
        self.status = "finished"
        self._outcomes = list(outcomes)

    def add_done_callback(self, tell: Callable[[Any], object]) -> None:
        tell(self)

    def result(self, timeout: float) -> bytes:
        assert timeout > 0
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Cluster:
    """Stands in for the client of a cluster, where every task becomes the same."""

    def __init__(self, task: Task) -> None:
        self.status = "running"
        self.last_seen: dict[str, float] = {}
        self.submitted: list[tuple[str, Any]] = []
        self.scheduler = SimpleNamespace(identity=None)
        self._task = task

    def submit(self, *_: Any, key: str, workers: Any = None, **__: Any) -> Task:
        self.submitted.append((key.partition("-")[0], workers))
        return self._task

    def sync(self, _: object, *, callback_timeout: float) -> dict[str, Any]:
        assert callback_timeout > 0
        return {"workers": {name: {"last_seen": at} for name, at in self.last_seen.items()}}


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    write_export(tmp_path / "export.ndjson", 10)
    (found,) = bundles_of(find_exports([str(tmp_path)]))
    return found


def outcome_of(bundle: Bundle, *outcomes: bytes | Exception, status: str = "running") -> Any:
    """Submit a bundle, and take what becomes of it."""
    cluster = Cluster(Task(*outcomes))
    cluster.status = status
    engine = Engine(cast(Client, cluster), ClusterPlace("tcp://127.0.0.1:8786"))
    engine.submit(bundle)
    while (taken := engine.take(1)) is None:
        pass
    number, parts = taken
    return number, list(parts)


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (
            KilledWorker("a", cast(Any, SimpleNamespace(address="tcp://w:1")), 3),
            ("4 workers were lost that had it", "memory"),
            ExitCode.TRY_LATER,
        ),
        (
            BundleProcessError("killed by signal 9"),
            ("ended unexpectedly", "killed by signal 9", "memory"),
            ExitCode.TRY_LATER,
        ),
        (
            ModuleNotFoundError("No module named 'convertro_cli'"),
            ("cannot load convertro", "Install convertro"),
            ExitCode.USAGE,
        ),
        (
            MemoryError("no room\nfor it"),
            ("could not carry out a bundle: MemoryError: no room.", "logs of the workers"),
            ExitCode.TRY_LATER,
        ),
    ],
)
def test_what_ends_a_bundle_is_told_with_where_to_look(
    bundle: Bundle, error: Exception, words: tuple[str, ...], code: ExitCode
) -> None:
    """No traceback of another machine, and no word of Dask's own."""
    with pytest.raises(ConvertroError) as raised:
        outcome_of(bundle, error)
    told = f"{raised.value.message} {raised.value.hint}"
    assert all(word in told for word in words), told
    assert raised.value.exit_code == code


def test_a_result_on_a_worker_that_is_gone_is_waited_for(bundle: Bundle) -> None:
    """Dask has another worker carry the task out again; the ledger makes that harmless."""
    whole = frames.end()
    assert outcome_of(bundle, CommClosedError("gone"), TimeoutError(), whole) == (0, [])


@pytest.mark.parametrize("error", [CommClosedError("gone"), RuntimeError("cannot schedule")])
def test_whatever_is_said_once_the_scheduler_is_gone_means_just_that(
    bundle: Bundle, error: Exception
) -> None:
    """A client that closes says many things."""
    with pytest.raises(EngineGoneError):
        outcome_of(bundle, error, status="closed")


def test_what_is_begun_anew_goes_to_workers_that_were_heard_of(bundle: Bundle) -> None:
    """With what is to be done, which may lie on the one that sleeps; else to any."""
    cluster = Cluster(Task())
    engine = Engine(cast(Client, cluster), ClusterPlace("tcp://127.0.0.1:8786"))
    cluster.last_seen = {"tcp://a:1": 100.0, "tcp://b:1": 99.0, "tcp://c:1": 90.0}
    assert engine.some_sleep
    engine.begin_anew([bundle])
    awake = ["tcp://a:1", "tcp://b:1"]
    assert cluster.submitted == [("order", awake), ("bundle", awake)]
    cluster.last_seen["tcp://c:1"] = 98.0
    assert not engine.some_sleep
    engine.begin_anew([bundle])
    assert cluster.submitted[2:] == [("bundle", None)]


def test_of_many_workers_each_is_heard_of_more_seldom() -> None:
    """Dask spreads out what they say: of a thousand each speaks every six seconds."""
    cluster = Cluster(Task())
    engine = Engine(cast(Client, cluster), ClusterPlace("tcp://127.0.0.1:8786"))
    cluster.last_seen = {f"tcp://w:{n}": 100.0 + 6.0 * n / 999 for n in range(1_000)}
    assert not engine.some_sleep


def test_a_cluster_made_here_shows_nothing_over_http() -> None:
    """What Dask listens at besides its own connections has no page, for nobody asked for one."""
    with open_engine(ClusterPlace(processes=1), notice=lambda _: None) as engine:
        assert engine.threads == 1
        ours = psutil.Process()
        listening = {
            connection.laddr.port
            for process in (ours, *ours.children(recursive=True))
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        answers = [_status_of(port) for port in listening]
    assert 404 in answers
    assert set(answers) <= {404, None}


def _status_of(port: int) -> int | None:
    """Give the status of a page that Dask has, None where the port speaks no HTTP."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code
    except requests.RequestException:
        return None
