"""HTTP as it comes over a real socket: in pieces, in a row, too long, or not HTTP at all."""

from __future__ import annotations

import pytest

from convertro_cli.sandbox.http1 import MAX_HEAD, MAX_REQUEST_LINE
from convertro_cli.sandbox.server import Sandbox
from tests.sandbox.client import HIT, Wire, get, target


def test_several_requests_share_a_connection(sandbox: Sandbox) -> None:
    """A connection stays open from request to request, after a refusal too."""
    with Wire(sandbox.url) as wire:
        statuses = [wire.get(t).status for t in (target(), "/nothing", target(eid="o2"), "/stats")]
        ports = wire.socket.getsockname()[1]
    assert statuses == [200, 400, 200, 200]
    assert ports


def test_requests_in_one_packet_are_answered_in_turn(sandbox: Sandbox) -> None:
    """A client that does not wait for answers gets them in order."""
    with Wire(sandbox.url) as wire:
        wire.send(b"".join(f"GET {t} HTTP/1.1\r\n\r\n".encode() for t in (target(), "/x", HIT)))
        assert [wire.answer().status for _ in range(3)] == [200, 400, 400]
    assert [r["path"] for r in sandbox.received()] == [HIT, "/x", HIT]


@pytest.mark.parametrize("cut", [1, 5, 30, -3, -1])
def test_a_request_may_come_in_two_packets(sandbox: Sandbox, cut: int) -> None:
    """Wherever a request is cut in two, it is put together again."""
    whole = f"GET {target()} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with Wire(sandbox.url) as wire:
        wire.send(whole[:cut])
        get(sandbox.url, target(eid="between"))  # the first piece has long arrived
        wire.send(whole[cut:])
        assert wire.answer().status == 200
    assert sandbox.stats()["accepted"] == 2


def test_a_request_may_come_byte_by_byte(sandbox: Sandbox) -> None:
    """However slowly it trickles, a request is one request."""
    with Wire(sandbox.url) as wire:
        for byte in f"\r\nGET {target()} HTTP/1.1\r\nHost: x\r\n\r\n".encode():
            wire.send(bytes([byte]))
        assert wire.answer().status == 200
    assert sandbox.stats()["requests"] == 1


@pytest.mark.parametrize(
    ("version", "header", "closes"),
    [
        ("1.1", "", False),
        ("1.1", "Connection: close", True),
        ("1.1", "connection: Keep-Alive, CLOSE", True),
        ("1.1", "Connection: keep-alive", False),
        ("1.0", "", True),
        ("1.0", "Connection: Keep-Alive", False),
    ],
)
def test_the_client_decides_whether_to_keep_the_connection(
    sandbox: Sandbox, version: str, header: str, closes: bool
) -> None:
    """Connection: close and HTTP/1.0 end the connection after the answer, keep-alive does not."""
    request = f"GET {target()} HTTP/{version}\r\nHost: x\r\n{header}\r\n\r\n".encode()
    with Wire(sandbox.url) as wire:
        wire.send(request if header else request.replace(b"\r\n\r\n\r\n", b"\r\n\r\n"))
        answer = wire.answer()
        assert answer.status == 200
        assert (answer.headers.get("connection") == "close") is closes
        if closes:
            assert wire.is_closed_by_server()
        else:
            assert wire.get(target(eid="o2")).status == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"])
@pytest.mark.parametrize("path", [HIT, "/", "/stats"])
def test_other_methods_are_not_allowed(sandbox: Sandbox, method: str, path: str) -> None:
    """Convertro takes GET; anything else is told so, and what is allowed."""
    answer = get(sandbox.url, path, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert answer.body == (b"" if method == "HEAD" else b"Convertro takes GET requests only.\n")
    assert sandbox.stats()["rejected"] == (path == HIT)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_body_is_not_taken_for_a_request(sandbox: Sandbox, method: str) -> None:
    """What a body holds is never answered as a request; the refusal arrives whole."""
    body = f"GET {target()} HTTP/1.1\r\n\r\n".encode() * 500
    head = f"{method} {target()} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with Wire(sandbox.url) as wire:
        wire.send(head + body)
        assert wire.answer().status == (405 if method == "POST" else 400)
        assert wire.is_closed_by_server()
    assert sandbox.stats()["requests"] == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n", 400),
        (b"hello\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET / x HTTP/1.1\r\n\r\n", 400),
        (b"G3T / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
        (b"\x00" * 100, 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/3\r\n\r\n", 505),
        (b"GET /" + b"x" * MAX_REQUEST_LINE, 414),
        (b"GET /" + b"x" * MAX_REQUEST_LINE + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"X-Y: z\r\n" * (MAX_HEAD // 8), 431),
    ],
)
def test_garbage_gets_one_sentence_and_the_door(sandbox: Sandbox, data: bytes, status: int) -> None:
    """What is no request is refused at once, counted, and the connection closed."""
    with Wire(sandbox.url) as wire:
        wire.send(data)
        answer = wire.answer()
        assert answer.status == status
        assert answer.text.endswith(".\n")
        assert wire.is_closed_by_server()
    assert sandbox.stats()["rejected"] == 1
    assert [(r["call"], r["path"], r["status"]) for r in sandbox.received()] == [(None, "", status)]


def test_the_longest_url_of_a_replay_fits(sandbox: Sandbox) -> None:
    """An address of 8,000 characters, the most that is ever sent, is taken."""
    short = sandbox.url + target(pag="")
    full = target(pag="p" * (8_000 - len(short)))
    assert len(sandbox.url + full) == 8_000
    assert get(sandbox.url, full).status == 200


def test_an_address_as_sent_to_a_proxy_is_understood(sandbox: Sandbox) -> None:
    """A target that names scheme and host is the same request as one that does not."""
    assert get(sandbox.url, f"http://127.0.0.1:1{target()}").status == 200
    assert get(sandbox.url, target()).status == 200
    assert [r["repeat"] for r in sandbox.received()] == [False, True]
    assert get(sandbox.url, "http://127.0.0.1:1").headers["content-type"].startswith("text/html")


def test_raw_bytes_in_an_address_are_refused(sandbox: Sandbox) -> None:
    """An address that is not percent-encoded is refused, whatever bytes it holds."""
    with Wire(sandbox.url) as wire:
        for raw in (b"\xff\xfe", "ü".encode(), b"\x1b[31m"):
            wire.send(b"GET /api/hit/acme/1/?typ=" + raw + b" HTTP/1.1\r\n\r\n")
            answer = wire.answer()
            assert (answer.status, "percent-encoded" in answer.text) == (400, True)
