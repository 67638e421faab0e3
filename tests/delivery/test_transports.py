"""Which transport a setting means, on a machine with pycurl and on one without."""

from __future__ import annotations

import subprocess
import sys
from http.client import HTTPConnection
from importlib.util import find_spec

import pytest

from convertro_cli.delivery import transports
from convertro_cli.delivery.requests_transport import _Errand
from convertro_cli.delivery.transport import TransportOptions
from convertro_cli.delivery.transports import Setting, open_transport, resolve_transport
from convertro_cli.errors import ConvertroError, ExitCode


@pytest.mark.parametrize(
    ("setting", "installed", "chosen"),
    [
        ("auto", True, "curl"),
        ("auto", False, "requests"),
        ("curl", True, "curl"),
        ("requests", True, "requests"),
        ("requests", False, "requests"),
    ],
)
def test_a_setting_chooses_a_transport(
    monkeypatch: pytest.MonkeyPatch, setting: Setting, installed: bool, chosen: str
) -> None:
    """``auto`` takes curl where pycurl is installed; the others force one."""
    monkeypatch.setattr(transports, "find_spec", lambda _: object() if installed else None)

    assert resolve_transport(setting) == chosen


def test_curl_without_pycurl_is_told_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who forces curl on a machine without pycurl is told what to install."""
    monkeypatch.setattr(transports, "find_spec", lambda _: None)

    with pytest.raises(ConvertroError, match="pycurl is not installed") as raised:
        resolve_transport("curl")

    assert raised.value.exit_code is ExitCode.USAGE
    assert "convertro[curl]" in (raised.value.hint or "")


@pytest.mark.parametrize("setting", ["curl", "requests"])
def test_a_transport_says_its_name(setting: Setting) -> None:
    """The summary can say what carried the calls."""
    if setting == "curl" and find_spec("pycurl") is None:
        pytest.skip("pycurl is not installed")
    transport = open_transport(setting, TransportOptions(5.0, 2))

    assert transport.name == setting
    transport.close()


@pytest.mark.parametrize(("setting", "unwanted"), [("curl", "requests"), ("requests", "pycurl")])
def test_only_the_chosen_library_is_imported(setting: str, unwanted: str) -> None:
    """A transport does not cost the start of the other one's library."""
    if setting == "curl" and find_spec("pycurl") is None:
        pytest.skip("pycurl is not installed")
    program = (
        "import sys; from convertro_cli.delivery.transports import open_transport; "
        "from convertro_cli.delivery.transport import TransportOptions; "
        f"open_transport({setting!r}, TransportOptions(5.0, 2)).close(); "
        f"sys.exit({unwanted!r} in sys.modules)"
    )

    ended = subprocess.run([sys.executable, "-c", program], timeout=30, check=False)
    assert ended.returncode == 0


@pytest.mark.parametrize("connection", [None, HTTPConnection("convertro.test")])
def test_what_ends_as_it_is_broken_off_is_no_trouble(connection: HTTPConnection | None) -> None:
    """At its deadline a request may have no connection yet, or have just closed it."""
    errand = _Errand(1, "http://convertro.test/", 0.0)
    errand.connection = connection

    errand.break_off()

    assert errand.is_overdue
