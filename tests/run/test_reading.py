"""The way through exports, over real files."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from convertro_cli.errors import ExitCode
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.export_set import ExportFile, ExportSet
from convertro_cli.run.progress import NobodyWatches
from convertro_cli.run.reading import Batches, Reading, choose_workers

MESSAGE = b'{"type":"x"}\n'


def count_lines(batch: LineBatch) -> int:
    """A job for the tests."""
    return batch.data.count(b"\n")


def exports(folder: Path, *contents: bytes) -> ExportSet:
    files = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.ndjson"
        path.write_bytes(content)
        files.append(ExportFile(path.name, path, len(content)))
    return ExportSet(tuple(files))


def take_all(batches: Batches[int]) -> list[tuple[LineBatch, int]]:
    taken = []
    while not batches.is_finished:
        item = batches.take(0.05)
        if item is not None:
            taken.append(item)
    return taken


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_come_with_their_results_in_the_order_of_the_files(
    tmp_path: Path, workers: int
) -> None:
    """Every line of every file is mapped once, the files one after the other."""
    files = exports(tmp_path, MESSAGE * 300_000, b"", MESSAGE * 2)
    reading = Reading(files, NobodyWatches(), workers=workers)
    with reading, reading.batches(count_lines) as batches:
        taken = take_all(batches)

    assert [batch.file for batch, _ in taken] == sorted(batch.file for batch, _ in taken)
    assert sum(result for _, result in taken) == 300_002
    assert all(result == batch.data.count(b"\n") for batch, result in taken)
    assert [batch.file for batch, _ in taken if batch.end is not None] == [0, 1, 2]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_end_before_the_end_leaves_nothing_open(tmp_path: Path, workers: int) -> None:
    """Who wants no more leaves, and the rest of a large input is not read."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    files = exports(tmp_path, MESSAGE * 2_000_000)
    reading = Reading(files, NobodyWatches(), workers=workers)
    with reading, reading.batches(count_lines) as batches:
        assert batches.take(10) is not None
        assert not batches.is_finished

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_each_batch_is_followed_and_counted(tmp_path: Path) -> None:
    """Whoever iterates has the bytes and files counted, and is told that nothing is left."""
    with Reading(exports(tmp_path, MESSAGE * 3, MESSAGE), NobodyWatches()) as reading:
        lines = sum(result for _, result in reading.each(count_lines))
    assert lines == 4
    assert reading.is_finished
    assert (reading.tally.bytes_read, reading.tally.files["read"]) == (4 * len(MESSAGE), 2)
    assert (reading.exit_code, reading.is_interrupted) == (ExitCode.OK, False)


def test_an_interrupt_ends_it_after_the_batch_at_hand(tmp_path: Path) -> None:
    """What was read stays counted, and the exit code is the signal's."""
    with Reading(exports(tmp_path, MESSAGE, MESSAGE), NobodyWatches()) as reading:
        for _ in reading.each(count_lines):
            os.kill(os.getpid(), signal.SIGTERM)
    assert reading.is_interrupted
    assert not reading.is_finished
    assert reading.exit_code == ExitCode.TERMINATED
    assert reading.tally.files["read"] == 1


def test_a_limit_takes_one_process() -> None:
    """It counts messages in the order of the export, so no other process may be ahead."""
    assert choose_workers(7, 1 << 40, limit=1) == 1
    assert choose_workers(None, None, limit=1) == 1


@pytest.mark.parametrize(
    ("wanted", "total", "chosen"),
    [
        (1, None, 1),
        (7, 10, 7),
        (3, 1 << 40, 3),
        (None, 0, 1),
        (None, 1 << 20, 1),
        (None, 1 << 30, min(4, len(os.sched_getaffinity(0)))),
        (None, None, min(4, len(os.sched_getaffinity(0)))),
    ],
)
def test_workers_are_as_many_as_wanted_or_worth_it(
    wanted: int | None, total: int | None, chosen: int
) -> None:
    """A number is taken as it is; else small inputs get one and large ones one for each core."""
    assert choose_workers(wanted, total) == chosen
