"""The transports go through the proxies that the environment names."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from convertro_cli.delivery.transport import Transport
from tests.delivery.network import closed_port, fetch_one
from tests.delivery.raw_server import OK, RawServer, Talk, answer, answering

ELSEWHERE = "http://sp1.convertro.invalid"


@pytest.fixture
def proxy(opened: ExitStack) -> RawServer:
    """A proxy that answers by itself whatever it is asked for."""
    return opened.enter_context(RawServer(answering(OK)))


def test_a_proxy_from_the_environment_is_used(
    transport: Transport, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``http_proxy`` set, requests go there, with the whole address in them."""
    monkeypatch.setenv("http_proxy", proxy.url)

    outcome = fetch_one(transport, f"{ELSEWHERE}/api/hit/acme/1/?sid=a%20b")

    assert outcome.status == 200
    (request,) = proxy.requests
    assert request.target == f"{ELSEWHERE}/api/hit/acme/1/?sid=a%20b"
    assert request.headers["host"] == "sp1.convertro.invalid"


def test_a_connection_to_a_proxy_is_used_again(
    transport: Transport, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests through a proxy share a connection too."""
    monkeypatch.setenv("http_proxy", proxy.url)

    for _ in range(3):
        assert fetch_one(transport, f"{ELSEWHERE}/").status == 200

    assert proxy.connections == 1


def test_a_proxys_password_is_sent_to_the_proxy(
    transport: Transport, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user and password in ``http_proxy`` are shown to the proxy."""
    monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:secret@"))

    assert fetch_one(transport, f"{ELSEWHERE}/").status == 200
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"


@pytest.mark.parametrize("exempt", ["127.0.0.1", "localhost,127.0.0.1", "*"])
def test_no_proxy_is_obeyed(
    transport: Transport, proxy: RawServer, monkeypatch: pytest.MonkeyPatch, exempt: str
) -> None:
    """Hosts that ``no_proxy`` names are spoken to directly."""
    with closed_port() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", exempt)

        assert fetch_one(transport, f"{proxy.url}/direct").status == 200
    assert proxy.requests[0].target == "/direct"


def test_an_unreachable_proxy_leaves_no_doubt(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a connection to the proxy nothing was sent."""
    with closed_port() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        outcome = fetch_one(transport, f"{ELSEWHERE}/")

    assert (outcome.status, outcome.fault) == (None, "connection_refused")
    assert not outcome.maybe_received


@pytest.mark.parametrize("status", [403, 407, 502, 503])
def test_a_proxy_that_refuses_to_connect_leaves_no_doubt(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, opened: ExitStack, status: int
) -> None:
    """For ``https`` the proxy is asked for a tunnel; its refusal is no answer of the server's."""
    proxy = opened.enter_context(RawServer(answering(answer(status))))
    monkeypatch.setenv("https_proxy", proxy.url)

    outcome = fetch_one(transport, "https://sp1.convertro.invalid/")

    assert proxy.requests[0].line.startswith("CONNECT sp1.convertro.invalid:443 ")
    assert (outcome.status, outcome.fault) == (None, "connection_failed")
    assert not outcome.maybe_received


def test_a_proxy_that_breaks_off_leaves_doubt(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, opened: ExitStack
) -> None:
    """A request that a proxy took and did not answer may have arrived."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.close()

    proxy = opened.enter_context(RawServer(script))
    monkeypatch.setenv("http_proxy", proxy.url)

    outcome = fetch_one(transport, f"{ELSEWHERE}/")

    assert outcome.fault == "connection_lost"
    assert outcome.maybe_received
    assert len(proxy.requests) == 1


def test_a_path_is_sent_as_it_is_through_a_proxy(
    transport: Transport, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a byte of path and query changes on the way through a proxy either."""
    monkeypatch.setenv("http_proxy", proxy.url)
    url = f"{ELSEWHERE}/api/hit/acme%2Fshop//?a=..%2F..&b=%20"

    fetch_one(transport, url)

    assert proxy.requests[0].target == url
