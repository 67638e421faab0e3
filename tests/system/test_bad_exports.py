"""Exports that are not as they should be: said in a sentence, and no reason to stop."""

from __future__ import annotations

import bz2
import gzip
import os
from collections.abc import Callable
from ctypes import CDLL
from pathlib import Path

import orjson
import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.system.messages import order, orders
from tests.system.program import Workspace
from tests.system.receiving import accepted

LINES = b"".join(orjson.dumps(message) + b"\n" for message in orders(200))
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
PR_CAPBSET_DROP = 24


def be_anybody() -> None:
    """Give up root's right to read and write everything, if we have it."""
    if os.geteuid() == 0:
        for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)


def test_lines_of_all_kinds(workspace: Workspace, sandbox: Sandbox) -> None:
    """Bad lines are counted by reason and named; every good one is delivered."""
    good = [orjson.dumps(message) for message in orders(8)]
    lines = [
        b"\xef\xbb\xbf" + good[0],
        good[1] + b"\r",
        b"",
        b"   \t ",
        good[2],
        b'{"type":"track","event":"\xff\xfe"}',
        b'{"a":"' + b"x" * (1 << 20) + b'"}',
        good[3],
        b'{"type":"track","properties":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        good[4],
        b"null",
        b"{}",
        b'{"type":7}',
        orjson.dumps(order(90, timestamp="soon")),
        orjson.dumps(order(91, timestamp=None)),
        b"\x1b[2J\x00",
        good[5],
        good[6] + b" {}",
        good[7],
    ]
    workspace.write("export.ndjson", *lines)
    ended = workspace.replay(sandbox.url, "export.ndjson")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert ended.err.replace("\n", "").isprintable()
    assert ended.summary["messages"]["read"] == len(lines) - 2
    assert ended.summary["messages"]["delivered"] == 7
    assert ended.summary["invalid"] == {
        "invalid_json": 4,
        "missing_type": 2,
        "line_too_long": 1,
        "not_an_object": 1,
        "invalid_timestamp": 1,
        "missing_timestamp": 1,
    }
    assert "line_too_long at export.ndjson:7" in ended.err
    assert sandbox.stats()["accepted"] == 7


def cut_gzip() -> bytes:
    return gzip.compress(LINES)[:-200]


def cut_bzip2() -> bytes:
    return bz2.compress(LINES)[:-50]


def spoilt_gzip() -> bytes:
    content = bytearray(gzip.compress(LINES, 0))
    content[len(content) // 2 : len(content) // 2 + 9] = b"\xff" * 9
    return bytes(content[:-8]) + b"\0" * 8


def cut_array() -> bytes:
    return b"[\n" + b",\n".join(LINES.splitlines()) + b"\n"


def utf16() -> bytes:
    return LINES.decode().encode("utf-16")


@pytest.mark.parametrize(
    ("content", "words", "some"),
    [
        (cut_gzip, ["cut off", "gzip", "What came before was used"], True),
        (cut_bzip2, ["cut off", "bzip2"], False),
        (spoilt_gzip, ["damaged", "gzip"], True),
        (cut_array, ["breaks off in the JSON array that begins in line 1"], True),
        (utf16, ["UTF-16", "iconv"], False),
        (lambda: b"PAR1" + LINES, ["a Parquet file"], False),
    ],
)
def test_files_that_break_off_or_are_something_else(
    workspace: Workspace,
    sandbox: Sandbox,
    content: Callable[[], bytes],
    words: list[str],
    some: bool,
) -> None:
    """Such a file is named with what to do; the others are replayed, and the code is 66."""
    (workspace.folder / "a.bad").write_bytes(content())
    workspace.write("b.ndjson", order(999))
    ended = workspace.replay(sandbox.url, "a.bad", "b.ndjson")
    assert ended.code == 66
    assert "Traceback" not in ended.err
    assert ended.err.count("a.bad") >= 1
    for word in words:
        assert word in ended.err
    assert ended.summary["files"] == {"read": 1, "skipped": 0, "damaged": 1}
    delivered = {dict(params)["eid"] for _, params in accepted(sandbox.received())}
    assert "o999" in delivered
    assert (len(delivered) > 1) == some


def test_a_damaged_file_is_read_again(workspace: Workspace, sandbox: Sandbox) -> None:
    """A file that breaks off is not done with, and nothing that came before is sent twice."""
    (workspace.folder / "a.bad").write_bytes(cut_gzip())
    workspace.write("b.ndjson", order(999))
    assert workspace.replay(sandbox.url, "a.bad", "b.ndjson").code == 66
    again = workspace.replay(sandbox.url, "a.bad", "b.ndjson")
    assert again.code == 66
    assert again.summary["messages"]["already_delivered"] > 0
    assert again.summary["messages"]["delivered"] == 0
    assert again.summary["files"] == {"read": 0, "skipped": 1, "damaged": 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.ndjson"], ["missing.ndjson", "no such file"]),
        (["empty"], ["empty", "no export in this folder"]),
        (["*.gz"], ["*.gz", "nothing matches"]),
        (["a.ndjson", "missing-1", "missing-2"], ["missing-1", "missing-2"]),
        (["-", "-"], ["only once"]),
    ],
)
def test_exports_that_are_not_there(
    workspace: Workspace, sandbox: Sandbox, arguments: list[str], words: list[str]
) -> None:
    """Every argument that cannot be read is named, and nothing is sent."""
    workspace.write("a.ndjson", order(1))
    (workspace.folder / "empty").mkdir()
    command = ["replay", *arguments, "--base-url", sandbox.url]
    workspace.run(*command).assert_told(66, "Cannot read", *words)
    assert sandbox.stats()["requests"] == 0


def forbid(path: Path) -> Path:
    path.chmod(0)
    return path


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_may_not_be_read(workspace: Workspace, what: str) -> None:
    """A folder or file without permission is named, and nothing is done."""
    inner = workspace.write("exports/a.ndjson", order(1))
    forbidden = forbid(inner.parent if what == "folder" else inner)
    try:
        ended = workspace.run("replay", "exports", "--dry-run", before=be_anybody)
    finally:
        forbidden.chmod(0o700)
    ended.assert_told(66, "exports", "permission denied")


def test_settings_that_may_not_be_read(workspace: Workspace) -> None:
    """Settings without permission are named."""
    forbid(workspace.config)
    ended = workspace.run("check", before=be_anybody)
    assert ended.code == 2
    assert "convertro.toml" in ended.err
    assert "Traceback" not in ended.err


def test_a_state_folder_that_may_not_be_written(workspace: Workspace) -> None:
    """Where the state cannot be kept, nothing is sent, and the code is 74."""
    workspace.write("a.ndjson", order(1))
    closed = workspace.folder / "closed"
    closed.mkdir(mode=0o500)
    command = ["replay", "a.ndjson", "--state", "closed/state", "--base-url", "http://127.0.0.1:9"]
    workspace.run(*command, before=be_anybody).assert_told(74, "closed/state", "--state")


def test_a_state_folder_that_is_a_file(workspace: Workspace) -> None:
    """A file in the place of the state folder is told likewise."""
    workspace.write("a.ndjson", order(1))
    workspace.write("state", b"")
    command = ["replay", "a.ndjson", "--state", "state", "--base-url", "http://127.0.0.1:9"]
    workspace.run(*command).assert_told(74, "state", "--state")
