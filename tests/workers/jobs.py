"""Jobs that worker processes do in the tests."""

from __future__ import annotations

import os
import signal
import sys
import time

from convertro_cli.privacy.suppression_list import SuppressionList


def double(batch: list[int]) -> list[int]:
    """Twice each number."""
    return [number * 2 for number in batch]


def dawdle(batch: int) -> int:
    """The batch itself, sooner or later."""
    time.sleep((batch * 7919 % 5) / 1000)
    return batch


def who(_: int) -> int:
    """The process that did it."""
    return os.getpid()


def chatter(batch: int) -> int:
    """The batch, with words to everybody."""
    print("on standard output")
    sys.stdout.flush()
    os.write(1, b"on descriptor 1\n")
    return batch


def die(batch: int) -> int:
    """Nothing, for batch 13: the process is gone."""
    if batch == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return batch


def fail(batch: int) -> int:
    """Nothing, for batch 13: the job raises."""
    if batch == 13:
        raise ValueError("thirteen")
    return batch


class LookUp:
    """Looks ids up in a suppression list that all the processes share."""

    def __init__(self, suppressed: SuppressionList) -> None:
        self.suppressed = suppressed

    def __call__(self, ids: list[str]) -> tuple[int, list[str]]:
        """The process that did it, and those of the ids that are on the list."""
        return os.getpid(), [user_id for user_id in ids if user_id in self.suppressed]
