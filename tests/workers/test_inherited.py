"""A file that worker processes share: they inherit its descriptor, and it outlives nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from convertro_cli.workers.frames import pack
from convertro_cli.workers.pool import run_in_order
from tests.privacy.listing import list_of_all
from tests.workers.jobs import LookUp, double

LISTED = [f"user {number}" for number in range(5_000)]


@pytest.mark.parametrize("workers", [1, 3])
def test_every_process_looks_up_in_the_same_list(workers: int) -> None:
    """In this process or in others, each id is found that is on the list, and no other."""
    batches = [[f"user {number}", f"other {number}"] for number in range(0, 6_000, 100)]
    suppressed = list_of_all(LISTED)
    processes = set()
    for batch, (process, found) in run_in_order(LookUp(suppressed), batches, workers=workers):
        processes.add(process)
        assert found == [user_id for user_id in batch if user_id in LISTED]
    assert (os.getpid() in processes) == (workers == 1)
    assert "user 7" in suppressed  # and it is still there for the next run


def test_a_job_says_which_descriptors_its_workers_need() -> None:
    """Each file that is in it, however deep; most jobs have none."""
    one, other = list_of_all(["u1"]), list_of_all(["u2"])
    descriptors = [one._file.fileno(), other._file.fileno()]
    assert pack({"rules": [LookUp(one), (LookUp(other),)]})[1] == descriptors
    assert pack(double)[1] == []


_WITHOUT_INPUT = """
from convertro_cli.workers.pool import run_in_order
from tests.privacy.listing import list_of_all
from tests.workers.jobs import LookUp
if __name__ == "__main__":
    suppressed = list_of_all(["u1"])
    results = run_in_order(LookUp(suppressed), [["u1", "u2"]] * 5, workers=2)
    assert [found for _, (_, found) in results] == [["u1"]] * 5
"""


def test_it_works_where_standard_input_is_closed() -> None:
    """The file must not have the number of a stream that a worker has replaced."""
    root = str(Path(__file__).parent.parent.parent)
    ended = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" <&-', sys.executable, _WITHOUT_INPUT],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
