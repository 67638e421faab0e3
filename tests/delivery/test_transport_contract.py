"""What every transport must do, tried on each of them over real sockets."""

from __future__ import annotations

import gc
import http.cookiejar
import resource
import time
from collections.abc import Callable
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path

import pytest

from convertro_cli.delivery.retry import Verdict, judge, reason
from convertro_cli.delivery.transport import KEPT_BODY, RequestOutcome, Transport
from tests.delivery.conftest import OpenTransport
from tests.delivery.network import closed_port, collect, deaf_port, fetch, fetch_one
from tests.delivery.raw_server import OK, RawServer, Script, Talk, answer, answering, saying

MEGABYTE = 1 << 20

Serve = Callable[[Script], RawServer]


@pytest.fixture
def serve(opened: ExitStack) -> Serve:
    """Starts servers that end with the test."""
    return lambda script: opened.enter_context(RawServer(script))


def judged(outcome: RequestOutcome) -> Verdict:
    return judge(outcome)


# --- answers


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_any_2xx_is_delivered(transport: Transport, serve: Serve, status: int) -> None:
    """Every success status is taken as delivered."""
    outcome = fetch_one(transport, serve(answering(answer(status))).url + "/")

    assert (outcome.status, outcome.fault, judged(outcome)) == (status, None, Verdict.DELIVERED)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_to_be_tried_again(
    transport: Transport, serve: Serve, status: int
) -> None:
    """The statuses that speak of the moment are tried again, and by the loop, not hidden below."""
    server = serve(answering(answer(status)))

    outcome = fetch_one(transport, server.url + "/")

    assert (judged(outcome), reason(outcome)) == (Verdict.RETRY, f"http_{status}")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 414, 422, 451, 501, 505])
def test_any_other_error_status_has_failed_for_good(
    transport: Transport, serve: Serve, status: int
) -> None:
    """The statuses that speak of the request are final."""
    outcome = fetch_one(transport, serve(answering(answer(status))).url + "/")

    assert (judged(outcome), reason(outcome)) == (Verdict.FAILED, f"http_{status}")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_redirects_are_never_followed(transport: Transport, serve: Serve, status: int) -> None:
    """A 3xx is final, and its Location is not asked."""
    server = serve(answering(answer(status, "Location: /elsewhere"), OK))

    outcome = fetch_one(transport, server.url + "/first")

    assert (judged(outcome), reason(outcome)) == (Verdict.FAILED, f"http_{status}")
    assert [request.target for request in server.requests] == ["/first"]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_told(transport: Transport, serve: Serve, status: int) -> None:
    """A Retry-After in seconds comes out as it is."""
    outcome = fetch_one(transport, serve(answering(answer(status, "Retry-After: 7"))).url + "/")

    assert outcome.retry_after == 7


def test_retry_after_as_a_date_is_told_in_seconds(transport: Transport, serve: Serve) -> None:
    """A Retry-After that is a date comes out as the seconds until then."""
    header = f"Retry-After: {formatdate(time.time() + 90, usegmt=True)}"

    outcome = fetch_one(transport, serve(answering(answer(503, header))).url + "/")

    assert outcome.retry_after == pytest.approx(90, abs=5)


@pytest.mark.parametrize("value", ["soon", "-5", "", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_retry_after_that_asks_for_nothing_is_no_wait(
    transport: Transport, serve: Serve, value: str
) -> None:
    """A Retry-After that cannot be read, or lies in the past, asks for no wait."""
    outcome = fetch_one(transport, serve(answering(answer(503, f"Retry-After: {value}"))).url + "/")

    assert not outcome.retry_after
    assert outcome.status == 503


def test_an_informational_answer_is_not_the_answer(transport: Transport, serve: Serve) -> None:
    """A 1xx before the answer is passed over; alone, before a break, it says nothing."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if talk.number == 1:
            talk.send(OK)
            talk.read()
        talk.close()

    server = serve(script)

    assert fetch_one(transport, server.url + "/").status == 200
    lost = fetch_one(transport, server.url + "/")
    assert judged(lost) is Verdict.RETRY
    assert lost.maybe_received


# --- no answer


def test_a_refused_connection_is_tried_again_without_doubt(transport: Transport) -> None:
    """Nobody listens: the request cannot have arrived."""
    with closed_port() as port:
        outcome = fetch_one(transport, f"http://127.0.0.1:{port}/")

    assert (outcome.status, outcome.fault) == (None, "connection_refused")
    assert not outcome.maybe_received
    assert judged(outcome) is Verdict.RETRY


def test_an_unknown_host_is_tried_again_without_doubt(transport: Transport) -> None:
    """A name that cannot be looked up: the request cannot have arrived."""
    outcome = fetch_one(transport, "http://convertro.invalid/")

    assert outcome.fault == "host_not_found"
    assert not outcome.maybe_received


def test_a_connection_that_is_not_taken_times_out_without_doubt(
    transport_of: OpenTransport,
) -> None:
    """Connecting takes too long: a timeout, and the request was not sent yet."""
    with deaf_port() as port:
        outcome = fetch_one(transport_of(timeout=0.3), f"http://127.0.0.1:{port}/")

    assert (outcome.status, outcome.fault) == (None, "timeout")
    assert not outcome.maybe_received
    assert 0.25 <= outcome.elapsed < 3


def test_an_answer_that_does_not_come_times_out_in_doubt(
    transport_of: OpenTransport, serve: Serve
) -> None:
    """The request was sent and nothing came back in time: it may have arrived."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.wait_for_end()

    outcome = fetch_one(transport_of(timeout=0.3), serve(script).url + "/")

    assert (outcome.status, outcome.fault) == (None, "timeout")
    assert outcome.maybe_received
    assert 0.25 <= outcome.elapsed < 3


def test_a_body_that_trickles_does_not_hold_up_its_answer(
    transport_of: OpenTransport, serve: Serve
) -> None:
    """The status is known, so a body that takes for ever is cut off after the timeout."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        talk.trickle(b".")

    started = time.monotonic()
    outcome = fetch_one(transport_of(timeout=0.3), serve(script).url + "/")

    assert outcome.status == 200
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("sent", [b"", b"HTT", b"HTTP/1.1 20"])
def test_a_connection_that_ends_before_the_status_leaves_doubt(
    transport: Transport, serve: Serve, sent: bytes, how: str
) -> None:
    """Without a whole status line nothing is known: the request may have arrived."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(sent)
        (talk.close if how == "close" else talk.reset)()

    server = serve(script)
    outcome = fetch_one(transport, server.url + "/")

    assert (outcome.status, outcome.fault) == (None, "connection_lost")
    assert outcome.maybe_received
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_a_connection_that_ends_after_the_status_changes_nothing(
    transport: Transport, serve: Serve, sent: bytes
) -> None:
    """The status decides; the rest of the answer does not matter."""
    outcome = fetch_one(transport, serve(saying(sent)).url + "/")

    assert (outcome.status, judged(outcome)) == (200, Verdict.DELIVERED)


@pytest.mark.parametrize("sent", [b"SSH-2.0-OpenSSH_9.0\r\n", b"\x00\xff\x00\r\n\r\n"])
def test_an_answer_that_is_no_http_is_no_answer(
    transport: Transport, serve: Serve, sent: bytes
) -> None:
    """Something else at the other end is tried again, for its own reason."""
    outcome = fetch_one(transport, serve(saying(sent)).url + "/")

    assert (outcome.status, outcome.fault) == (None, "wrong_protocol")
    assert outcome.maybe_received


# --- connections


def test_a_connection_is_used_again(transport: Transport, serve: Serve) -> None:
    """One request after the other goes over one connection."""
    server = serve(answering(OK))

    for _ in range(20):
        assert fetch_one(transport, server.url + "/").status == 200

    assert {request.connection for request in server.requests} == {1}


def test_a_connection_is_used_again_after_a_short_error_body(
    transport: Transport, serve: Serve
) -> None:
    """The body of an error is read to its end too, so the connection lives on."""
    server = serve(answering(answer(503, body=b"x" * (KEPT_BODY // 2)), OK))

    assert [fetch_one(transport, server.url + "/").status for _ in range(2)] == [503, 200]
    assert server.connections == 1


def test_a_connection_that_the_server_closed_when_idle_costs_nothing(
    transport: Transport, serve: Serve
) -> None:
    """After the server has closed idle connections the next requests go out on new ones."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(OK)

    server = serve(script)
    for turn in range(1, 5):
        outcome = fetch_one(transport, server.url + "/")
        assert (outcome.status, outcome.maybe_received) == (200, False)
        server.wait_for_closed(turn)

    assert len(server.requests) == 4


def test_a_request_is_never_sent_again_behind_the_loops_back(
    transport: Transport, serve: Serve
) -> None:
    """A used connection that breaks off after the request leaves doubt: no silent second try."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(OK)
        talk.read()
        talk.close()

    server = serve(script)
    assert fetch_one(transport, server.url + "/first").status == 200

    outcome = fetch_one(transport, server.url + "/second")

    assert (outcome.status, outcome.fault) == (None, "connection_lost")
    assert outcome.maybe_received
    assert [request.target for request in server.requests] == ["/first", "/second"]


def test_a_transport_goes_on_after_any_fault(transport: Transport, serve: Serve) -> None:
    """What happened to one request does not touch the next."""

    def script(talk: Talk) -> None:
        if talk.number == 1:
            talk.read()
            talk.reset()
            return
        answering(OK)(talk)

    server = serve(script)

    assert fetch_one(transport, server.url + "/").status is None
    assert fetch_one(transport, server.url + "/").status == 200


def test_as_many_requests_at_once_as_there_are_connections(
    transport_of: OpenTransport, serve: Serve
) -> None:
    """All of them are under way together, each on a connection of its own."""
    transport = transport_of(connections=12)
    server = serve(_answer_when_all_are_there(12))

    outcomes = fetch(transport, *(f"{server.url}/{number}" for number in range(12)))

    assert [outcome.status for outcome in outcomes] == [200] * 12
    assert {request.target for request in server.requests} == {f"/{n}" for n in range(12)}


def _answer_when_all_are_there(count: int) -> Script:
    from threading import Barrier  # noqa: PLC0415

    barrier = Barrier(count)

    def script(talk: Talk) -> None:
        while talk.read() is not None:
            barrier.wait(10)
            talk.send(OK)

    return script


# --- the interface


def test_starting_never_waits_and_in_flight_counts(transport: Transport, serve: Serve) -> None:
    """Requests are in flight from their start until they come out of ``poll``."""
    server = serve(lambda talk: talk.wait_for_end())
    assert transport.in_flight == 0

    started = time.monotonic()
    for token in range(3):
        transport.start(token, server.url + "/")
    assert time.monotonic() - started < 1
    assert transport.in_flight == 3
    assert transport.poll(0) == []


def test_polling_waits_no_longer_than_told(transport: Transport, serve: Serve) -> None:
    """Without an outcome ``poll`` gives nothing after its timeout; with none started, too."""
    server = serve(lambda talk: talk.wait_for_end())
    transport.start(1, server.url + "/")

    started = time.monotonic()
    assert transport.poll(0.05) == []
    assert 0.04 <= time.monotonic() - started < 2


def test_every_outcome_carries_its_token(transport: Transport, serve: Serve) -> None:
    """Tokens come back, each once, whatever the order."""
    server = serve(answering(OK))
    tokens = [7, 3, 10**12, 5]
    for token in tokens:
        transport.start(token, server.url + "/")

    outcomes = collect(transport, len(tokens))

    assert sorted(outcome.token for outcome in outcomes) == sorted(tokens)
    assert transport.in_flight == 0


def test_elapsed_is_the_time_until_the_answer(transport: Transport, serve: Serve) -> None:
    """The time that an answer took is told, in seconds."""

    def script(talk: Talk) -> None:
        talk.read()
        time.sleep(0.1)  # an answer that takes its time
        talk.send(OK)

    outcome = fetch_one(transport, serve(script).url + "/")

    assert 0.09 < outcome.elapsed < 2


def test_closing_does_not_wait_for_what_is_under_way(
    transport_of: OpenTransport, serve: Serve
) -> None:
    """A request that hangs does not hold up the end of the program."""
    transport = transport_of(timeout=60.0)
    server = serve(lambda talk: talk.wait_for_end())
    transport.start(1, server.url + "/")
    transport.poll(0.05)

    started = time.monotonic()
    transport.close()

    assert time.monotonic() - started < 1


# --- what is sent


@pytest.mark.parametrize(
    "target",
    [
        "/api/hit/acme%2Fshop/1/?a=b%20c&d=%C3%A9",
        "/api/../hit/./acme/%2E%2E/?a=..%2F..",
        "//double/slash?x=y",
        "/empty/?",
        "/plain%C3%A9/?plus=+&semi=;&comma=,&colon=:&at=@&quote='&paren=()&tilde=~&star=*",
    ],
)
def test_a_path_is_sent_as_it_is(transport: Transport, serve: Serve, target: str) -> None:
    """Not a byte of path and query changes on the way: a key in the ledger stands for them."""
    server = serve(answering(OK))

    fetch_one(transport, server.url + target)

    assert [request.line for request in server.requests] == [f"GET {target} HTTP/1.1"]


def test_what_a_request_says_of_its_sender(transport: Transport, serve: Serve) -> None:
    """A request names the program and its host, and asks for no compression."""
    server = serve(answering(OK))

    fetch_one(transport, server.url + "/")

    headers = server.requests[0].headers
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["user-agent"].startswith("convertro")
    assert headers.get("accept-encoding", "identity") == "identity"
    assert "cookie" not in headers
    assert "authorization" not in headers
    assert "referer" not in headers


def test_cookies_are_ignored(transport: Transport, serve: Serve) -> None:
    """A cookie that is set never comes back, neither on this connection nor on the next."""
    setting = answer(200, "Set-Cookie: id=1; Path=/", "Set-Cookie: other=2; Max-Age=9999")
    server = serve(answering(setting))

    fetch_one(transport, server.url + "/")
    fetch(transport, server.url + "/a", server.url + "/b")

    assert len(server.requests) == 3
    assert not any("cookie" in request.headers for request in server.requests)
    assert http.cookiejar  # the standard jar is not even asked


def test_netrc_is_not_used(
    transport: Transport, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that lies in the home folder for this host stays there."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\ndefault login me password x\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(answering(answer(401, 'WWW-Authenticate: Basic realm="x"'), OK))

    outcome = fetch_one(transport, server.url + "/")

    assert outcome.status == 401
    assert ["authorization" in request.headers for request in server.requests] == [False]


# --- large answers


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["length", "until-closed", "chunked"],
)
def test_a_huge_answer_is_neither_read_to_its_end_nor_kept(
    transport: Transport, serve: Serve, head: bytes
) -> None:
    """An answer of 100 MB counts by its head; the rest is left at the other side."""
    sent = 0
    block = b"x" * 65536
    piece = b"10000\r\n" + block + b"\r\n" if b"chunked" in head else block

    def script(talk: Talk) -> None:
        nonlocal sent
        if talk.read() is None:
            return
        if talk.number > 1:
            talk.send(OK)
            return
        talk.send(head)
        while sent < 100 * MEGABYTE:
            talk.send(piece)
            sent += len(piece)

    server = serve(script)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert fetch_one(transport, server.url + "/").status == 200
    server.wait_for_closed(1)

    assert sent < 20 * MEGABYTE  # what the kernel's buffers swallowed
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024
    assert fetch_one(transport, server.url + "/").status == 200
