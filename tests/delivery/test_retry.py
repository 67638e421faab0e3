"""What outcomes mean, whichever transport they come from, and what a server asks to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from email.utils import formatdate

import pytest

from convertro_cli.delivery.retry import Verdict, judge, read_retry_after, reason
from convertro_cli.delivery.transport import RequestOutcome, Transport, TransportOptions
from convertro_cli.delivery.transports import open_transport
from tests.delivery.fakes import LOST, REFUSED, TIMEOUT, FakeClock, FakeTransport, Reply
from tests.delivery.network import closed_port, fetch_one
from tests.delivery.raw_server import RawServer, Script, Talk, answer, answering

DELIVERED = [200, 201, 202, 203, 204, 205, 206, 226]
TRIED_AGAIN = [408, 425, 429, 500, 502, 503, 504]
FINAL = [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 409, 410, 411, 412]
FINAL += [413, 414, 415, 418, 421, 422, 423, 428, 431, 451, 501, 505, 507, 508, 511, 520, 599]


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict.DELIVERED, status) for status in DELIVERED]
    + [(Verdict.RETRY, status) for status in TRIED_AGAIN]
    + [(Verdict.FAILED, status) for status in FINAL],
)
def test_every_status_has_its_verdict(verdict: Verdict, status: int) -> None:
    """2xx is delivered, seven statuses are tried again, every other one has failed for good."""
    assert judge(RequestOutcome(1, status)) is verdict
    if verdict is not Verdict.DELIVERED:
        assert reason(RequestOutcome(1, status)) == f"http_{status}"


def test_no_status_is_left_out() -> None:
    """Of all the statuses there can be, exactly those seven are tried again."""
    again = [
        status for status in range(300, 1000) if judge(RequestOutcome(1, status)) is Verdict.RETRY
    ]

    assert again == TRIED_AGAIN


@pytest.mark.parametrize(
    "fault", ["timeout", "connection_failed", "connection_lost", "untrusted_certificate"]
)
def test_every_fault_is_tried_again(fault: str) -> None:
    """Without an answer nothing is final, and the fault is the reason."""
    assert judge(RequestOutcome(1, fault=fault)) is Verdict.RETRY
    assert reason(RequestOutcome(1, fault=fault)) == fault


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 12 ", 12),
        ("3600", 3600),
        (None, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_a_retry_after_is_read(header: str | None, seconds: float | None) -> None:
    """Whole seconds or a date are read, a date in the past as no wait, and nothing else."""
    assert read_retry_after(header) == seconds


def test_a_retry_after_date_is_read_as_seconds_from_now() -> None:
    """A date in the future comes out as the time until then."""
    assert read_retry_after(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=2)


# --- one table for all transports


def _break_off(talk: Talk) -> None:
    talk.read()
    talk.close()


def _say_nothing(talk: Talk) -> None:
    talk.read()
    talk.wait_for_end()


SCENES: list[tuple[str, Reply, Script | None, Verdict, str, bool]] = [
    ("204", Reply(204), answering(answer(204)), Verdict.DELIVERED, "http_204", False),
    ("302", Reply(302), answering(answer(302)), Verdict.FAILED, "http_302", False),
    ("404", Reply(404), answering(answer(404)), Verdict.FAILED, "http_404", False),
    ("429", Reply(429), answering(answer(429)), Verdict.RETRY, "http_429", False),
    ("500", Reply(500), answering(answer(500)), Verdict.RETRY, "http_500", False),
    ("501", Reply(501), answering(answer(501)), Verdict.FAILED, "http_501", False),
    ("503", Reply(503), answering(answer(503)), Verdict.RETRY, "http_503", False),
    ("timeout", TIMEOUT, _say_nothing, Verdict.RETRY, "timeout", True),
    ("reset", LOST, _break_off, Verdict.RETRY, "connection_lost", True),
    ("refused", REFUSED, None, Verdict.RETRY, "connection_refused", False),
]


@pytest.fixture(params=["fake", "requests", "curl"])
def carry(request: pytest.FixtureRequest) -> Callable[[Reply, Script | None], RequestOutcome]:
    """Carries out one request to a server that behaves so, by each transport in turn."""

    def carry_out(reply: Reply, script: Script | None) -> RequestOutcome:
        with ExitStack() as opened:
            transport: Transport
            if request.param == "fake":
                transport = FakeTransport(lambda *_: reply, FakeClock())
                return fetch_one(transport, "http://convertro.test/")
            pytest.importorskip("pycurl" if request.param == "curl" else "requests")
            transport = open_transport(request.param, TransportOptions(0.3, 2))
            opened.callback(transport.close)
            if script is None:
                return fetch_one(
                    transport, f"http://127.0.0.1:{opened.enter_context(closed_port())}/"
                )
            return fetch_one(transport, opened.enter_context(RawServer(script)).url + "/")

    return carry_out


@pytest.mark.parametrize(
    ("reply", "script", "verdict", "why", "maybe_received"),
    [scene[1:] for scene in SCENES],
    ids=[scene[0] for scene in SCENES],
)
def test_all_transports_tell_the_same_story(
    carry: Callable[[Reply, Script | None], RequestOutcome],
    reply: Reply,
    script: Script | None,
    verdict: Verdict,
    why: str,
    maybe_received: bool,
) -> None:
    """What the fake one says of a trouble is what the real ones say of it."""
    outcome = carry(reply, script)

    assert judge(outcome) is verdict
    assert verdict is Verdict.DELIVERED or reason(outcome) == why
    assert outcome.maybe_received == maybe_received
    assert (outcome.status is None) == (outcome.fault is not None)
