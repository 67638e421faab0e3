"""JSON is what RFC 8259 says, and numbers keep their digits."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from convertro_cli.segment.ids import InexactNumberError
from convertro_cli.segment.json_text import (
    read_json,
    read_json_exactly,
    write_json,
    write_to_compare,
)

BOTH = pytest.mark.parametrize("read", [read_json, read_json_exactly])

# What orjson refuses and the RFC takes: the line, and the value that it stands for.
REFUSED_BY_ORJSON: list[tuple[bytes, Any]] = [
    (rb'"\ud83d"', "\ufffd"),
    (rb'"\uD83D"', "\ufffd"),
    (rb'"\ude00"', "\ufffd"),
    (rb'"\ude00\ude00"', "\ufffd\ufffd"),
    (rb'"\udc00\ud800"', "\ufffd\ufffd"),
    (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
    (rb'"\ud83d\ude00\ude00"', "😀\ufffd"),
    (rb'"\ud83d\u0041"', "\ufffdA"),
    (rb'"\ud83dx\ude00"', "\ufffdx\ufffd"),
    (rb'"\\ud83d \ud83d"', "\\ud83d \ufffd"),
    (rb'"\\\ud83d"', "\\\ufffd"),
    (rb'{"\ud83d":1}', {"\ufffd": 1}),
    (rb'{"a":["\ud83d",{"b":"\udfff"}]}', {"a": ["\ufffd", {"b": "\ufffd"}]}),
    (b"1e999", math.inf),
    (b"-1e999", -math.inf),
    (b"1E+999", math.inf),
    (b"9" * 400 + b".5", math.inf),
    (b"[1e999,2e999,-1e400]", [math.inf, math.inf, -math.inf]),
    (b"9" * 400, "9" * 400),
    (b"-" + b"9" * 5000, "-" + "9" * 5000),
    (rb'{"\ud83d":1e999,"x":1.5}', {"\ufffd": math.inf, "x": 1.5}),
]

# What a reader of the RFC refuses, and where it finds the fault, counted from 0.
REFUSED_BY_ALL: list[tuple[bytes, int]] = [
    (b"", 0),
    (b" ", 0),
    (b"NaN", 0),
    (b"Infinity", 0),
    (b"-Infinity", 1),
    (b"nan", 0),
    (b"'a'", 0),
    (b'"a\x01b"', 2),
    (b'"a\tb"', 2),
    (b"[1,]", 2),
    (b'{"a":1,}', 6),
    (b"{1:2}", 1),
    (b"{1e999:2}", 1),
    (b"01", 0),
    (b"01e999", 0),
    (b"+1", 0),
    (b"+1e999", 0),
    (b"--1e999", 1),
    (b".5", 0),
    (b"1.", 2),
    (b"1e", 2),
    (b"1e999x", 5),
    (b"1 2", 2),
    (b"12345678901234567890123 1", 24),
    (b"truex", 4),
    (rb'"\ud83"', 1),
    (rb'"\x41"', 1),
    (rb"\ud83d", 0),
    (b'{"a":"\\ud83d",}', 13),
    (b"[1e999,123456789012345678901234567890,]", 37),
    (b'["\\', 3),
    (b"\xef\xbb\xbf1", 0),
    (b'"\xff"', 0),
    (b'"\xed\xa0\xbd"', 0),
    (b"[" * 1025 + b"]" * 1025, 1025),
]

NESTED = {"a": {"b": [2 * 10**22, 10**22, 2 * 10**22]}, "c": -(10**22)}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
PIECES = st.sampled_from(
    [*'[]{},:"-+.eE0123456789 \\', r"\ud83d", r"\ude00", r"\n", "true", "null", "1e999", '"a":']
)


def inexact(value: Any) -> Any:
    """The value as a reader of floats has it: no integer beyond 2**53."""
    if isinstance(value, dict):
        return {key: inexact(child) for key, child in value.items()}
    if isinstance(value, list):
        return [inexact(child) for child in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**53 else float(value)
    return value


def whole_if_large(text: str) -> float:
    """A number with a fraction or an exponent, as an int where floats have no fractions left."""
    return float(text) if abs(float(text)) < 2**53 else int(Decimal(text))


def floats_in(value: Any) -> list[float]:
    """All floats in a value, in any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for child in value for number in floats_in(child)]
    return [value] if isinstance(value, float) else []


@BOTH
@pytest.mark.parametrize(("line", "value"), REFUSED_BY_ORJSON, ids=ascii)
def test_what_the_rfc_takes_is_read(read: Any, line: bytes, value: Any) -> None:
    """Half of a surrogate pair is U+FFFD, and a number beyond the floats is infinite."""
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(line)
    assert read(line) == value


@BOTH
@pytest.mark.parametrize(("line", "place"), REFUSED_BY_ALL, ids=lambda case: ascii(case)[:30])
def test_what_the_rfc_refuses_is_refused_at_its_place(read: Any, line: bytes, place: int) -> None:
    """Nothing is taken that is no JSON, and the place of the fault is that in the line."""
    with pytest.raises(orjson.JSONDecodeError) as caught:
        read(line)
    assert caught.value.pos == place
    assert caught.value.msg


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"1234567890123456789012", 1234567890123456789012),
        (b"-1234567890123456789012", -1234567890123456789012),
        (b"18446744073709551615", 18446744073709551615),
        (b"18446744073709551616", 18446744073709551616),
        (b"-9223372036854775808", -9223372036854775808),
        (b"-9223372036854775809", -9223372036854775809),
        (b"9007199254740993.0", 9007199254740993),
        (b"9007199254740993.5", 9007199254740994),
        (b"9007199254740992.0", 9007199254740992),
        (b"1e22", 10**22),
        (b"1.5E+300", 15 * 10**299),
        (b"123456789012345678901200e-2", 1234567890123456789012),
        (b"1234567890123456789012.0", 1234567890123456789012),
        (b"9" * 308, int("9" * 308)),
        (b"1" + b"0" * 400 + b"e-380", 10**20),
        (b'["1e22",1e22,"\\"1e22"]', ["1e22", 10**22, '"1e22']),
        (b'{"a":{"b":[2e22,1e22,2e22]},"c":-1e22}', NESTED),
    ],
    ids=lambda case: ascii(case)[:30],
)
def test_whole_numbers_keep_their_digits(line: bytes, value: Any) -> None:
    """A whole number of any length is exact, however it is written, and not taken for text."""
    read = read_json_exactly(line)
    assert read == value
    assert not floats_in(read)


@pytest.mark.parametrize("line", [b"9007199254740991.0", b"1.5", b"-0.0", b"0.1e-400", b"12e3"])
def test_numbers_that_floats_hold_stay_floats(line: bytes) -> None:
    """Below 2**53 the exact reading is orjson's."""
    read, usual = read_json_exactly(line), orjson.loads(line)
    assert (read, type(read)) == (usual, type(usual))
    assert math.copysign(1, read) == math.copysign(1, usual)


@given(JSON, st.booleans())
@example({"a": [2**70, {"b": 1e300}, True]}, True)
def test_what_orjson_reads_is_read_alike(value: Any, spaced: bool) -> None:
    """Both readers give what orjson gives; the exact one the integers that were written."""
    line = json.dumps(value, ensure_ascii=spaced, indent=1 if spaced else None).encode(
        errors="replace"
    )
    try:
        usual = orjson.loads(line)
    except orjson.JSONDecodeError:
        assume(False)
    assert read_json(line) == usual
    exact = read_json_exactly(line)
    assert inexact(exact) == inexact(usual)
    assert exact == json.loads(line, parse_float=whole_if_large)
    assert not [number for number in floats_in(exact) if abs(number) >= 2**53]


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_the_standard_library_refuses_is_refused(text: str) -> None:
    """Of any text, the readers take what Python's own strict reader takes, and nothing else."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        value = json.loads(text, parse_constant=refuse)
    except ValueError:
        for read in (read_json, read_json_exactly):
            with pytest.raises(orjson.JSONDecodeError):
                read(text.encode())
    else:
        mended = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
        wanted = json.loads(mended.decode("utf-16", "replace"))
        assert read_json(text.encode()) == wanted
        exactly = read_json_exactly(text.encode())
        if isinstance(wanted, float) and isinstance(exactly, int):
            exactly = float(exactly)  # 1e30 has more digits than the float that it is read as
        assert exactly == wanted


@BOTH
@pytest.mark.parametrize("depth", [100, 900, 1024])
def test_the_deepest_that_orjson_reads_is_read_exactly(read: Any, depth: int) -> None:
    """Depth costs no recursion: what is mended inside is found."""
    value = read(b"[" * depth + rb'{"\ud83d":1e999}'[: 0 if depth == 1024 else None] + b"]" * depth)
    for _ in range(depth - 1):
        (value,) = value
    assert value == ([] if depth == 1024 else [{"\ufffd": math.inf}])


@pytest.mark.parametrize(
    "line",
    [
        b'"' + b'\\"' * 500_000,
        b'"' + b"\\" * 999_999,
        b"9" * 1_000_000,
        b"-" * 1_000_000,
        b"1" * 500_000 + b"e-499990",
        b"1e" + b"9" * 999_000,
        b"[" + b"-," * 500_000,
        b"[" + b'"a",' * 250_000 + b"1e999]",
        b"\\ud83d" * 170_000,
        b"[" * 1_000_000,
        b"[1" + b'{"a":' * 200_000,
    ],
    ids=lambda line: ascii(line[:8]),
)
def test_a_megabyte_of_anything_is_read_or_refused_at_once(line: bytes) -> None:
    """The time that a line takes grows no faster than its length, and no depth is too much."""
    try:
        read_json(line)
    except orjson.JSONDecodeError:
        assert line[:1] != b"9"


@given(JSON)
@example({"b": [2**70, -(2**70), True], "a": {"x": 2**200}})
def test_what_was_read_exactly_is_written_again(value: Any) -> None:
    """Integers of any length are written with their digits, where orjson alone refuses them."""
    line = json.dumps(value).encode(errors="replace")
    try:
        exact = read_json_exactly(line)
    except orjson.JSONDecodeError:
        assume(False)
    before = json.dumps(exact)
    assert json.loads(write_json(exact)) == exact
    assert write_json(exact, sort_keys=True) == write_json(
        json.loads(json.dumps(exact, sort_keys=True)), sort_keys=True
    )
    assert json.dumps(exact) == before


def test_writing_refuses_only_depth() -> None:
    """An infinity is null; what is nested too deep is told as orjson tells it."""
    assert write_json({"b": [math.inf], "a": 2**64}) == b'{"b":[null],"a":18446744073709551616}'
    assert write_json({"b": 1, "a": 2**64}, sort_keys=True) == b'{"a":18446744073709551616,"b":1}'
    with pytest.raises(orjson.JSONEncodeError):
        write_json(read_json(b"[" * 500 + b"]" * 500))


@given(JSON.map(lambda value: [value]) | st.lists(st.floats(allow_nan=False) | st.integers()))
@example([2.0**53])
@example({"a": {"b": [-(2.0**53)]}})
@example({"a": 1e16})
@example({"a": -1.5e300})
@example([2.0**53 - 1, 1e-300, 2**64, "[1e22", ":1234567890123456", math.inf])
def test_two_values_are_compared_by_all_their_digits(value: Any) -> None:
    """A number whose digits were lost in reading is told, however it is written; no other is."""
    lost = [number for number in floats_in(value) if 2**53 <= abs(number) < math.inf]
    if lost:
        with pytest.raises(InexactNumberError):
            write_to_compare(value)
    else:
        assert write_to_compare(value) == write_json(value, sort_keys=True)
