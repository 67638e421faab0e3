"""Whom the transports trust, and how they speak to a server that offers more than HTTP/1.1."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from contextlib import ExitStack
from pathlib import Path

import certifi
import pytest

from convertro_cli.delivery.retry import Verdict, judge
from tests.delivery.conftest import OpenTransport
from tests.delivery.network import fetch_one
from tests.delivery.raw_server import OK, RawServer, answer, answering

CERTIFICATES = Path(__file__).parent.parent / "data" / "tls"
AUTHORITY = CERTIFICATES / "ca.pem"


def tls(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / certificate)
    return context


@pytest.fixture
def server(opened: ExitStack) -> RawServer:
    """A server whose certificate is good, if one trusts its authority."""
    return opened.enter_context(RawServer(answering(OK), tls=tls("localhost.pem")))


def test_an_unknown_authority_is_refused(transport_of: OpenTransport, server: RawServer) -> None:
    """A certificate that no known root signed ends the attempt before anything is sent."""
    outcome = fetch_one(transport_of(), server.url + "/")

    assert (outcome.status, outcome.fault) == (None, "untrusted_certificate")
    assert not outcome.maybe_received
    assert judge(outcome) is Verdict.RETRY
    assert server.requests == []


def test_an_authority_is_trusted_when_told_so(
    transport_of: OpenTransport, server: RawServer
) -> None:
    """With ``ca_bundle`` the same server is spoken to, on a connection that is kept."""
    transport = transport_of(ca_bundle=AUTHORITY)

    assert [fetch_one(transport, server.url + "/").status for _ in range(3)] == [200] * 3
    assert server.connections == 1


def test_a_certificate_for_another_name_is_refused(
    transport_of: OpenTransport, opened: ExitStack
) -> None:
    """A trusted authority's certificate is good for its own name only."""
    server = opened.enter_context(RawServer(answering(OK), tls=tls("elsewhere.pem")))

    outcome = fetch_one(transport_of(ca_bundle=AUTHORITY), server.url + "/")

    assert outcome.fault == "untrusted_certificate"
    assert not outcome.maybe_received


def test_without_a_bundle_certifis_roots_are_trusted(
    transport_of: OpenTransport, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which roots count is certifi's word, whatever the environment names."""
    monkeypatch.setattr(certifi, "where", lambda: str(AUTHORITY))

    assert fetch_one(transport_of(), server.url + "/").status == 200


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_the_environment_adds_no_authorities(
    transport_of: OpenTransport,
    server: RawServer,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    """Trust is a setting, so that a run is the same under cron as in a shell."""
    monkeypatch.setenv(variable, str(AUTHORITY))

    assert fetch_one(transport_of(), server.url + "/").fault == "untrusted_certificate"


def test_a_server_without_tls_speaks_the_wrong_protocol(
    transport_of: OpenTransport, opened: ExitStack
) -> None:
    """TLS that cannot be set up is tried again; nothing was sent."""
    server = opened.enter_context(RawServer(lambda talk: talk.send(answer(400))))

    outcome = fetch_one(transport_of(), server.url.replace("http:", "https:") + "/")

    assert (outcome.status, outcome.fault) == (None, "wrong_protocol")
    assert not outcome.maybe_received


def test_tls_that_hangs_times_out(transport_of: OpenTransport, opened: ExitStack) -> None:
    """A server that never shakes hands is tried again after the timeout."""
    server = opened.enter_context(RawServer(lambda talk: talk.wait_for_end()))

    outcome = fetch_one(transport_of(timeout=0.3), server.url.replace("http:", "https:") + "/")

    assert (outcome.status, outcome.fault) == (None, "timeout")


_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 64; }}
http {{
    log_format versions '$server_protocol';
    access_log {folder}/access.log versions;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {certificate}; ssl_certificate_key {certificate};
        location / {{ return 204; }}
    }}
}}
"""


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_http2_is_spoken_where_it_is_offered(tmp_path: Path, opened: ExitStack) -> None:
    """The curl transport takes HTTP/2 from a server that offers it, for all its requests."""
    pycurl = pytest.importorskip("pycurl", reason="pycurl is not installed")
    if not pycurl.version_info()[4] & pycurl.VERSION_HTTP2:
        pytest.skip("this libcurl was built without HTTP/2")
    from convertro_cli.delivery.curl_transport import CurlTransport  # noqa: PLC0415
    from convertro_cli.delivery.transport import TransportOptions  # noqa: PLC0415
    from tests.delivery.network import fetch  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = tmp_path / "nginx.conf"
    settings.write_text(
        _NGINX.format(folder=tmp_path, port=port, certificate=CERTIFICATES / "localhost.pem")
    )
    nginx = subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(settings)])
    opened.callback(nginx.wait, 10)
    opened.callback(nginx.terminate)
    transport = CurlTransport(TransportOptions(5.0, 4, AUTHORITY))
    opened.callback(transport.close)
    url = f"https://127.0.0.1:{port}/"
    while fetch_one(transport, url).fault == "connection_refused":
        assert nginx.poll() is None, "nginx ended"

    outcomes = fetch(transport, *[url] * 20)
    transport.close()
    nginx.terminate()
    nginx.wait(10)

    assert [outcome.status for outcome in outcomes] == [204] * 20
    assert set((tmp_path / "access.log").read_text().split()) == {"HTTP/2.0"}
