"""Requests beside each other: how many, in which threads, and what becomes of their answers."""

from __future__ import annotations

import threading

import pytest

from convertro_cli.storage.requests import Requests


def test_up_to_32_requests_are_under_way_at_once() -> None:
    """And each is made: those that have to wait, in the order they came."""
    everybody = threading.Barrier(33)
    let_go = threading.Event()
    made: list[int] = []

    def first(number: int) -> int:
        everybody.wait(30)
        let_go.wait(30)
        return number

    def later(number: int) -> int:
        made.append(number)
        return number

    requests = Requests()
    answers = [requests.submit(first, number) for number in range(32)]
    answers += [requests.submit(later, number) for number in range(32, 40)]
    everybody.wait(30)  # so 32 are under way, and this is the 33rd that came
    assert made == []
    let_go.set()
    assert [answer.result() for answer in answers] == [*range(40)]
    assert sorted(made) == [*range(32, 40)]


def test_one_request_after_another_is_made_by_a_thread_or_two() -> None:
    """However many there are: the one that has waited least is asked first.

    It may not wait yet when its answer is there already.
    """
    requests = Requests()
    start = threading.Barrier(33)
    for answer in [requests.submit(start.wait) for _ in range(32)] + [start.wait(30)]:
        assert isinstance(answer, int) or answer.result() >= 0
    threads = [requests.submit(threading.get_ident).result() for _ in range(1_000)]
    assert len(set(threads[100:])) < 8


def test_what_a_request_raises_is_raised_where_its_answer_is_wanted() -> None:
    """Each time it is asked for; and the thread goes on."""
    requests = Requests()
    wrong = requests.submit(int, "x")
    right = requests.submit(int, "1")
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            wrong.result()
    assert right.result() == right.result() == 1


def test_a_request_that_nobody_wants_any_more_is_not_made() -> None:
    """A run that is over asks the other side for nothing."""
    requests = Requests()
    let_go, made = threading.Event(), threading.Event()
    under_way = [requests.submit(let_go.wait, 30) for _ in range(32)]
    requests.submit(made.set).cancel()
    let_go.set()
    assert all(answer.result() for answer in under_way)
    assert requests.submit(made.is_set).result() is False
