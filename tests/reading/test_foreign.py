"""Files that are not lines are told by their beginning and given a way out; all others pass."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.reading.running import read

ROWS = [{"n": n} for n in range(3)]
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def archive() -> bytes:
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("export.ndjson")
        entry.size = len(LINES)
        tar.addfile(entry, BytesIO(LINES))
    return packed.getvalue()


def zipped() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(zipfile.ZipInfo("export.ndjson"), LINES)  # dated 1980, always the same
    return packed.getvalue()


def refused(data: bytes, tmp_path: Path, name: str = "export") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    found = read(path)
    assert found.data == b""
    assert len(found.batches) == 1
    assert found.end.identity is None
    assert found.damage.startswith(f"{path} is ")
    return found.damage


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (LINES.decode().encode("utf-16"), "text in UTF-16"),
        (b"\xfe\xff" + LINES.decode().encode("utf-16-be"), "text in UTF-16"),
        (LINES.decode().encode("utf-32"), "text in UTF-32"),
        (b"\x00\x00\xfe\xff" + LINES.decode().encode("utf-32-be"), "text in UTF-32"),
        (zipped(), "a ZIP archive"),
        (archive(), "a tar archive"),
        (gzip.compress(archive(), mtime=0), "a tar archive"),
        (b"PAR1\x15\x04\x15", "a Parquet file"),
        (b"Obj\x01\x04\x14avro.codec", "an Avro file"),
        (b"ORC\x0a\x0b", "an ORC file"),
        (gzip.compress(gzip.compress(LINES, mtime=0), mtime=0), "packed twice"),
        (b"\x04\x22\x4d\x18\x64", "packed with LZ4"),
    ],
)
def test_other_formats_give_no_lines_and_are_named(data: bytes, what: str, tmp_path: Path) -> None:
    """What cannot hold lines is not read as if it did."""
    assert what in refused(data, tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"[",
        b"[abc]\n{}\n",  # no array of objects: a bad line
        b"[" * 5_000 + b"]" * 5_000 + b"\n{}\n",
        b'["\xff"]\n{}\n',
        b"{}\n[\n",
        b'{"a":\n[1]}',
        b"\n\n\n",
        b"PK is how ZIP begins\n",
        b"\x00" * 600,
        b"\n" * 300_000 + b"[\n",  # who writes so many blank lines has lines
    ],
)
def test_what_only_resembles_them_is_read_as_lines(data: bytes, tmp_path: Path) -> None:
    """A bad line must not keep the good ones after it from being read."""
    path = tmp_path / "export"
    path.write_bytes(data)
    found = read(path)
    assert found.data == data
    assert found.end.damage is None


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + LINES, b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_dropped(data: bytes, tmp_path: Path) -> None:
    """UTF-8's mark at the very start is no part of the first line."""
    path = tmp_path / "export"
    path.write_bytes(data)
    found = read(path)
    assert found.data == data[3:]
    assert found.batches[-1].position == len(data)
    assert found.end.identity is not None


def test_a_byte_order_mark_further_on_is_left(tmp_path: Path) -> None:
    """Only the start of a file is its start."""
    path = tmp_path / "export"
    path.write_bytes(b"\n\xef\xbb\xbf{}\n")
    assert read(path).data == b"\n\xef\xbb\xbf{}\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("tool", "data"),
    [
        ("iconv", LINES.decode().encode("utf-16")),
        ("gzip", gzip.compress(gzip.compress(LINES, mtime=0), mtime=0)),
    ],
)
def test_the_proposed_command_makes_lines_of_it(
    tmp_path: Path, tool: str, data: bytes, pack: type[bytes]
) -> None:
    """What the message says to type works as it stands, for packed files and odd names too."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    name = "it's [one] file"
    damage = refused(data if tool == "gzip" else pack(data), tmp_path, name)
    command = damage.split("Convert it: ")[1]
    subprocess.run(["bash", "-c", command], check=True)
    lines = read(tmp_path / f"{name}.ndjson").data.splitlines()
    assert [json.loads(line) for line in lines] == ROWS
