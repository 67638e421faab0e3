"""What counts as an answer of Convertro's, what is kept of others, and when they stop a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertro_cli.delivery.answers import Answer, Success, is_html, is_success, read_answer
from convertro_cli.delivery.transport import TOLD_BODY, RequestOutcome, Transport
from convertro_cli.errors import ExitCode
from tests.delivery.fakes import LOST, OK, MemoryLedger, Reply
from tests.delivery.network import fetch_one
from tests.delivery.raw_server import RawServer, answer, answering
from tests.delivery.rig import Config, Rig, key_of, name_of, numbered

PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>"


# --- what is a success


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (PAGE, "text/html; charset=utf-8", True),
        (PAGE, "", True),
        (PAGE, "application/json", True),
        (b"\xef\xbb\xbf \n<HTML lang=en>", "", True),
        (b"<html>", "text/plain", True),
        (b'<?xml version="1.0"?>\n<html xmlns="x">', "", True),
        (b"<center>Please pay</center>", "text/html", True),
        (b"<center>Please pay</center>", "text/plain", False),
        (b"<response>ok</response>", "text/xml", False),
        (b"OK", "text/html", False),
        (b"", "text/html", False),
        (b"GIF89a\x01\x00", "image/gif", False),
        (b'{"error":"unknown account"}', "application/json", False),
        (b'{"html":"<html>"}', "application/json", False),
        (b"<htmlx>", "", False),
    ],
)
def test_a_document_is_told_by_its_first_bytes(
    body: bytes, content_type: str, expected: bool
) -> None:
    """A page is a page whatever it is called; what is merely called HTML is none."""
    assert is_html(body, content_type) is expected


@pytest.mark.parametrize(
    ("success", "status", "body", "expected"),
    [
        ("not-html", 200, b"", True),
        ("not-html", 204, b"", True),
        ("not-html", 200, PAGE, False),
        ("not-html", 302, b"", False),
        ("any", 200, PAGE, True),
        ("any", 299, b"", True),
        ("any", 404, b"", False),
        (frozenset({204}), 204, b"", True),
        (frozenset({204}), 200, b"", False),
        (frozenset({200, 302}), 302, PAGE, True),
    ],
)
def test_what_counts_is_a_setting(
    success: Success, status: int, body: bytes, expected: bool
) -> None:
    """By default any 2xx but a page, else any 2xx, or exactly the statuses listed."""
    assert is_success(RequestOutcome(1, status, body=body), success) is expected


def test_the_beginning_of_a_body_is_told(transport: Transport) -> None:
    """Each transport hands over the first part of a body and its type, of an error as well."""
    body = b"x" * (2 * TOLD_BODY)
    sent = answer(404, "Content-Type: text/plain", body=body)
    with RawServer(answering(sent, answer(204), answer(200, body=b"short"))) as server:
        first, second, third = (fetch_one(transport, server.url + "/") for _ in range(3))

    assert (first.body, first.content_type) == (body[:TOLD_BODY], "text/plain")
    assert (second.body, second.content_type) == (b"", "")
    assert (third.body, third.content_type) == (b"short", "")


def test_what_is_kept_of_an_answer_is_harmless_and_short() -> None:
    """500 characters at the most; control characters are escaped, broken bytes replaced."""
    outcome = RequestOutcome(1, 400, body=b"a\x1b[31m\x00\xff\n" + b"y" * 900)

    kept = read_answer(outcome)

    assert kept is not None
    assert kept.body.startswith("a\\x1b[31m\\x00\ufffd\\nyyy")
    assert len(kept.body) == 500
    assert kept.body.isprintable()


def test_a_dead_letter_keeps_the_answer(tmp_path: Path) -> None:
    """Of a refusal and of a last failure: status and body; of a fault there is none to keep."""
    replies = {
        "e1": Reply(400, body=b"no such \x07 site"),
        "e2": Reply(500, body=b"oops"),
        "e3": LOST,
        "e4": Reply(200, body=PAGE, content_type="text/html"),
    }
    config = Config(max_attempts=2, rate_limit=50)
    rig = Rig(tmp_path, lambda url, _: replies.get(name_of(url), OK), config)
    rig.offer(numbered(300)).run()

    letters = {letter["event"]["messageId"]: letter for letter in rig.letter_list()}
    assert letters["e1"]["answer"] == {"status": 400, "body": "no such \\x07 site"}
    assert letters["e2"]["answer"] == {"status": 500, "body": "oops"}
    assert "answer" not in letters["e3"]
    assert letters["e4"]["reason"] == "unexpected_answer"
    assert letters["e4"]["answer"]["status"] == 200
    assert list(letters["e1"]) == ["reason", "detail", "answer", "source", "at", "event"]


# --- the circuit breaker


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(404, body=b"no such path"), ["404 Not Found", '"no such path"', "wire.paths"]),
        (Reply(400), ["400 Bad Request", "empty body", "wire.params"]),
        (Reply(401), ["401 Unauthorized", "account"]),
        (Reply(403), ["403 Forbidden", "account"]),
        (Reply(410), ["410 Gone", "wire.paths"]),
        (Reply(302), ["302 Found", "wire.base_url"]),
        (Reply(200, body=PAGE), ["200 OK", "proxy", "wire.success"]),
    ],
)
@pytest.mark.parametrize("good", [0, 700])
def test_refusals_in_a_row_stop_a_run(
    tmp_path: Path, reply: Reply, words: list[str], good: int
) -> None:
    """After 100 of one kind the run ends with 75 and says why, and none of them has failed."""
    ledger = MemoryLedger()
    fine = {f"e{number}" for number in range(good)}
    rig = Rig(tmp_path, lambda url, _: OK if name_of(url) in fine else reply, ledger=ledger)
    rig.feed([numbered(100, start) for start in range(0, good + 1000, 100)])
    rig.drain()
    rig.end()

    assert rig.problem is not None
    assert rig.problem.exit_code is ExitCode.TRY_LATER
    for word in words:
        assert word in f"{rig.problem.message} {rig.problem.hint}"
    assert rig.letter_list() == []
    assert rig.calls().get("delivered", 0) == good
    assert rig.calls()["attempts"] < good + 100 + 256
    assert ledger.sending == set()

    later = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(numbered(good + 1000)).run()
    assert later.calls()["delivered"] == 1000


def test_a_success_between_them_makes_dead_letters(tmp_path: Path) -> None:
    """Half of all are refused, again and again: each is a dead letter, and the run goes on."""
    rig = Rig(tmp_path, lambda url, _: Reply(404) if int(name_of(url)[1:]) % 2 else OK)
    rig.offer(numbered(1000)).run()

    assert rig.problem is None
    assert len(rig.reasons) == rig.calls()["delivered"] == 500


def test_refusals_of_two_kinds_do_not_stop_it(tmp_path: Path) -> None:
    """As long as the kind changes, it is the events' own fault."""
    rig = Rig(
        tmp_path,
        lambda url, _: Reply(404 if int(name_of(url)[1:]) // 50 % 2 else 400),
        Config(fixed=1),
    )
    rig.offer(numbered(400)).run()

    assert rig.problem is None
    assert len(rig.reasons) == 400


def test_redirects_are_of_one_kind(tmp_path: Path) -> None:
    """Whether 301 or 302, it leads elsewhere."""
    rig = Rig(tmp_path, lambda url, _: Reply(301 + int(name_of(url)[1:]) % 2))
    rig.offer(numbered(400)).run()

    assert rig.problem is not None


@pytest.mark.parametrize(("stop_after", "count"), [(100, 99), (0, 1000), (256, 255)])
def test_too_few_of_them_are_dead_letters_at_the_end(
    tmp_path: Path, stop_after: int, count: int
) -> None:
    """A run that is over before that many have failed; and the summary says what was answered."""
    server = Reply(404, body=b"no such path")
    rig = Rig(tmp_path, lambda *_: server, Config(stop_after_refusals=stop_after))
    rig.offer(numbered(count)).run()

    assert rig.problem is None
    assert len(rig.reasons) == count
    said = rig.delivery.refused_all() or ""
    assert '404 Not Found, "no such path"' in said
    assert "[wire.paths]" in said


def test_what_is_held_back_at_a_crash_comes_again(tmp_path: Path) -> None:
    """A refusal that was held back is not settled in the ledger, nor in doubt."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, lambda *_: Reply(404), ledger=ledger).offer(numbered(40))
    while not rig.delivery.is_idle:
        rig.step()

    assert ledger.calls == {}
    assert ledger.sending == set()
    later = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(numbered(40)).run()
    assert later.calls() == {"delivered": 40, "attempts": 40}


def test_a_refusal_after_a_doubt_stays_in_doubt_when_the_run_stops(tmp_path: Path) -> None:
    """A call that may have arrived before it was refused is still marked after the stop."""
    ledger = MemoryLedger()
    lost = iter([LOST])
    config = Config(stop_after_refusals=20, fixed=1, backoff=lambda _: 0.0)
    rig = Rig(tmp_path, lambda *_: next(lost, Reply(403)), config, ledger=ledger)
    rig.offer(numbered(100)).run()
    rig.end()

    assert rig.problem is not None
    assert ledger.sending == {key_of("e0")}
    assert rig.delivery.count_in_doubt() == 1


def test_an_answer_is_told_in_one_line() -> None:
    """The status with its name, and the first 200 characters of the body."""
    assert Answer(404, "").in_words == "404 Not Found, with an empty body"
    assert Answer(499, "a  b").in_words == '499, "a b"'
    assert len(Answer(400, "z" * 500).in_words) < 230
