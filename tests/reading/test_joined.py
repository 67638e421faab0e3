"""Small batches as one: every line keeps the place that it has in its own file."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.joined import JoinedBatch, joined, parts_of

LINES = st.lists(st.sampled_from([b"a", b"", b" ", b"bcd"]), max_size=4)


@st.composite
def batches(draw: st.DrawFn) -> LineBatch:
    """A batch anywhere in a file, whose last line may lack its newline; or items of an array."""
    lines = draw(LINES)
    data = b"".join(line + b"\n" for line in lines)
    if draw(st.booleans()):
        data = data.removesuffix(b"\n")
    count = len(data.removesuffix(b"\n").split(b"\n")) if data else 0
    items = tuple((7, index) for index in range(count)) if draw(st.booleans()) else ()
    name = draw(st.sampled_from(["a", "b:1", "s3://b/c"]))
    return LineBatch(draw(st.integers(0, 9)), name, draw(st.integers(1, 99)), data, 0, items=items)


def places(batch: LineBatch) -> list[tuple[bytes, str]]:
    """The lines that are not blank, as those who map a batch count them, with their places."""
    numbered = enumerate(batch.data.split(b"\n"), batch.first_line)
    return [(line, batch.place(number)) for number, line in numbered if line.strip()]


@given(st.lists(batches(), min_size=1, max_size=5))
def test_every_line_keeps_its_place(parts: list[LineBatch]) -> None:
    """Also in a worker process, which is given each line once."""
    whole = joined(parts)
    expected = [each for part in parts for each in places(part)]
    assert places(whole) == expected
    assert list(parts_of(whole)) == parts
    assert places(pickle.loads(pickle.dumps(whole, pickle.HIGHEST_PROTOCOL))) == expected


@given(st.lists(batches(), min_size=1, max_size=5))
def test_a_line_by_itself_keeps_its_place(parts: list[LineBatch]) -> None:
    """As one of a joined batch and as one of its own, for who looks at it again."""
    whole = joined(parts)
    alone, start = [], 0
    for number, line in enumerate(whole.data.split(b"\n"), whole.first_line):
        if line.strip():
            one = whole.only(number, start, start + len(line))
            alone += places(one)
        start += len(line) + 1
    assert alone == [each for part in parts for each in places(part)]


def test_lines_cross_to_a_worker_once() -> None:
    """The batches that one was joined of stay behind, but for the places."""
    parts = [LineBatch(number, "a", 1, b"x" * 9_999 + b"\n", 0) for number in range(5)]
    whole = joined(parts)
    assert isinstance(whole, JoinedBatch)
    assert len(pickle.dumps(whole, pickle.HIGHEST_PROTOCOL)) < 51_000
