"""Input in the background: a few items ahead, errors in their place, an end when told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.run.read_ahead import ReadAhead

PATIENCE = 10.0


def take_all(feed: ReadAhead[int]) -> list[int]:
    taken: list[int] = []
    until = time.monotonic() + PATIENCE
    while not feed.is_finished:
        assert time.monotonic() < until
        item = feed.take(0.05)
        if item is not None:
            taken.append(item)
    return taken


@given(st.lists(st.integers()), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_every_item_comes_once_and_in_order(items: list[int], ahead: int) -> None:
    """What the iterator gives is what is taken, however little it may run ahead."""
    feed = ReadAhead(iter(items), ahead=ahead)
    feed.start()

    assert take_all(feed) == items
    feed.stop()


def test_no_more_than_a_few_items_are_got_ready() -> None:
    """While nothing is taken the iterator stands still, so memory does not grow."""
    drawn = threading.Semaphore(0)
    count = 0

    def items() -> Iterator[int]:
        nonlocal count
        while True:
            count += 1
            drawn.release()
            yield count

    feed = ReadAhead(items(), ahead=3)
    feed.start()
    for _ in range(4):  # three wait, and a fourth is held out
        assert drawn.acquire(timeout=PATIENCE)
    assert not drawn.acquire(timeout=0.15)

    assert feed.take(1) == 1
    assert drawn.acquire(timeout=PATIENCE)
    assert count == 5
    feed.stop()


def test_an_error_comes_after_the_items_before_it() -> None:
    """What was read before an error is used; then it is raised, once, where it is waited for."""

    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise ValueError("damaged")

    feed = ReadAhead(items())
    feed.start()

    assert [feed.take(PATIENCE) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="damaged"):
        take_all(feed)
    assert feed.is_finished
    assert feed.take(0) is None
    feed.stop()


def test_an_error_keeps_a_feed_from_being_finished() -> None:
    """Until it was raised, an error is something that is still to come."""

    def items() -> Iterator[int]:
        raise ValueError("damaged")
        yield 1

    feed = ReadAhead(items())
    feed.start()
    feed._thread.join(PATIENCE)

    assert not feed.is_finished
    with pytest.raises(ValueError, match="damaged"):
        feed.take(0)
    assert feed.is_finished


def test_nothing_yet_is_none_within_the_time() -> None:
    """Where the input keeps waiting, whoever takes does not wait longer than it wants."""
    released = threading.Event()

    def items() -> Iterator[int]:
        released.wait(PATIENCE)
        yield 7

    feed = ReadAhead(items())
    feed.start()
    started = time.monotonic()
    assert feed.take(0) is None
    assert feed.take(0.05) is None
    assert 0.04 < time.monotonic() - started < 2
    assert not feed.is_finished

    released.set()
    assert feed.take(PATIENCE) == 7
    feed.stop()


def test_stopping_closes_the_iterator() -> None:
    """What the iterator holds open is closed when nothing more is wanted."""
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    feed = ReadAhead(items())
    feed.start()
    assert feed.take(PATIENCE) == 1

    feed.stop()

    assert closed.wait(PATIENCE)
    feed._thread.join(PATIENCE)
    assert not feed._thread.is_alive()


def test_stopping_does_not_wait_for_input_that_never_comes() -> None:
    """A pipe without a writer's word does not hold up the end."""
    released = threading.Event()

    def items() -> Iterator[int]:
        released.wait(PATIENCE)
        yield 1

    feed = ReadAhead(items())
    feed.start()
    started = time.monotonic()
    feed.stop()

    assert time.monotonic() - started < 3
    released.set()
    feed._thread.join(PATIENCE)
