"""Packed files are told by content, unpacked member after member, and used up to a break."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.reading.compression import open_stream
from convertro_cli.reading.damage import DamagedExport
from convertro_cli.reading.raw import OpenFile
from tests.reading.packing import PACKED, PACKERS, unpack_bytewise, zstd_in_blocks, zstd_packer
from tests.reading.running import read, read_stdin

LINES = [b'{"n":%d,"s":"%s"}\n' % (n, bytes([97 + n % 26]) * (n % 7)) for n in range(16)]
SMALL = b"".join(LINES)


def opened(content: bytes) -> OpenFile:
    """Bytes in memory, as an open file that gives them out."""
    return OpenFile(BytesIO(content))


def noise(size: int) -> bytes:
    """Lines that no compression makes much smaller."""
    dice = random.Random(7)
    return b"".join(b'{"n":"%032x"}\n' % dice.getrandbits(128) for _ in range(size // 41))


def small_packed(kind: str) -> bytes:
    """The small file packed; for zstd in several blocks, as its blocks come out whole or not."""
    return zstd_in_blocks(LINES) if kind == "zstd" else PACKERS[kind](SMALL)


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("size", [0, 1_000, 600_000])
def test_each_kind_is_told_by_content(kind: str, size: int, tmp_path: Path) -> None:
    """A file is unpacked whatever its name says."""
    path = tmp_path / "export.json.gz"
    path.write_bytes(PACKERS[kind](noise(size)))
    found = read(path)
    assert found.data == noise(size)
    assert found.end.damage is None
    assert found.batches[-1].position == path.stat().st_size


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(PACKED),
    st.lists(st.tuples(st.sampled_from(PACKED), st.binary(max_size=300)), max_size=4),
)
def test_members_one_after_another_are_one_file(kind: str, more: list[tuple[str, bytes]]) -> None:
    """Any packed files put together, of one kind or of several, unpack to their joined bytes."""
    members = [(kind, b"{"), *more]
    stream = open_stream(opened(b"".join(PACKERS[k](data) for k, data in members)), "x")
    assert b"".join(stream) == b"".join(data for _, data in members)


def test_a_thousand_small_members_are_one_file(tmp_path: Path) -> None:
    """A member for each line, as some writers flush, is read across all slices."""
    for kind in PACKED:
        path = tmp_path / kind
        path.write_bytes(b"".join(map(PACKERS[kind], LINES * 63)))
        assert read(path).data == SMALL * 63


def test_padding_after_the_last_member_is_passed_over(tmp_path: Path) -> None:
    """Zeros up to a whole block, as xz and tape writers leave them, are no damage."""
    for kind in PACKED:
        path = tmp_path / kind
        path.write_bytes(PACKERS[kind](SMALL) + bytes(512) + PACKERS[kind](SMALL) + bytes(64))
        found = read(path)
        assert found.data == SMALL * 2
        assert found.end.damage is None


def test_zstd_frames_without_data_are_passed_over(tmp_path: Path) -> None:
    """Skippable frames, such as pzstd's, hold no lines, wherever they stand."""
    skipped = b"\x5a\x2a\x4d\x18" + (70_000).to_bytes(4, "little") + bytes(70_000)
    path = tmp_path / "export"
    path.write_bytes(skipped + PACKERS["zstd"](SMALL) + skipped)
    assert read(path).data == SMALL
    assert read(path).end.damage is None
    path.write_bytes(PACKERS["zstd"](SMALL) + skipped[:-1])
    assert read(path).data == SMALL
    assert "cut off" in read(path).damage


@pytest.mark.parametrize("kind", PACKED)
def test_something_else_after_a_member_is_damage(kind: str, tmp_path: Path) -> None:
    """Plain bytes after packed ones are not used, and said to be there."""
    path = tmp_path / "export"
    path.write_bytes(PACKERS[kind](SMALL) + b"{}\n")
    found = read(path)
    assert found.data == SMALL
    assert "something else follows" in found.damage


@pytest.mark.parametrize("kind", PACKED)
def test_cut_off_at_any_byte_all_before_the_cut_comes_through(kind: str, tmp_path: Path) -> None:
    """A truncated file gives all that its bytes can give, is reported, and has no identity."""
    packed = small_packed(kind)
    path = tmp_path / "export"
    for length in range(3, len(packed)):
        path.write_bytes(packed[:length])
        found = read(path)
        assert found.data == unpack_bytewise(kind, packed[:length])[0]
        assert SMALL.startswith(found.data)
        assert "cut off" in found.damage
        assert f"byte {length:,}" in found.damage
        assert found.end.identity is None


@pytest.mark.parametrize("kind", PACKED)
def test_a_cut_through_the_second_member_keeps_the_first(kind: str) -> None:
    """However little is left of a further member, it is damage and the first one is used."""
    first, second = small_packed(kind), small_packed(kind)
    for length in range(1, len(second)):
        if second[:length].isascii() and second[:length].decode().isprintable():
            continue  # too little to tell a member's beginning from text
        found = read_stdin(BytesIO(first + second[:length]))
        assert found.data == SMALL + unpack_bytewise(kind, second[:length])[0]
        assert "cut off" in found.damage


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("flip", [0x01, 0xFF])
def test_spoiled_at_any_byte_all_before_the_break_comes_through(
    kind: str, flip: int, tmp_path: Path
) -> None:
    """A corrupt file gives just what a decoder gives that is fed byte by byte."""
    packed = small_packed(kind)
    path = tmp_path / "export"
    for at in range(6, len(packed)):
        spoiled = packed[:at] + bytes([packed[at] ^ flip]) + packed[at + 1 :]
        path.write_bytes(spoiled)
        found = read(path)
        expected, whole = unpack_bytewise(kind, spoiled)
        assert found.data == expected
        assert (found.end.damage is None) == whole


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("part", [0.3, 0.7, 0.999])
def test_a_break_far_into_a_file_loses_nothing_before_it(
    kind: str, part: float, tmp_path: Path
) -> None:
    """What was unpacked in the same step as the break was met is not lost with it."""
    data = noise(600_000)
    packed = bytearray(bz2.compress(data, 1) if kind == "bzip2" else PACKERS[kind](data))
    at = int(part * (len(packed) - 1))
    packed[at : at + 4] = b"\xff" * len(packed[at : at + 4])
    path = tmp_path / "export"
    path.write_bytes(packed)
    found = read(path)
    assert found.data == unpack_bytewise(kind, bytes(packed), sound=at)[0]
    assert "damaged" in found.damage


@pytest.mark.parametrize("kind", PACKED)
def test_a_corrupt_file_from_a_pipe_loses_only_the_step_with_the_break(kind: str) -> None:
    """There is no going back in a pipe, so what was unpacked together with the break is lost."""
    data = noise(1_000_000)
    packed = bytearray(bz2.compress(data, 1) if kind == "bzip2" else PACKERS[kind](data))
    middle = len(packed) // 2
    packed[middle : middle + 1000] = b"\xff" * 1000
    found = read_stdin(BytesIO(packed))
    expected, _ = unpack_bytewise(kind, bytes(packed), sound=middle)
    assert expected.startswith(found.data)
    assert len(found.data) > len(expected) - 200_000
    assert len(found.data) > 200_000
    assert "damaged" in found.damage


def test_a_wrong_checksum_is_damage_after_all_lines(tmp_path: Path) -> None:
    """All lines of a file whose checksum does not fit are used, and the file is reported."""
    packed = bytearray(gzip.compress(SMALL))
    packed[-8] ^= 1
    path = tmp_path / "export"
    path.write_bytes(packed)
    found = read(path)
    assert found.data == SMALL
    assert "incorrect data check" in found.damage


def test_unpacking_that_needs_too_much_memory_is_refused_with_the_command(tmp_path: Path) -> None:
    """A window of gigabytes would break the promise on memory; unpacking first is the way."""
    packer = zstd_packer(window_log=30)
    path = tmp_path / "a b.zst"
    path.write_bytes(packer.compress(SMALL) + packer.flush())
    assert f"zstd -dc --long=31 '{path}' > '{path}.ndjson'" in read(path).damage
    path.write_bytes(xz_with_dictionary_of_a_gibibyte(SMALL))
    assert f"xz -dc '{path}' > '{path}.ndjson'" in read(path).damage


def xz_with_dictionary_of_a_gibibyte(data: bytes) -> bytes:
    """An xz file whose header asks for as much, without having needed it."""
    packed = bytearray(lzma.compress(data))
    # The block header: its size in words, flags, filter, size of properties, dictionary, CRC32.
    start = 12
    end = start + (packed[start] + 1) * 4
    packed[start + 4] = 36
    packed[end - 4 : end] = zlib.crc32(packed[start : end - 4]).to_bytes(4, "little")
    return bytes(packed)


def test_a_file_too_short_for_its_kind_is_a_line() -> None:
    """Text that happens to begin like a magic number is text."""
    for data in (b"B", b"BZ", b"P", b"P*M", b"("):
        found = read_stdin(BytesIO(data))
        assert found.data == data
        assert found.end.damage is None


def test_a_break_is_an_exception_after_the_last_piece() -> None:
    """The stream itself gives all pieces first and raises then."""
    stream = iter(open_stream(opened(gzip.compress(SMALL)[:-4]), "export.gz"))
    assert b"".join(next(stream) for _ in range(1)) == SMALL
    with pytest.raises(DamagedExport, match=r"^export\.gz is cut off: its gzip data"):
        next(stream)


def test_names_are_told_without_control_characters() -> None:
    """A file name cannot write to the terminal by way of a message."""
    stream = open_stream(opened(gzip.compress(SMALL)[:-4]), "a\x1b[2J\nb")
    with pytest.raises(DamagedExport) as caught:
        list(stream)
    assert str(caught.value).startswith(r"a\x1b[2J\nb is cut off")
