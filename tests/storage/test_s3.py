"""Exports in S3, through the command line, against an S3 on this machine."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from convertro_cli.errors import ConvertroError
from convertro_cli.reading.sources import find_exports
from convertro_cli.sandbox.server import Sandbox
from convertro_cli.storage.options import StorageOptions
from convertro_cli.storage.output import open_object
from tests.cli.command_line import CommandLine
from tests.postgres import PostgresServer
from tests.storage.conftest import Bucket, reaching
from tests.storage.servers import CuttingProxy, between, scripted
from tests.system.terminal import on_a_terminal

DAY = 86_400_000
FIRST = 1_704_067_200_000  # 2024-01-01


def order(number: int, day: str = "2024-03-01") -> bytes:
    message = {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"m{number}",
        "anonymousId": "a",
        "timestamp": f"{day}T12:00:00Z",
        "context": {"library": {"name": "analytics.js"}},
        "properties": {"order_id": f"o{number}", "total": 1},
    }
    return json.dumps(message).encode() + b"\n"


def sources(out: bytes) -> list[str]:
    return [json.loads(line)["source"] for line in out.splitlines()]


def test_a_folder_in_a_bucket_is_read_as_a_folder_is(s3: CommandLine, bucket: Bucket) -> None:
    """In order of keys, with what is a marker or hidden passed over, however it is packed."""
    bucket.put("logs/b.gz", gzip.compress(order(2)))
    bucket.put("logs/a.json", order(1))
    bucket.put("logs/.hidden", b"x")
    bucket.put("logs/dummy-object.txt", b"x")
    bucket.put("logs2/c", order(3))
    for name in ("logs/", "logs"):
        found = s3("replay", "--dry-run", bucket.at(name))
        assert found.code == 0, found.err
        assert sources(found.out) == [bucket.at("logs/a.json:1"), bucket.at("logs/b.gz:1")]
        assert "1 hidden" in found.err
        assert "1 no export by its name" in found.err


@pytest.mark.parametrize("key", ["a b+c.gz", "ü/é.json", "a%2Fb", "q?x#y", "[1].json", "it's"])
def test_any_key_is_found_by_its_name_and_explained(
    s3: CommandLine, bucket: Bucket, key: str
) -> None:
    """Blanks, plus signs, percent signs and what is special in patterns stand for themselves."""
    address = bucket.put(key, order(1))
    for argument in (address, bucket.at("")):
        assert sources(s3("replay", "--dry-run", argument).out) == [f"{address}:1"]
    assert "o1" in s3("explain", "--line", f"{address}:1").out.decode()


def test_a_pattern_names_objects(s3: CommandLine, bucket: Bucket) -> None:
    """As it does files: ``*`` within a folder, ``**`` over any."""
    for number, key in enumerate(["x/a.gz", "x/y/b.gz", "x/c.txt"]):
        bucket.put(key, order(number))
    assert sources(s3("replay", "--dry-run", bucket.at("x/*.gz")).out) == [bucket.at("x/a.gz:1")]
    every = s3("replay", "--dry-run", bucket.at("**/*.gz"))
    assert sources(every.out) == [bucket.at("x/a.gz:1"), bucket.at("x/y/b.gz:1")]


def test_an_object_named_twice_is_read_once(s3: CommandLine, bucket: Bucket) -> None:
    """By itself, in a folder, by a pattern; and a marker that is named is read."""
    one, marker = bucket.put("x/a", order(1)), bucket.put("x/_b", order(2))
    found = s3("replay", "--dry-run", one, bucket.at("x/"), bucket.at("x/*"), marker)
    assert sources(found.out) == [f"{one}:1", f"{marker}:1"]


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("segment-logs/src{}/{}/1.gz", [str(FIRST + n * DAY) for n in range(6)]),
        ("p/rudder-logs/src{}/{}/1.gz", [f"2024-01-0{n + 1}" for n in range(6)]),
        ("rudder-logs/src{}/{}/1.gz", [f"01-0{n + 1}-2024" for n in range(6)]),
        ("src{}/gw/{}/3/1.gz", [f"2024-01-0{n + 1}" for n in range(6)]),
        ("jitsu{}/events_{}T10_00_00.ndjson", [f"2024_01_0{n + 1}" for n in range(6)]),
    ],
)
def test_days_before_since_are_not_read(
    s3: CommandLine, bucket: Bucket, layout: str, names: list[str]
) -> None:
    """In each known layout, and for every source, with a day's margin; locally as well."""
    for source in (1, 2):
        for number, name in enumerate(names):
            key = layout.format(source, name)
            bucket.put(key, order(source * 10 + number, f"2024-01-0{number + 1}"))
            path = s3.workspace.folder / "local" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(order(source * 10 + number, f"2024-01-0{number + 1}"))
    for place in (bucket.at(""), "local"):
        found = s3("replay", "--dry-run", "--since", "2024-01-05", place, "--json", "-o", "out")
        summary = json.loads(found.out)
        assert summary["files"]["read"] == 6  # the 4th (its margin), 5th and 6th of each source
        assert summary["messages"]["delivered"] == 4


def test_what_was_replayed_is_known_again_until_it_is_replaced(
    s3: CommandLine, bucket: Bucket, sandbox: Sandbox
) -> None:
    """By address, size and tag, as a file is by more."""
    address = bucket.put("a", order(1))
    first = s3.replay(sandbox.url, bucket.at("")).summary
    again = s3.replay(sandbox.url, bucket.at("")).summary
    assert (first["files"]["read"], again["files"]["read"], again["files"]["skipped"]) == (1, 0, 1)
    bucket.put("a", order(2))
    assert s3.replay(sandbox.url, address).summary["files"]["read"] == 1


@pytest.mark.parametrize(
    ("lines", "lengths"), [(3_500, (300_000, 900_000)), (100, (20_000, 60_000))]
)
def test_broken_connections_are_taken_up_at_the_byte(
    convertro: CommandLine, s3_port: int, bucket: Bucket, lines: int, lengths: tuple[int, int]
) -> None:
    """An object arrives whole over connections that break again and again.

    One of several parts does, and one that is asked for as a whole.
    """
    dice = random.Random(5)
    noise = "".join(dice.choices("abcdefghij", k=1_200))
    content = b"".join(order(n)[:-2] + f',"x":"{noise}"}}\n'.encode() for n in range(lines))
    bucket.put("big", content)
    proxy = CuttingProxy(s3_port, iter(lambda: dice.randint(*lengths), 0))
    found = reaching(convertro, proxy.port)("replay", "--dry-run", bucket.at("big"))
    proxy.close()
    assert found.code == 0, found.err
    assert sources(found.out) == [bucket.at(f"big:{n + 1}") for n in range(lines)]
    assert proxy.cuts >= 3


@pytest.mark.parametrize(("lines", "before"), [(9_000, 4 << 20), (20, 0)], ids=["large", "small"])
def test_a_replaced_object_is_noticed_and_never_mixed(
    s3: CommandLine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, lines: int, before: int
) -> None:
    """Its end is not read as that of the object before: the run ends with 66 and says so.

    Nor is one that was replaced after it was listed taken for the one that was.
    """
    content = b"".join(order(n).ljust(999) + b"\n" for n in range(lines))
    bucket.put("folder/big", content)
    from convertro_cli.storage import reader  # noqa: PLC0415 - where parts are fetched

    fetch = reader.fetch

    def fetch_and_replace(*arguments: Any, **named: Any) -> object:
        if arguments[2][0] == before:
            bucket.put("folder/big", content[::-1])
        return fetch(*arguments, **named)

    monkeypatch.setattr(reader, "fetch", fetch_and_replace)
    found = s3("replay", "--dry-run", bucket.at("folder/"))
    assert found.code == 66
    assert "it was replaced while it was read" in found.err
    assert "Run the same command again." in found.err
    assert len(sources(found.out)) <= before / 999


def answered(status: int, code: str) -> tuple[int, bytes]:
    return status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


@pytest.mark.parametrize(
    ("status", "code", "said", "advice"),
    [
        (403, "AccessDenied", "the credentials may not read it", "right to list the bucket"),
        (403, "InvalidAccessKeyId", "the access key is not known there", "Check the credentials"),
        (403, "SignatureDoesNotMatch", "the secret key does not fit", "Check the credentials"),
        (400, "ExpiredToken", "the credentials have expired", "Sign in again"),
        (403, "RequestTimeTooSkewed", "the clock of this machine is off", "Set the clock"),
        (400, "AuthorizationHeaderMalformed", "is in another region", "Set storage.region"),
        (301, "PermanentRedirect", "is in another region", "Set storage.region"),
        (404, "NoSuchBucket", "there is no such bucket", "Check the name"),
    ],
)
def test_each_refusal_is_one_sentence_with_what_to_do(
    convertro: CommandLine, status: int, code: str, said: str, advice: str
) -> None:
    """Whether it comes for an object or for a list."""
    with scripted(lambda _: answered(status, code)) as port:
        for place in ("s3://acme/logs/", "s3://acme/logs/a.gz", "s3://acme/logs/416.gz"):
            found = reaching(convertro, port)("replay", "--dry-run", place)
            assert found.code == 66
            assert f"Cannot read '{place}': " in found.err
            assert said in found.err
            assert advice in found.err


def test_a_missing_bucket_and_a_missing_object_are_told(s3: CommandLine, bucket: Bucket) -> None:
    """Each with its own sentence."""
    bucket.put("a", order(1))
    assert "there is no such bucket" in s3("inspect", "s3://nobody-has-it/x/").err
    missing = s3("inspect", bucket.at("b"))
    assert missing.code == 66
    assert "there is no such object, and no folder of that name" in missing.err


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows who is spoken to")
def test_without_credentials_nothing_but_this_machine_is_asked(
    s3: CommandLine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last resort, a cloud's own address for credentials, is pinned in all these tests."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    trace = s3.workspace.folder / "trace"
    command = ["strace", "-f", "-qq", "-e", "trace=connect", "-o", str(trace)]
    command += [sys.executable, "-m", "convertro_cli", "inspect", bucket.at("x/")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 66
    assert "there are no credentials for it" in found.stderr
    assert "AWS_ACCESS_KEY_ID" in found.stderr
    spoken_to = set(re.findall(r'inet_addr\("([^"]+)"\)', trace.read_text()))
    assert spoken_to == {"127.0.0.1"}


def test_a_list_of_twenty_thousand_is_read_whole() -> None:
    """Page after page, each key once, and no object is asked about for the list's sake."""
    asked: list[str] = []

    def answer(path: str) -> tuple[int, bytes]:
        asked.append(path)
        return page_of(path, 20_000)

    with scripted(answer) as port:
        options = StorageOptions(endpoint_url=f"http://127.0.0.1:{port}")
        found = find_exports(["s3://acme/n/"], storage=options, at_once=50)
        assert (len(found.files), found.is_whole, found.total_bytes) == (50, False, None)
        names = [file.name for file in found]
    assert names == [f"s3://acme/n/{number:05}" for number in range(20_000)]
    assert found.is_whole
    assert len(asked) == 20


LIST = """
import resource, sys
from convertro_cli.reading.sources import find_exports
from convertro_cli.storage.options import StorageOptions
options = StorageOptions(endpoint_url=sys.argv[1])
peaks = []
for at in range(2):  # the second list is ten times as long
    count = sum(1 for _ in find_exports([f"s3://acme{at}/n/"], storage=options, at_once=50))
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(count, peaks[1] - peaks[0])
"""


def test_a_list_takes_no_more_memory_the_longer_it_is() -> None:
    """A page or two of it is all that is held."""
    with scripted(lambda path: page_of(path, 30_000 if "acme1" in path else 3_000)) as port:
        command = [sys.executable, "-c", LIST, f"http://127.0.0.1:{port}"]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    count, grown = map(int, found.stdout.split())
    assert count == 30_000
    assert grown < 4_000  # KB; as a list of files it would be 20,000


def page_of(path: str, count: int) -> tuple[int, bytes]:
    """A page of an endless bucket's list, as S3 writes it."""
    query = parse_qs(urlsplit(path).query)
    start = int(query.get("continuation-token", ["0"])[0])
    end = min(start + 1000, count)
    keys = "".join(
        f"<Contents><Key>n/{number:05}</Key><Size>9</Size><ETag>&quot;e&quot;</ETag>"
        "<LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>"
        for number in range(start, end)
    )
    more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < count else ""
    return 200, f"<ListBucketResult>{keys}{more}</ListBucketResult>".encode()


def test_output_appears_in_the_bucket_whole_or_not_at_all(s3: CommandLine, bucket: Bucket) -> None:
    """The lines of a dry run, and a report; nothing of a run that fails."""
    bucket.put("in/a", order(1))
    assert s3("replay", "--dry-run", bucket.at("in/"), "-o", bucket.at("out/calls")).code == 0
    assert sources(bucket.get("out/calls")) == [bucket.at("in/a:1")]
    assert s3("inspect", bucket.at("in/"), "-o", bucket.at("out/report.json")).code == 0
    assert json.loads(bucket.get("out/report.json"))["messages"]["read"] == 1
    failed = s3("replay", "--dry-run", bucket.at("in/"), "-o", "s3://nobody-has-it/x")
    assert failed.code == 74
    assert "Cannot write 's3://nobody-has-it/x': there is no such bucket." in failed.err
    assert bucket.keys() == ["in/a", "out/calls", "out/report.json"]


def test_a_dead_letter_names_the_object(s3: CommandLine, bucket: Bucket, sandbox: Sandbox) -> None:
    """So that its line can be found again."""
    address = bucket.put("a", order(1) + b"{broken\n")
    s3.replay(sandbox.url, address)
    letters = s3.workspace.folder / ".convertro" / "dead-letters.ndjson"
    assert json.loads(letters.read_bytes())["source"] == f"{address}:2"


def test_without_the_extra_its_name_is_told(
    convertro: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the rest of the program goes on without it."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    found = convertro("inspect", "s3://acme/x")
    assert found.code == 2
    assert "pip install 'convertro[objects]'" in found.err


def test_replays_with_one_ledger_share_the_objects_of_a_bucket(
    s3: CommandLine, bucket: Bucket, sandbox: Sandbox, postgres: PostgresServer
) -> None:
    """Each object is read by one of them, and by none later as long as it is what it was."""
    for number in range(60):
        bucket.put(f"logs/{number:02}.json", order(number))
    shared = ("--ledger", postgres.create_database())
    command = ("replay", bucket.at("logs/"), "--base-url", sandbox.url, "--json", *shared)
    both = [s3.workspace.start(*command) for _ in range(2)]
    summaries = [each.end().summary for each in both]
    assert sum(summary["files"]["read"] for summary in summaries) == 60
    assert sum(summary["messages"]["delivered"] for summary in summaries) == 60
    bucket.put("logs/07.json", order(7) + order(100))
    again = s3.replay(sandbox.url, bucket.at("logs/"), *shared).summary
    assert (again["files"]["read"], again["files"]["skipped"]) == (1, 59)
    assert again["messages"]["delivered"] == again["messages"]["already_delivered"] == 1
    assert (sandbox.stats()["unique"], sandbox.stats()["repeats"]) == (61, 0)


def test_the_number_found_is_on_the_terminal_while_a_bucket_is_listed(
    convertro: CommandLine,
) -> None:
    """Page by page, before there is anything to read: here nothing fits the pattern."""
    seen = threading.Event()

    def answer(path: str) -> tuple[int, bytes]:
        if "list-type" not in path:
            return answered(404, "NoSuchKey")
        return page_of(path, 0 if seen.is_set() else 1 << 30)  # it never ends by itself

    with scripted(answer) as port:
        folder = reaching(convertro, port).workspace.folder
        command = ("replay", "--dry-run", "s3://acme/n/*.gz")
        with on_a_terminal(folder, *command, kind="xterm") as terminal:
            terminal.wait_for(",000 files found so far")
            seen.set()
            assert terminal.end() == 66


def test_credentials_that_expire_end_a_run_once(
    convertro: CommandLine, s3_port: int, bucket: Bucket, sandbox: Sandbox
) -> None:
    """With one sentence, however many objects are left; the next run goes on from there."""
    for number in range(100):
        bucket.put(f"logs/{number:02}", order(number))
    asked = []

    def answer(_: str, path: str) -> tuple[int, bytes] | None:
        asked.append(path)
        return answered(403, "ExpiredToken") if len(asked) > 40 else None

    with between(s3_port, answer) as port:
        for command in ("inspect", "replay"):
            asked.clear()
            options = ("--base-url", sandbox.url) if command == "replay" else ()
            ended = reaching(convertro, port)(command, bucket.at("logs/"), *options)
            assert ended.code == 66
            assert ended.err.count("the credentials have expired") == 1, ended.err
            assert "Sign in again" in ended.err
            assert len(asked) < 90
    again = reaching(convertro, s3_port).replay(sandbox.url, bucket.at("logs/")).summary
    assert again["files"]["damaged"] == 0
    assert again["files"]["read"] + again["files"]["skipped"] == 100
    assert (sandbox.stats()["unique"], sandbox.stats()["repeats"]) == (100, 0)


@pytest.mark.parametrize("which", ["uploads=", "partNumber=1&", "partNumber=2&", "complete"])
def test_an_upload_that_fails_leaves_nothing_behind(
    s3_port: int, bucket: Bucket, which: str
) -> None:
    """Whichever of its requests is refused: no object, and no part of one that is paid for."""

    def answer(method: str, path: str) -> tuple[int, bytes] | None:
        completes = method == "POST" and "uploadId=" in path
        refused = completes if which == "complete" else method != "DELETE" and which in path
        return answered(403, "AccessDenied") if refused else None

    with between(s3_port, answer) as port:
        options = StorageOptions(endpoint_url=f"http://127.0.0.1:{port}")
        with (
            pytest.raises(ConvertroError, match="Cannot write"),
            open_object(bucket.at("out"), options, lambda: True) as out,
        ):
            out.write(bytes(20 << 20))
    assert (bucket.keys(), bucket.uploads()) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_upload_that_is_interrupted_leaves_nothing_behind(
    s3_port: int, bucket: Bucket, number: signal.Signals
) -> None:
    """The parts that are there are taken back, and the exit code is that of the signal."""
    sent = []

    def answer(_: str, path: str) -> tuple[int, bytes] | None:
        if "partNumber=1&" in path:
            sent.append(path)
            os.kill(os.getpid(), number)
        return None

    with between(s3_port, answer) as port:
        options = StorageOptions(endpoint_url=f"http://127.0.0.1:{port}")
        with (
            pytest.raises(ConvertroError, match="Interrupted") as raised,
            open_object(bucket.at("out"), options, lambda: True) as out,
        ):
            out.write(bytes(60 << 20))
    assert raised.value.exit_code == 128 + number
    assert sent
    assert (bucket.keys(), bucket.uploads()) == ([], [])


def test_a_large_output_arrives_whole(s3_port: int, bucket: Bucket) -> None:
    """In parts that are put together; and nothing is asked for the sake of one not kept."""
    asked: list[str] = []

    def answer(_: str, path: str) -> tuple[int, bytes] | None:
        asked.append(path)
        return None

    with between(s3_port, answer) as port:
        options = StorageOptions(endpoint_url=f"http://127.0.0.1:{port}")
        with open_object(bucket.at("not-kept"), options, lambda: False) as out:
            out.write(bytes(20 << 20))
        assert asked == []
        content = random.Random(1).randbytes(20 << 20)
        with open_object(bucket.at("out"), options, lambda: True) as out:
            out.write(content)
    assert bucket.get("out") == content
    assert (bucket.keys(), bucket.uploads()) == (["out"], [])


def test_an_output_is_no_export_of_its_bucket(s3: CommandLine, bucket: Bucket) -> None:
    """It would be written over what is read; in another place of the bucket it may lie."""
    address = bucket.put("in/a", order(1))
    for command in (("replay", "--dry-run"), ("inspect",)):
        found = s3(*command, bucket.at("in/"), "--output", address)
        found.assert_told(2, f"--output {address} would be written over an export")
    assert bucket.get("in/a") == order(1)
