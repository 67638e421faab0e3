"""The process of a bundle, as a worker's task starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

from convertro_cli.cluster import frames, task
from convertro_cli.cluster.bundles import Bundle, bundles_of
from convertro_cli.cluster.orders import LookOrder
from convertro_cli.cluster.parcel import pack
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.batch import LineBatch, without_lines
from convertro_cli.reading.sources import find_exports
from tests.cluster.jobs import CountLines, EndBySignal, Refuse, WaitForever, hash_of_word
from tests.exports import write_export
from tests.system.program import wait_until


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    write_export(tmp_path / "export.ndjson", 1_000)
    (found,) = bundles_of(find_exports([str(tmp_path)]))
    return found


def carry_out(job: Callable[[LineBatch], Any], bundle: Bundle, seed: int = 1) -> Iterator[Any]:
    order = LookOrder(job, without_lines)
    content = task.carry_out(pack(order), pack(bundle), seed, task.this_program())
    return frames.parts_in(content)


def test_a_bundle_comes_back_as_batches_with_results(bundle: Bundle) -> None:
    """Every line is in some batch, and its place is that of a run that reads it here."""
    batches, counts = zip(*carry_out(CountLines(), bundle), strict=True)
    assert sum(map(sum, counts)) == 1_000
    first = batches[0][0]
    assert first.place(1) == f"{bundle.files[0].name}:1"
    assert first.data == b"-"


def test_all_processes_have_the_hashes_of_one_seed(bundle: Bundle) -> None:
    """Repeats over bundles are found by Python's hashes, None's included before 3.12."""
    found = [
        {result for _, results in carry_out(hash_of_word, bundle, seed) for result in results}
        for seed in (5, 5, 6)
    ]
    assert len(found[0]) == 1
    assert found[0] == found[1] != found[2]


def test_what_can_be_told_in_a_sentence_comes_back_as_that(bundle: Bundle) -> None:
    """The driver raises it as if it had happened there."""
    with pytest.raises(ConvertroError, match="a sentence") as raised:
        list(carry_out(Refuse(), bundle))
    assert (raised.value.hint, raised.value.exit_code) == ("a hint", ExitCode.UNREADABLE_EXPORT)


def test_another_version_is_refused_before_anything_is_done(bundle: Bundle) -> None:
    """Orders are for the same program and the same Python."""
    content = task.carry_out(b"", b"", 1, "convertro 0.0.1 on Python 3.11")
    with pytest.raises(ConvertroError, match=r"convertro 0\.0\.1 on Python 3\.11"):
        list(frames.parts_in(content))


def test_a_process_that_is_killed_is_no_result(bundle: Bundle) -> None:
    """The engine tries again; half of a result is never taken for all of it."""
    with pytest.raises(task.BundleProcessError, match="signal 9"):
        carry_out(EndBySignal(signal.SIGKILL), bundle)


def test_a_process_ends_with_the_worker_that_started_it(bundle: Bundle, tmp_path: Path) -> None:
    """Not even kill -9 of a worker leaves one behind."""
    parcel, note = tmp_path / "parcel", tmp_path / "pid"
    parcel.write_bytes(pack((LookOrder(WaitForever(note), without_lines), bundle)))
    program = (
        "import sys; from pathlib import Path\n"
        "from convertro_cli.cluster import task\n"
        "from convertro_cli.cluster.parcel import pack, unpack\n"
        "order, bundle = unpack(Path(sys.argv[1]).read_bytes())\n"
        "task.carry_out(pack(order), pack(bundle), 1, task.this_program())"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, parcel])
    wait_until(lambda: note.exists() and note.read_text(), "a process at work")
    worker.kill()
    worker.wait()
    child = int(note.read_text())
    wait_until(lambda: not is_running(child), "end of the process")
    assert not is_running(child)


def test_a_task_that_is_not_wanted_any_more_ends_its_process(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask itself lets a running task run on after it was cancelled."""
    note, unwanted = tmp_path / "pid", threading.Event()
    monkeypatch.setattr(task, "_watch", lambda: unwanted.is_set)

    def cancel() -> None:
        wait_until(lambda: note.exists() and note.read_text(), "a process at work")
        unwanted.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(task.BundleProcessError, match=f"signal {int(signal.SIGTERM)}"):
        carry_out(WaitForever(note), bundle)
    thread.join()
    assert not is_running(int(note.read_text()))


def is_running(process: int) -> bool:
    """Whether there is such a process; one that nobody has waited for has ended."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
