"""Files that are JSON arrays are cut into their items: the same bytes, each with its place."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.reading.arrays import ArrayCutter, begins_array
from convertro_cli.reading.cutting import KEPT_LINE, Cut
from convertro_cli.reading.damage import DamagedExport
from convertro_cli.reading.nesting import members_of, parts_of
from tests.reading.running import read, read_stdin
from tests.soaking import examples

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32)
) | st.text(alphabet='ab"\\[]{},: \n\u00e9\U0001f600', max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(alphabet='k"\\]}', max_size=4), VALUES, max_size=4)
BLANKS = st.text(alphabet=" \t\r\n", max_size=3).map(str.encode)


def dumped(value: Any, *, ascii_only: bool = False, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()


def cut(data: bytes, sizes: Iterator[int]) -> tuple[list[Cut], Cut]:
    """Feed the data in pieces of these sizes; give the cuts, and the last one."""
    cutter = ArrayCutter("export")
    cuts: list[Cut] = []
    at = 0
    while at < len(data):
        size = next(sizes)
        cuts += cutter.feed(data[at : at + size])
        at += size
    return cuts, cutter.finish()


def items_of(cuts: list[Cut]) -> list[tuple[tuple[int, int | None], bytes]]:
    found: list[tuple[tuple[int, int | None], bytes]] = []
    for each in cuts:
        lines = each.data.split(b"\n")
        assert lines.pop() == b""
        found += zip(each.items, lines, strict=True)
    return found


@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(st.lists(OBJECTS, min_size=1, max_size=5), min_size=1, max_size=3),
    st.sampled_from([None, 0, 2]),
    st.lists(BLANKS, min_size=3, max_size=3),
    st.lists(st.integers(1, 40), min_size=1, max_size=9),
)
def test_any_items_come_back_with_their_own_bytes(
    arrays: list[list[Any]], indent: int | None, blanks: list[bytes], sizes: list[int]
) -> None:
    """However an array is written and wherever a piece of it ends, no byte of an item changes.

    Newlines between the parts of an item are the exception: they become carriage returns.
    """
    before, around, after = blanks
    texts = [[dumped(item, indent=indent) for item in array] for array in arrays]
    joined = [
        b"[" + around + (around + b"," + around).join(array) + around + b"]" for array in texts
    ]
    data = before + (after + b"\n").join(joined) + after
    places, begun = [], 1 + before.count(b"\n")
    for array, text in zip(texts, joined, strict=True):
        places += [(begun, index) for index in range(len(array))]
        begun += text.count(b"\n") + after.count(b"\n") + 1
    wanted = [item.replace(b"\n", b"\r") for array in texts for item in array]

    cuts, last = cut(data, iter(sizes * len(data)))

    assert items_of(cuts) == list(zip(places, wanted, strict=True))
    assert (last.data.strip(), last.fault) == (b"", None)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(VALUES, max_size=6), ascii_only=st.booleans())
def test_the_parts_of_a_value_are_its_own_bytes(values: list[Any], *, ascii_only: bool) -> None:
    """An array on one line, and an object, are taken apart without a change."""
    items = [dumped(value, ascii_only=ascii_only) for value in values]
    assert parts_of(b"[" + b" , ".join(items) + b"]", b"]") == items
    named = {b'"k%d"' % number: item for number, item in enumerate(items)}
    text = b",".join(key + b" : " + item for key, item in named.items())
    assert members_of(b"{" + text + b"}") == named


@pytest.mark.parametrize(
    "data", [b"[1", b"[1]]", b"[1}", b"[1] [2]", b"[", b"[1]x", b'["a]', b"[{]", b'[1,"\\"]']
)
def test_what_does_not_end_as_it_began_has_no_parts(data: bytes) -> None:
    """A broken line is left whole, for its reader to say what is wrong."""
    assert parts_of(data, b"]") is None


def test_a_digit_of_a_long_number_is_not_lost() -> None:
    """Nothing is parsed on the way, so an id of any length stays what it is."""
    found = read_stdin(io.BytesIO(b'[{"id":12345678901234567890123,\n"n":1.10}]'))
    assert found.data == b'{"id":12345678901234567890123,\r"n":1.10}\n'


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"[{", True),
        (b" \r\n[\n\t{", True),
        (b"", None),
        (b"\n [ ", None),
        (b"[1", False),
        (b"[[", False),
        (b"[]", False),
        (b"{", False),
        (b'"[{', False),
    ],
)
def test_an_array_is_told_by_its_first_two_brackets(head: bytes, *, expected: bool | None) -> None:
    """Blanks around them do not matter, and nothing else is taken for an array."""
    assert begins_array(head) is expected


def test_lines_may_follow_arrays() -> None:
    """What comes after the last array are lines, with their numbers in the file."""
    found = read_stdin(io.BytesIO(b'\n[{"a":1},\n{"a":2}]\n\n{"b":1}\n[{"c":1}]'))
    assert [batch.data for batch in found.batches] == [
        b'{"a":1}\n{"a":2}\n',
        b'{"b":1}\n',
        b'[{"c":1}]',
    ]
    first, second, third = found.batches
    assert [first.place(2), first.place(3)] == ["stdin:2[0]", "stdin:2[1]"]
    assert (first.last_line, second.place(5), third.place(6)) == (2, "stdin:5", "stdin:6")
    assert found.end.damage is None


def test_an_array_without_its_end_is_damaged() -> None:
    """What came before is used, half an item is not, and the place is told."""
    found = read_stdin(io.BytesIO(b'[{"a":1},\n{"a":2},\n{"a":'))
    assert found.data == b'{"a":1}\n{"a":2}\n'
    assert found.damage == (
        "stdin breaks off in the JSON array that begins in line 1, after 2 items. "
        "What came before was used; fetch the file again and replay it."
    )


def test_an_array_with_a_lost_bracket_is_damaged() -> None:
    """It is told where the brackets stop to match; nothing is guessed."""
    found = read_stdin(io.BytesIO(b'[{"a":1},{"a":2}},{"a":3}]'))
    assert found.data == b'{"a":1}\n{"a":2}\n'
    assert "has a bracket too many, or one too few, in the JSON array" in found.damage


def test_a_packed_array_that_is_cut_off_is_told_as_that(tmp_path: Path) -> None:
    """The break of the file is the fault, not the bracket that is missing for it."""
    path = tmp_path / "export.gz"
    packed = gzip.compress(dumped([{"n": n, "x": os.urandom(9).hex()} for n in range(5_000)]))
    path.write_bytes(packed[:-1_000])
    found = read(path)
    assert "is cut off: its gzip data breaks off" in found.damage
    assert found.data.count(b"\n") > 4_000


def test_an_item_longer_than_any_line_ends_the_array() -> None:
    """It is no message, and what is held of it must not grow on."""
    cutter = ArrayCutter("export")
    (first,) = cutter.feed(b'[{"a":1},{"a":"')
    assert first.data == b'{"a":1}\n'
    assert list(cutter.feed(b"x" * (KEPT_LINE - 6))) == []
    with pytest.raises(DamagedExport, match=r"over 8 MiB in one item .* after 1 items"):
        list(cutter.feed(b"x"))


def test_what_arrives_from_a_pipe_is_handed_on() -> None:
    """Whole items do not wait for the end of their array."""
    cutter = ArrayCutter("export")
    assert [each.data for each in cutter.feed(b'[{"a":1},{"a"')] == [b'{"a":1}\n']
    assert [each.data for each in cutter.feed(b":2}")] == []
    assert [each.data for each in cutter.feed(b",")] == [b'{"a":2}\n']


READ = """
import sys
from pathlib import Path
from convertro_cli.reading.exports import read_exports
from convertro_cli.reading.sources import find_exports

items = sum(len(batch.items) for batch in read_exports(find_exports(sys.argv[1:]).files))
status = Path("/proc/self/status").read_text()
print(items, status.split("VmHWM:")[1].split()[0])
"""


def test_an_array_of_any_length_needs_little_memory(tmp_path: Path) -> None:
    """A hundred and fifty megabytes on one line pass through, and no more is held than a piece."""
    path = tmp_path / "export.gz"
    item = b'{"type":"track","text":"' + b"x" * 100_000 + b'"},'
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(b"[")
        for _ in range(1_500):
            packed.write(item)
        packed.write(b'{"type":"track"}]')
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, check=True, text=True
    )
    items, peak = map(int, done.stdout.split())
    assert items == 1_501
    assert peak * 1024 < 80e6
