"""Small batches are handed on together, and never wait for one that may not come."""

from __future__ import annotations

from collections.abc import Iterator

from convertro_cli.reading.batch import LineBatch
from convertro_cli.workers.groups import Each, grouped


def batch(size: int, *, followed: bool = True) -> LineBatch:
    return LineBatch(0, "x", 1, b"x" * size, 0, is_followed=followed)


def sizes(batches: list[LineBatch]) -> list[list[int]]:
    return [[len(each.data) for each in group] for group in grouped(batches)]


def test_small_batches_go_together_up_to_a_size_and_a_number() -> None:
    """A large one is a group of its own, or the end of one."""
    assert sizes([batch(10)] * 3) == [[10] * 3]
    assert sizes([batch(1)] * 130) == [[1] * 64, [1] * 64, [1] * 2]
    assert sizes([batch(10), batch(300_000), batch(10)]) == [[10, 300_000], [10]]


def test_the_beginning_of_an_overlong_line_is_alone() -> None:
    """It is no whole line, which others could follow in one batch."""
    long = LineBatch(0, "x", 1, b"x" * 300_000, 0, overlong=9_000_000, is_followed=True)
    assert sizes([batch(10), long, batch(10)]) == [[10], [300_000], [10]]


def test_a_group_does_not_wait_for_what_is_not_there_yet() -> None:
    """What comes from a pipe may come much later."""

    def slow() -> Iterator[LineBatch]:
        yield batch(1)
        yield batch(2, followed=False)
        raise AssertionError("asked for more before the group was handed on")

    assert [len(each.data) for each in next(grouped(slow()))] == [1, 2]


def test_a_job_is_done_for_each_of_a_group() -> None:
    """With the results in their order."""
    job = Each(lambda each: len(each.data))
    assert job([batch(3), batch(1)]) == [3, 1]
