"""Blocks become batches of whole lines, however the blocks are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convertro_cli.reading import cutting
from convertro_cli.reading.cutting import Cut, Cutter

KEPT = 12


def cut_up(data: bytes, places: list[int]) -> list[Cut]:
    """All cuts of the data when it arrives in blocks that end at these places."""
    cutter = Cutter()
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    cuts = [cut for start, end in pairwise(ends) for cut in cutter.feed(data[start:end])]
    return [*cuts, cutter.finish()]


def lines_of(cuts: list[Cut]) -> list[tuple[int, bytes, int]]:
    """Each line's number, its bytes as far as kept, and its length."""
    found = []
    for cut in cuts:
        if cut.overlong:
            found.append((cut.first_line, cut.data, cut.overlong))
            continue
        lines = cut.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        found += [(cut.first_line + n, line, len(line)) for n, line in enumerate(lines)]
    return found


@given(
    st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=12),
    st.booleans(),
    st.lists(st.integers(0, 500), max_size=20),
)
@example([b"x" * KEPT, b"y" * (KEPT + 1)], True, [KEPT, KEPT + 1, KEPT + 2])
@example([b"x" * (KEPT + 1)], False, [KEPT])
def test_each_line_comes_out_once_with_its_number_and_length(
    lines: list[bytes], ended: bool, places: list[int]
) -> None:
    """Any lines in any blocks come out in order, whole up to the kept length and cut beyond it."""
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "KEPT_LINE", KEPT)
        cuts = cut_up(data, places)
    # A block that holds a long line whole may hand it on whole.
    assert [(number, line[:KEPT], length) for number, line, length in lines_of(cuts)] == [
        (number, line[:KEPT], len(line)) for number, line in enumerate(expected, 1)
    ]


@given(st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=20))
def test_the_cuts_join_to_the_data(data: bytes, places: list[int]) -> None:
    """Nothing is lost or added, and only the last cut may lack its newline."""
    cuts = cut_up(data, places)
    assert b"".join(cut.data for cut in cuts) == data
    assert all(cut.data.endswith(b"\n") for cut in cuts[:-1])


def test_a_line_of_exactly_the_kept_length_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit belongs to the lines that are kept, and the newline does not count."""
    monkeypatch.setattr(cutting, "KEPT_LINE", KEPT)
    line = b"x" * KEPT
    assert cut_up(line + b"\nz\n", [KEPT - 1, KEPT, KEPT + 1])[0] == Cut(1, line + b"\n")


def test_the_rest_of_an_overlong_line_is_counted_and_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An overlong line is one cut of its own, and the lines around it keep their numbers."""
    monkeypatch.setattr(cutting, "KEPT_LINE", KEPT)
    data = b"a\n" + b"x" * 50 + b"\nb\n"
    assert cut_up(data, list(range(0, 56, 5))) == [
        Cut(1, b"a\n"),
        Cut(2, b"x" * KEPT, overlong=50),
        Cut(3, b"b\n"),
        Cut(4, b""),
    ]


def test_a_last_line_may_be_overlong(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a file an overlong line needs no newline to be told."""
    monkeypatch.setattr(cutting, "KEPT_LINE", KEPT)
    assert cut_up(b"x" * 50, [5, 20, 30]) == [Cut(1, b"x" * KEPT, overlong=50)]
