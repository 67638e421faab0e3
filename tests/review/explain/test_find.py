"""The message that is looked for is found, and no more is read than that takes."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.batch import BATCH_BYTES, LineBatch
from convertro_cli.reading.sources import find_exports
from convertro_cli.review.explain.find import (
    FilterJob,
    FindJob,
    FoundLine,
    LineJob,
    MessageIdJob,
    Search,
    search,
)
from convertro_cli.run.progress import NobodyWatches, Progress
from tests.mapping.messages import make_rules, web_message

RULES = make_rules()


def look(path: Path, job: FindJob, *, most: int = 1, workers: int = 1) -> Search:
    """Look through one file."""
    return search(find_exports([str(path)]), job, NobodyWatches(), most=most, workers=workers)


class Watching(NobodyWatches):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.notices: list[str] = []

    def tick(self, progress: Progress) -> None:
        """Note the bytes read."""
        self.read.append(progress.tally.bytes_read)

    def notice(self, text: str) -> None:
        """Keep a sentence."""
        self.notices.append(text)


def write(path: Path, *lines: bytes) -> Path:
    """Write an export."""
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def batch(data: bytes) -> LineBatch:
    """One batch of lines."""
    return LineBatch(0, "e", 1, data, 0)


@given(
    st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"")), max_size=8),
    st.booleans(),
    st.integers(1, 10),
)
def test_a_line_is_found_by_its_number(lines: list[bytes], ended: bool, number: int) -> None:
    """Line N is what stands between the newlines N - 1 and N, blank or not."""
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    found = LineJob(number)(batch(data))
    pieces = data.split(b"\n")
    if pieces and not pieces[-1]:
        pieces.pop()
    wanted = pieces[number - 1 : number]
    assert [each.line for each in found] == wanted
    assert all(each.number == number for each in found)


def test_a_line_is_found_beyond_the_first_batch(tmp_path: Path) -> None:
    """Lines keep their numbers over batches, in a packed file as well."""
    lines = [b"%d %s" % (number, b"x" * 2000) for number in range(1, 2000)]
    lines[0] = b'{"type":"track"}'
    assert sum(map(len, lines)) > 2 * BATCH_BYTES
    path = tmp_path / "e.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines), 1))
    for number in (1, 2, 700, 1999):
        (found,) = look(path, LineJob(number)).found
        assert found.line == lines[number - 1]
        assert found.source == str(path)
    missing = look(path, LineJob(2000))
    assert missing.found == []
    assert missing.lines == 1999


@pytest.mark.parametrize(
    ("job", "place"),
    [
        (LineJob(2, 1), "e:2[1]"),
        (LineJob(2), "e:2[0]"),
        (LineJob(3), "e:3"),
        (LineJob(3, 0), None),
        (LineJob(2, 2), None),
        (LineJob(1, 0), None),
        (MessageIdJob("m3", make_rules()), "e:2[1]"),
        (MessageIdJob("m4", make_rules()), "e:3"),
        (FilterJob(make_rules(), 1), "e:1"),
    ],
)
def test_an_item_of_an_array_is_found_by_its_place(job: FindJob, place: str | None) -> None:
    """Line and index name a message in an array; the line alone names the first one."""
    lines = [orjson.dumps(web_message("track", messageId=f"m{n}")) for n in range(1, 5)]
    items = ((1, None), (2, 0), (2, 1), (3, None))
    found = job(LineBatch(0, "e", 1, b"\n".join(lines), 0, items=items))
    assert [each.place for each in found] == ([] if place is None else [place])


def test_the_search_ends_where_the_line_is(tmp_path: Path) -> None:
    """What comes after the line is not read: damage there goes unnoticed."""
    lines = [b"%d\n" % number for number in range(1_500_000)]
    whole = gzip.compress(b"".join([b'{"type":"track"}\n', *lines]), 1)
    path = tmp_path / "e.gz"
    path.write_bytes(whole[:-2000])
    assert not look(path, LineJob(3)).is_damaged
    watching = Watching()
    exports = find_exports([str(path)])
    assert search(exports, LineJob(1_500_000), watching, most=1).is_damaged
    (damage,) = watching.notices
    assert str(path) in damage


@pytest.mark.parametrize(
    ("message_id", "line"),
    [
        ("m-1", b'{"messageId":"m-1","type":"page"}'),
        ("m-1", b'{"messageId":"\\u006d-1","type":"page"}'),
        ("m-1", b'{"\\u006dessageId":"m-1","type":"page"}'),
        ("m-1", b'{"message\\u0049\\u0064" : "\\u006d-1","type":"page"}'),
        ("m-1", b'{"messageId" :\t"m\\u002d1","type":"page"}'),
        ("a/b", b'{"messageId":"a\\/b","type":"page"}'),
        ('a"b', b'{"messageId":"a\\"b","type":"page"}'),
        ("J\u00f6", '{"messageId":"J\u00f6","type":"page"}'.encode()),
        ("J\u00f6", b'{"messageId":"J\\u00f6","type":"page"}'),
        ("12", b'{"messageId":12,"type":"page"}'),
        ("12", b'{"messageId":12.0,"type":"page"}'),
        ("100000", b'{"messageId":1e5,"type":"page"}'),
        ("m-1", b'{"reason":"r","source":"x:1","event":{"messageId":"m-1","type":"page"}}'),
    ],
)
def test_an_id_is_found_however_it_is_written(message_id: str, line: bytes) -> None:
    """Escapes, numbers and dead letters hide no message from a search for its id."""
    job = MessageIdJob(message_id, RULES)
    found = job(batch(b'{"messageId":"other","type":"page"}\n' + line + b"\n"))
    assert found == [FoundLine("e", 2, line)]


@pytest.mark.parametrize(
    "line",
    [
        b'{"messageId":"m-10","type":"page"}',
        b'{"messageId":"x","anonymousId":"m-1","type":"page"}',
        b'{"messageId":"m-1"',
        b'["m-1"]',
    ],
)
def test_an_id_elsewhere_in_a_line_is_not_the_message_id(line: bytes) -> None:
    """Only the message's own id counts."""
    assert MessageIdJob("m-1", RULES)(batch(line)) == []


def test_an_event_is_found_in_any_spelling_and_no_more_than_asked_for(tmp_path: Path) -> None:
    """The first events of a name are found, in the order of the export."""
    names = ["Other", "Signed Up", "signed_up", "signedUp", "signed-up"]
    path = write(
        tmp_path / "e", *(orjson.dumps(web_message("track", event=name)) for name in names)
    )
    rules = make_rules(selection=Selection(events=frozenset({"signed up"})))
    found = look(path, FilterJob(rules, 2), most=2).found
    assert [each.number for each in found] == [2, 3]


def test_an_event_is_found_whatever_becomes_of_it(tmp_path: Path) -> None:
    """A message that is turned off, or without a time, is one to explain as well."""
    off = web_message("track", event="Signed Up", integrations={"All": False})
    timeless = web_message("track", event="Signed Up", timestamp=None)
    path = write(tmp_path / "e", orjson.dumps(off), orjson.dumps(timeless))
    rules = make_rules(selection=Selection(events=frozenset({"signed up"})))
    found = look(path, FilterJob(rules, 9), most=9).found
    assert [each.number for each in found] == [1, 2]


def test_worker_processes_find_the_same(tmp_path: Path) -> None:
    """With several processes the first events are still the first of the export."""
    lines = [
        orjson.dumps(web_message("track", event=f"Event {number % 500}", pad="x" * 300))
        for number in range(10_000)
    ]
    path = write(tmp_path / "e", *lines)
    assert path.stat().st_size > 3 * BATCH_BYTES
    rules = make_rules(selection=Selection(events=frozenset({"event 499"})))
    found = look(path, FilterJob(rules, 15), most=15, workers=2).found
    assert [each.number for each in found] == [500 * number for number in range(1, 16)]


def test_the_bytes_read_are_told(tmp_path: Path) -> None:
    """Who waits for a long search is told how far it is, over all files."""
    one, two = write(tmp_path / "1", b"a" * 50), write(tmp_path / "2", b"b" * 70)
    watching = Watching()
    search(find_exports([str(one), str(two)]), LineJob(99), watching, most=1)
    assert watching.read == sorted(watching.read)
    assert watching.read[-1] == one.stat().st_size + two.stat().st_size
