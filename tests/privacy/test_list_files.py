"""The files of a suppression list: every form of them, and everything that is wrong with one."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.privacy.list_files import read_suppressions
from tests.privacy.listing import faults_in, sound, suppressed_page


def written(folder: Path, content: bytes, name: str = "list") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b"u1\nu2\n", ["u1", "u2"]),
        (b"u1", ["u1"]),
        (b"u1\r\nu2\r\n", ["u1", "u2"]),
        (b"\xef\xbb\xbfu1\nu2", ["u1", "u2"]),
        (b"# asked by mail\n\n  \nu1 \n\tu2  # in March\nu#3\n#u4\n", ["u1", "u2", "u#3"]),
        (b"jane doe\n42\n\xc3\xa9\n", ["jane doe", "42", "é"]),
        (b"{3F2504E0-4F89}\n[x]\n", ["{3F2504E0-4F89}", "[x]"]),
        (b"u1\nu2,u3\n", ["u1", "u2,u3"]),
        (b"userId\nu1\nu2\n", ["u1", "u2"]),
        (b"user_id\r\nu1\r\n", ["u1"]),
        (b"\xef\xbb\xbfUser ID,when\nu1,2024\n", ["u1"]),
        (b'when,"userId"\n2024,"a, ""b"""\n2024, x\n', ['a, "b"', " x"]),
        (b"userId;mail\nu1;a,b\n", ["u1"]),
        (b"mail\tuserId\na\tu1\n", ["u1"]),
        (b"# from the shop\nuserId,why\nu1,\n\nu2,x\n,anonymous\n", ["u1", "u2"]),
        (b'userId,note\nu1,"two\nlines"\nu2,\n', ["u1", "u2"]),
        (b"userId\n#1\n", ["#1"]),
    ],
)
def test_text_and_csv(tmp_path: Path, content: bytes, ids: list[str]) -> None:
    """An id a line, or a column of them; comments, blank lines and line ends make no difference."""
    found = sound(written(tmp_path, content))
    assert [user_id for user_id in ids if user_id not in found.users] == []
    assert len(found.users) == len(ids)
    (file,) = found.files
    assert (file.ids, file.others) == (len(ids), 0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"# nobody yet\n", "has no user id in it"),
        (b"userId,mail\n", "has no user id in it"),
        (b"userId,mail\n,a\n", "has no user id in it"),
        (b"u1\n\xff\n", "line 2: is not UTF-8"),
        (b"\x1f\x8b\x08\x00gz", "line 1: is not UTF-8"),
        (b"\xff\xfeu\x001\x00", "is in UTF-16: save it as UTF-8"),
        (b"u\x001\x00\n\x00", "line 1: has a control character in it"),
        (b"u1\ru2\ru3", "line 1: has a control character in it"),
        (b"u1\n" + b"x" * 70_000, "line 2: is longer than 64 KiB"),
        (b"u1,u2,u3\n", "line 1: this looks like CSV, and no column is named userId"),
        (b"id,mail\nu1,a\n", "line 1: this looks like CSV"),
        (b"# x\n\nid;mail\n", "line 3: this looks like CSV"),
        (b'"u1"\n"u2"\n', "line 1: this looks like CSV"),
        (b"userId,user_id\na,b\n", "line 1: two columns are named userId"),
        (b"mail,userId\na\n", "line 2: has 1 of 2 fields"),
        (b'userId\n"u1\n', "line 2: is no CSV: "),
        (b'userId\n"u1"x\n', "line 2: is no CSV: "),
        (b"[]", "line 1: is no answer of Segment's Public API"),
        (b"{}", "line 1: is no answer of Segment's Public API"),
        (b'{"data":{"suppressed":', "line 1: is no JSON: "),
        (b'{\n"data": {\n"suppressed": nobody}}', "line 3: is no JSON: "),
        (b'{"errors":[{"type":"unauthorized"}]}', 'nor "regulations", but errors'),
        (b'[{"data":{"suppressed":[]}}]', "jq -c '.[]' takes it apart"),
        (b'{"userId":"u1"}\n{"userId":"u2"}\n', "line 1: is no answer"),
        (b'{"data":{"suppressed":{}}}', 'line 1: "suppressed" is no list'),
        (b'{"data":{"suppressed":["u1"]}}', 'without a list "subjectIds"'),
        (b'{"suppressed":[{"subjectType":"PET","subjectIds":[]}]}', "\"subjectType\" 'PET'"),
        (b'{"suppressed":[{"subjectIds":["u1"]}]}', '"subjectType" None'),
        (
            b'{"suppressed":[{"subjectType":"USER_ID","subjectIds":["u1",null]}]}',
            'has something in "subjectIds" that is no id',
        ),
        (suppressed_page("u1") + b"\n\n" + b'{"data":{}}', "line 3: is no answer"),
        (suppressed_page("u1") + b"\nu2\n", "line 2: is no JSON: "),
        (b'{"data":\n"\xff"}', "line 2: is not UTF-8"),
        (b'{"data":' * 100_000, "line 1: is nested too deep"),
        (b'{"data":{"suppressed":[' + b"9" * 5000 + b"]}}", "has a number that is too long"),
        (
            suppressed_page("u1", pagination={"current": "MA==", "next": "MTA="}),
            "says that there is more",
        ),
        (suppressed_page("u1", pagination={"next": "MTA="}), "line 1: its pagination.next says"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(
    tmp_path: Path, content: bytes, told: str
) -> None:
    """A list that was read wrongly would suppress nobody, and nobody would notice."""
    (fault,) = faults_in(written(tmp_path, content))
    assert fault.startswith("list ")
    assert told in fault
    assert fault.isprintable()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """One that is not there, a folder, a pipe: each is told, and none is waited for."""
    os.mkfifo(tmp_path / "pipe")
    keeper = os.open(tmp_path / "pipe", os.O_RDWR)  # or opening it would wait for a writer
    try:
        faults = faults_in(tmp_path / "none", tmp_path, tmp_path / "pipe", tmp_path / ("x" * 300))
    finally:
        os.close(keeper)
    assert [fault.split(" ", 1)[1] for fault in faults] == [
        "is not there",
        "cannot be read: Is a directory",
        "is no file",
        "cannot be read: File name too long",
    ]


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """And nothing of the sound ones is used."""
    files = [
        written(tmp_path, b"", "a"),
        written(tmp_path, b"u1\n", "b"),
        written(tmp_path, b"{}", "c"),
    ]
    assert [fault[:4] for fault in faults_in(*files)] == ["a is", "c li"]


def test_several_files_make_one_list(tmp_path: Path) -> None:
    """Whoever is on one of them is suppressed; a user on two counts once."""
    text = written(tmp_path, b"u1\nu2\n", "a.txt")
    answers = written(tmp_path, suppressed_page("u2", 3), "b.json")
    found = sound(text, answers)
    assert all(user_id in found.users for user_id in ("u1", "u2", "3"))
    assert len(found.users) == 3
    assert [(file.path, file.ids) for file in found.files] == [(text, 2), (answers, 2)]
    assert found.files[0].modified == text.stat().st_mtime


ID = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85"),
    min_size=1,
    max_size=12,
).filter(lambda text: bool(text.strip()))


@given(st.lists(ID, min_size=1, max_size=20))
def test_any_ids_in_csv(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    """Commas, quotes, spaces, signs: what a CSV writer writes is read again as it was."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["n", "userId"], *enumerate(ids)])
    path = written(tmp_path_factory.mktemp("csv"), text.getvalue().encode())
    found = sound(path)
    assert all(user_id in found.users for user_id in ids)
    assert len(found.users) == len(set(ids))


@given(st.binary(max_size=200))
def test_no_file_makes_it_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever bytes a file holds, it is a list or it is told what is wrong with it."""
    found, faults = read_suppressions([written(tmp_path_factory.mktemp("any"), content)])
    assert (found is None) == bool(faults)
