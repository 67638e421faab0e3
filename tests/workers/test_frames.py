"""What is sent over a pipe arrives as it was, and what is large crosses beside its pickle."""

from __future__ import annotations

import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.joined import joined
from convertro_cli.workers.frames import receive, send

BATCHES = st.builds(
    LineBatch,
    st.integers(0, 9),
    st.text(max_size=9),
    st.integers(1, 9),
    st.binary(max_size=99),
    st.integers(0, 99),
    items=st.just(()) | st.just(((3, None), (4, 0))),
    is_followed=st.booleans(),
)


def over_a_pipe(value: object) -> tuple[object, bytes]:
    """Send an object; give what arrives, and the bytes that crossed."""
    pipe = io.BytesIO()
    send(pipe, value)
    pipe.seek(0)
    return receive(pipe), pipe.getvalue()


@given(st.lists(BATCHES | st.integers() | st.text(max_size=9), max_size=4))
def test_what_is_sent_arrives_as_it_was(values: list[object]) -> None:
    """Whatever is in a list, the batches in it among the rest, each with its own lines."""
    arrived, _ = over_a_pipe(values)

    assert arrived == values
    assert pickle.loads(pickle.dumps(values, pickle.HIGHEST_PROTOCOL)) == values, (
        "and where nothing can be left out"
    )


@pytest.mark.parametrize("is_joined", [False, True])
def test_the_lines_of_a_batch_cross_beside_its_pickle_once(is_joined: bool) -> None:
    """They are nearly all of it, and in the pickle they would be copied with it."""
    lines = b'{"type":"page"}\n' * 1000
    batch = LineBatch(0, "export.ndjson", 1, lines, 0)

    arrived, crossed = over_a_pipe(joined([batch, batch]) if is_joined else batch)

    assert isinstance(arrived, LineBatch)
    expected = lines * (1 + is_joined)
    assert type(arrived.data) is bytes
    assert arrived.data == expected
    assert crossed.endswith(expected)
    assert len(crossed) < len(expected) + 400


@given(st.data())
def test_the_end_of_a_pipe_within_an_object_is_told(data: st.DataObject) -> None:
    """As when a process is killed while it writes: what has come of it is never taken for all."""
    _, crossed = over_a_pipe(LineBatch(0, "export.ndjson", 1, b"{}\n" * 20, 0))
    end = data.draw(st.integers(0, len(crossed) - 1))

    with pytest.raises(EOFError):
        receive(io.BytesIO(crossed[:end]))
