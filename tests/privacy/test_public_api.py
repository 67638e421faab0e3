"""Suppressions and regulations as Segment's Public API answers with them."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from convertro_cli.privacy import public_api
from tests.privacy.listing import faults_in, regulations_page, sound, suppressed_page


def written(folder: Path, *answers: bytes, name: str = "answers.json") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(answers))
    return path


def suppressed_in(path: Path, *asked: str) -> list[str]:
    """Of these users those who are suppressed by a file."""
    users = sound(path).users
    return [user_id for user_id in asked if user_id in users]


MARCH, APRIL, MAY = (f"2024-0{month}-01T10:00:00.000Z" for month in (3, 4, 5))


@pytest.mark.parametrize(
    "content",
    [
        suppressed_page("u1", "u2"),
        suppressed_page("u1", pagination={"current": "MA=="}) + suppressed_page("u2"),
        suppressed_page("u1") + b"\r\n\r\n" + suppressed_page("u2") + b"\n",
        b"\xef\xbb\xbf" + orjson.dumps(orjson.loads(suppressed_page("u1", "u2")), option=2),
        orjson.dumps(orjson.loads(suppressed_page("u1", "u2"))["data"]),
    ],
)
def test_answers_stand_one_after_another(tmp_path: Path, content: bytes) -> None:
    """A line each, glued, over many lines, or as a client library gives them, without "data"."""
    assert suppressed_in(written(tmp_path, content), "u1", "u2", "u3") == ["u1", "u2"]


@pytest.mark.parametrize("first_read", [1, 2, 64, 1 << 20])
def test_answers_that_come_in_pieces(
    tmp_path: Path, first_read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a read ends, in an answer or in a character, the answers are the same."""
    monkeypatch.setattr(public_api, "_FIRST_READ", first_read)
    path = written(tmp_path, suppressed_page("é1"), suppressed_page("😀2"), suppressed_page(3))
    assert suppressed_in(path, "é1", "😀2", "3", "4") == ["é1", "😀2", "3"]


def test_ids_are_those_that_a_message_would_have(tmp_path: Path) -> None:
    """Numbers as their digits, however long; half of a character as U+FFFD."""
    content = (
        b'{"suppressed":[{"subjectType":"USER_ID","subjectIds":[42, 7.0, 12345678901234567890123,'
        b'1e20, 9007199254740993.0, "\\ud83d", "\\ud83d\\ude00"]}]}'
    )
    ids = ["42", "7", "12345678901234567890123", "1" + "0" * 20, "9007199254740993"]
    ids += ["\ufffd", "😀"]
    assert suppressed_in(written(tmp_path, content), *ids) == ids


def test_nobody_is_suppressed(tmp_path: Path) -> None:
    """An answer that lists nobody is sound: it is no empty file."""
    assert len(sound(written(tmp_path, suppressed_page())).users) == 0


def test_subjects_that_are_no_users_are_counted_and_passed_over(tmp_path: Path) -> None:
    """Only user ids are suppressed, as at Segment."""
    path = written(
        tmp_path,
        suppressed_page("u1"),
        suppressed_page("a1", "a2", kind="ANONYMOUS_ID"),
        regulations_page(("SUPPRESS_ONLY", "o1", MARCH), subjectType="OBJECT_ID"),
    )
    assert suppressed_in(path, "u1", "a1", "a2", "o1") == ["u1"]
    (file,) = sound(path).files
    assert (file.ids, file.others) == (1, 3)


@pytest.mark.parametrize(
    "kind",
    [
        "SUPPRESS_ONLY",
        "SUPPRESS_WITH_DELETE",
        "SUPPRESS_WITH_DELETE_INTERNAL",
        "DELETE_ONLY",
        "DELETE_INTERNAL",
        "DELETE_ARCHIVE_ONLY",
    ],
)
@pytest.mark.parametrize(
    "status", ["FINISHED", "RUNNING", "INITIALIZED", "FAILED", "PARTIAL_SUCCESS", "NOT_SUPPORTED"]
)
def test_every_regulation_but_one_suppresses_whatever_became_of_it(
    tmp_path: Path, kind: str, status: str
) -> None:
    """Whoever asked not to be tracked or to be deleted asked so."""
    path = written(tmp_path, regulations_page((kind, "u1", MARCH), status=status))
    assert suppressed_in(path, "u1", "u2") == ["u1"]


@pytest.mark.parametrize(
    ("entries", "suppressed"),
    [
        ([("UNSUPPRESS", "u1", APRIL), ("SUPPRESS_ONLY", "u1", MARCH)], False),
        ([("SUPPRESS_ONLY", "u1", MARCH), ("UNSUPPRESS", "u1", APRIL)], False),
        ([("SUPPRESS_ONLY", "u1", MAY), ("UNSUPPRESS", "u1", APRIL)], True),
        (
            [
                ("SUPPRESS_ONLY", "u1", MAY),
                ("UNSUPPRESS", "u1", APRIL),
                ("SUPPRESS_ONLY", "u1", MARCH),
            ],
            True,
        ),
        ([("SUPPRESS_WITH_DELETE", "u1", MARCH), ("UNSUPPRESS", "u1", APRIL)], True),
        ([("DELETE_ONLY", "u1", MARCH), ("UNSUPPRESS", "u1", APRIL)], True),
        ([("SUPPRESS_ONLY", "u1", MARCH), ("UNSUPPRESS", "u2", APRIL)], True),
        ([("UNSUPPRESS", "u1", APRIL)], False),
        # the same moment, written in two ways; and one of a millisecond later
        ([("SUPPRESS_ONLY", "u1", "2024-03-01T11:00:00+01:00"), ("UNSUPPRESS", "u1", MARCH)], True),
        (
            [("SUPPRESS_ONLY", "u1", MARCH), ("UNSUPPRESS", "u1", MARCH.replace(".000", ".001"))],
            False,
        ),
    ],
)
def test_unsuppress_lifts_what_came_before_but_no_deletion(
    tmp_path: Path, entries: list[tuple[str, str, str]], suppressed: bool
) -> None:
    """In the order of createdAt, whatever the order in the file: the API gives the newest first."""
    path = written(tmp_path, regulations_page(*entries))
    assert suppressed_in(path, "u1") == (["u1"] if suppressed else [])


@pytest.mark.parametrize(
    "status", ["RUNNING", "INITIALIZED", "FAILED", "INVALID", "PARTIAL_SUCCESS"]
)
def test_one_that_was_not_carried_out_lifts_nothing(tmp_path: Path, status: str) -> None:
    """The user is still suppressed at Segment."""
    path = written(
        tmp_path,
        regulations_page(("SUPPRESS_ONLY", "u1", MARCH)),
        regulations_page(("UNSUPPRESS", "u1", APRIL), status=status),
    )
    assert suppressed_in(path, "u1") == ["u1"]


def test_whoever_is_on_a_list_stays_on_it(tmp_path: Path) -> None:
    """The list of the suppressed is how it is now; an older regulation takes nobody off it."""
    page = regulations_page(("UNSUPPRESS", "u1", APRIL))
    assert suppressed_in(written(tmp_path, suppressed_page("u1"), page), "u1") == ["u1"]


def test_regulations_are_put_in_order_over_all_files(tmp_path: Path) -> None:
    """A later file may hold an earlier page."""
    newer = written(tmp_path, regulations_page(("UNSUPPRESS", "u1", APRIL)), name="1.json")
    older = written(tmp_path, regulations_page(("SUPPRESS_ONLY", "u1", MARCH)), name="2.json")
    assert "u1" not in sound(newer, older).users
    assert "u1" not in sound(older, newer).users


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"regulationType": "FORGET"}, "has a regulation of an unknown type, 'FORGET'"),
        ({"regulationType": None}, "has a regulation of an unknown type, None"),
        ({"createdAt": "soon"}, 'without a time in "createdAt"'),
        ({"createdAt": None}, 'without a time in "createdAt"'),
        ({"createdAt": 1709287200}, 'without a time in "createdAt"'),
        ({"subjects": "u1"}, 'without a list "subjects"'),
        ({"subjectType": "USER"}, "an entry with the \"subjectType\" 'USER'"),
    ],
)
def test_a_regulation_that_is_none(tmp_path: Path, more: dict[str, object], told: str) -> None:
    """One that is not understood might be the one that matters."""
    path = written(tmp_path, regulations_page(("SUPPRESS_ONLY", "u1", MARCH), **more))
    (fault,) = faults_in(path)
    assert told in fault


@pytest.mark.parametrize(
    ("pages", "whole"),
    [
        ([{"current": "a", "next": "b"}, {"current": "b", "next": "c"}, {"current": "c"}], True),
        ([{"current": "b", "next": "c"}, {"current": "c"}, {"current": "a", "next": "b"}], True),
        ([{"next": "b"}, {"next": "c"}, {}], True),
        ([{"current": "a", "next": None}], True),
        ([{"current": "a", "next": ""}], True),
        ([{"current": "a", "next": "b"}], False),
        ([{"current": "a", "next": "b"}, {"current": "b", "next": "c"}], False),
        ([{"current": "a", "next": "b"}, {"current": "c"}], False),
        ([{"next": "b"}, {"next": "c"}], False),
    ],
)
def test_a_list_is_whole_when_each_page_that_is_led_to_is_there(
    tmp_path: Path, pages: list[dict[str, str | None]], whole: bool
) -> None:
    """In one file or over several, in any order."""
    content = [suppressed_page(f"u{number}", pagination=page) for number, page in enumerate(pages)]
    one = written(tmp_path, *content)
    if whole:
        assert len(sound(one).users) == len(pages)
    else:
        (fault,) = faults_in(one)
        assert "says that there is more: the list is not whole" in fault
    if all("current" in page for page in pages) and whole:
        files = [written(tmp_path, page, name=f"{n}.json") for n, page in enumerate(content)]
        assert len(sound(*files).users) == len(pages)


def test_the_pages_of_another_list_do_not_count(tmp_path: Path) -> None:
    """A last page of regulations does not end the list of the suppressed."""
    path = written(
        tmp_path,
        suppressed_page("u1", pagination={"next": "b"}),
        regulations_page(("SUPPRESS_ONLY", "u2", MARCH)),
    )
    (fault,) = faults_in(path)
    assert "line 1: its pagination.next" in fault
