"""The calls of a run that came before: all of them, and no others, however many."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.key_file import KeyFile
from convertro_cli.record.message_ids import MessageIds
from convertro_cli.record.seen_calls import SeenCalls

KEYS = st.binary(min_size=14, max_size=14).map(lambda some: some + b"\0\0") | st.sampled_from(
    [bytes(16), b"\0" * 15 + b"\x80", b"\xff" * 16, b"a" * 16, b"a" * 8 + b"b" * 8, b"b" * 16]
)


def last_bit_aside(key: bytes) -> bytes:
    """A key without the two bits of its second half that are not looked at."""
    return key[:8] + bytes([key[8] & 0xFC]) + key[9:]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(KEYS, st.booleans()), max_size=40), st.sampled_from([0, 3, 1000]))
def test_a_call_is_known_from_its_first_time_on(calls: list[tuple[bytes, bool]], most: int) -> None:
    """With whether it failed then, whether it lies in memory or in the file."""
    seen = SeenCalls(most)
    known: dict[bytes, bool] = {}
    for key, failed in calls:
        before = known.get(last_bit_aside(key))
        assert seen.find(key) is before
        assert seen.add(key, failed=failed) is before
        known.setdefault(last_bit_aside(key), failed)
    for key, _ in calls:
        assert seen.find(key) is known[last_bit_aside(key)]


@settings(max_examples=50, deadline=None)
@given(st.lists(KEYS, max_size=40), st.sampled_from([0, 3, 1000]))
def test_a_batch_is_taken_in_at_once(keys: list[bytes], most: int) -> None:
    """The same as one by one: the indexes of those that came before."""
    one_by_one, at_once = SeenCalls(most), SeenCalls(most)
    one_by_one.add(b"a" * 16, failed=True)
    at_once.add(b"a" * 16, failed=True)
    wanted = [(index, one_by_one.add(key)) for index, key in enumerate(keys)]
    assert at_once.add_all(b"".join(keys)) == [one for one in wanted if one[1] is not None]


def test_a_full_bucket_divides() -> None:
    """The file grows with the keys, and knows all of them."""
    keys = KeyFile(buckets=1)
    words = [(number * 0x9E3779B97F4A7C15 % 2**64, number << 2 | 2) for number in range(3000)]
    for first, second in words:
        assert keys.add(first, second, failed=False) is None
    assert all(keys.find(first, second) is False for first, second in words)
    assert all(keys.find(first, second ^ 4) is None for first, second in words[::2])


@pytest.mark.parametrize("do", ["find", "add"])
def test_a_temporary_file_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    """A full disk ends the dry run with a sentence and what to do."""

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    keys = KeyFile()
    monkeypatch.setattr("os.pread", fail)
    calls: dict[str, Callable[[], object]] = {
        "find": lambda: keys.find(1, 2),
        "add": lambda: keys.add(1, 2, failed=False),
    }
    with pytest.raises(ConvertroError, match="No space left") as raised:
        calls[do]()
    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert "TMPDIR" in str(raised.value.hint)


# --- message ids


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from("xyz")), max_size=20)
)
def test_an_id_is_shared_with_a_different_first_message(messages: list[tuple[str, str]]) -> None:
    """A message without an id shares none, and a copy of the first one is no other message."""
    ids = MessageIds()
    first: dict[str, str] = {}
    for number, (message_id, text) in enumerate(messages):
        shared = message_id is not None and first.setdefault(message_id, text) != text
        assert ids.find_shared([(number, hash(message_id or 0), hash(text))]) == [number] * shared


def test_further_ids_are_not_kept() -> None:
    """Where there is no room, an id is looked up all the same, but not remembered."""
    ids = MessageIds(most=1)
    one, other = hash("one"), hash("other")
    assert not ids.find_shared([(1, one, 1), (2, other, 1), (3, other, 2)])
    assert ids.find_shared([(4, one, 2), (5, one, 1)]) == [4]
