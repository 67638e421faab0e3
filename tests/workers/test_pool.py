"""Work on several processes: the same results, in the same order, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are no dependency
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.lines import read_batches
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import load_settings
from convertro_cli.workers.pool import run_in_order
from tests.exports import BENCH_SETTINGS, write_export
from tests.workers import jobs

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 20.0


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)


def children() -> list[int]:
    return [child.pid for child in psutil.Process().children()]


@pytest.fixture(autouse=True)
def _no_process_left() -> Iterator[None]:
    before = children()
    yield
    assert children() == before


@given(st.lists(st.lists(st.integers(), max_size=4), max_size=20))
@settings(max_examples=6, deadline=None)
def test_results_come_in_order_whatever_the_number_of_workers(batches: list[list[int]]) -> None:
    """One process or three give each batch with its own result, in the order of the batches."""
    alone = list(run_in_order(jobs.double, batches, workers=1))
    together = list(run_in_order(jobs.double, batches, workers=3))

    assert alone == together == [(batch, jobs.double(batch)) for batch in batches]


def test_the_order_is_kept_when_batches_take_their_time() -> None:
    """A batch that is done first waits for those before it."""
    results = run_in_order(jobs.dawdle, range(100), workers=4)

    assert [result for _, result in results] == list(range(100))


def test_one_worker_is_this_process_and_several_are_not() -> None:
    """With one there is no process to start; with three there are up to three, and not this."""
    assert {result for _, result in run_in_order(jobs.who, range(9), workers=1)} == {os.getpid()}

    others = {result for _, result in run_in_order(jobs.who, range(90), workers=3)}
    assert 1 <= len(others) <= 3
    assert os.getpid() not in others


def test_only_a_few_batches_are_read_ahead() -> None:
    """The input is drawn as results are taken, so memory does not grow with it."""
    drawn = 0

    def batches() -> Iterator[int]:
        nonlocal drawn
        while True:
            drawn += 1
            yield drawn

    results = run_in_order(jobs.dawdle, batches(), workers=2)
    for taken in range(1, 50):
        next(results)
        assert drawn <= taken + 2 * 2
    results.close()  # type: ignore[attr-defined]


def test_what_a_job_prints_does_not_spoil_results(capfd: pytest.CaptureFixture[str]) -> None:
    """A stray print goes to standard error; results, and this program's output, stay clean."""
    results = list(run_in_order(jobs.chatter, range(5), workers=2))

    assert [result for _, result in results] == list(range(5))
    output, errors = capfd.readouterr()
    assert output == ""
    assert "on descriptor 1" in errors


@pytest.mark.parametrize(
    ("job", "said"), [(jobs.die, "killed by signal 9"), (jobs.fail, "exit code 1")]
)
def test_a_worker_that_dies_ends_the_run_with_a_sentence(
    job: Callable[[int], int], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What came before it is given, then an error that says what to do; no worker is left."""
    taken: list[int] = []
    with pytest.raises(ConvertroError, match=said) as raised:
        taken.extend(result for _, result in run_in_order(job, range(100), workers=2))

    assert taken == list(range(13))
    assert raised.value.exit_code is ExitCode.TRY_LATER
    assert "--workers 1" in (raised.value.hint or "")
    capfd.readouterr()


def test_an_error_of_the_input_ends_the_workers() -> None:
    """When reading fails, the error comes out as it is."""

    def batches() -> Iterator[int]:
        yield from range(3)
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        list(run_in_order(jobs.dawdle, batches(), workers=2))


def test_whoever_takes_no_more_ends_the_workers() -> None:
    """A run that is interrupted leaves no process behind."""
    results = run_in_order(jobs.dawdle, range(1000), workers=3)
    next(results)
    assert len(children()) >= 3

    results.close()  # type: ignore[attr-defined]


_IDLE_PARENT = """
import sys
from tests.workers import jobs
from convertro_cli.workers.pool import run_in_order
results = run_in_order(jobs.who, range(10**9), workers=2)
pids = {next(results)[1] for _ in range(50)}
for pid in pids:
    open(sys.argv[1] + f"/{pid}", "w").close()
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_idle_workers_end_with_the_process_that_started_them(
    tmp_path: Path, how: signal.Signals
) -> None:
    """Even when that is killed, workers are gone, by themselves, at once."""
    parent = start(_IDLE_PARENT, tmp_path)
    wait_until(lambda: any(tmp_path.iterdir()))
    workers = [child.pid for child in psutil.Process(parent.pid).children()]
    assert len(workers) == 2

    parent.send_signal(how)
    parent.wait(PATIENCE)

    wait_until(lambda: not any(is_running(pid) for pid in workers))
    close(parent)


def test_a_terminals_interrupt_does_not_reach_the_workers(tmp_path: Path) -> None:
    """Ctrl-C goes to all processes of a terminal; the workers are in a session of their own."""
    parent = start(_IDLE_PARENT, tmp_path)
    wait_until(lambda: any(tmp_path.iterdir()))
    for child in psutil.Process(parent.pid).children():
        assert os.getsid(child.pid) == child.pid
        for number in (signal.SIGINT, signal.SIGTERM):
            child.send_signal(number)
    assert parent.poll() is None
    assert len(psutil.Process(parent.pid).children()) == 2

    parent.kill()
    parent.wait(PATIENCE)
    close(parent)


def start(program: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_module_beside_the_export_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers start in the user's folder, and run no Python file that lies there."""
    for name in ("orjson.py", "pickle.py", "convertro_cli.py", "struct.py"):
        (tmp_path / name).write_text("raise SystemExit('taken from the wrong place')\n")
    monkeypatch.chdir(tmp_path)

    assert [r for _, r in run_in_order(jobs.double, [[1], [2]], workers=2)] == [[2], [4]]


# --- the real jobs


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An export of a few batches, and settings for it."""
    folder = tmp_path_factory.mktemp("workers")
    write_export(folder / "export.ndjson", 4000, share_sent=0.5)
    with (folder / "export.ndjson").open("ab") as stream:
        stream.write(b"no json\n\xff\xfe\n\n[]\n{}\n")
    (folder / "convertro.toml").write_text(BENCH_SETTINGS)
    return folder / "export.ndjson", folder / "convertro.toml"


def test_a_dry_run_is_the_same_to_the_byte_with_any_number_of_workers(
    export: tuple[Path, Path],
) -> None:
    """``--workers 1`` and ``--workers 4`` write the same lines."""
    path, settings_file = export
    rules = compile_rules(load_settings(settings_file, environ={}).settings, Selection())
    file = ExportFile("export.ndjson", path, path.stat().st_size)

    outputs = []
    for workers in (1, 4):
        job = DryRunJob(rules, include_skipped=True)
        mapped = run_in_order(job, read_batches([file]), workers=workers)
        outputs.append(b"".join(result.output for _, result in mapped))

    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"\n") > 4000


def test_a_replay_gets_the_same_calls_with_any_number_of_workers(export: tuple[Path, Path]) -> None:
    """Keys, URLs, places and counts survive the way between processes."""
    path, settings_file = export
    rules = compile_rules(load_settings(settings_file, environ={}).settings, Selection())
    file = ExportFile("export.ndjson", path, path.stat().st_size)

    results = [
        list(run_in_order(ReplayJob(rules), read_batches([file]), workers=workers))
        for workers in (1, 2)
    ]

    assert len(results[0]) > 5
    assert results[0] == results[1]
