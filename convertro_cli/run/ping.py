"""Pings for a service that watches cron jobs, by the convention of healthchecks.io.

The address with ``/start`` when a run begins, as it is when all went well, and with the exit
code when not. Whoever knows the address may ping it, so it is a secret: no message has more of
it than the host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from convertro_cli.settings.checks import host_of

if TYPE_CHECKING:
    import requests

_TIMEOUT = 5.0
"""Seconds for a connection, and for an answer: a run must not wait for who watches it."""


class Ping:
    """Tells the service how a run goes. What fails is told to ``warn`` and changes nothing.

    ``run_id`` is a UUID, by which the service tells runs that overlap apart.
    """

    def __init__(self, url: str | None, run_id: str, warn: Callable[[str], None]) -> None:
        self._url = url
        self._run_id = run_id
        self._warn = warn

    def start(self) -> None:
        """A run begins."""
        self._send("start")

    def end(self, exit_code: int) -> None:
        """A run has ended."""
        self._send("" if exit_code == 0 else str(exit_code))

    def _send(self, signal: str) -> None:
        if self._url is None:
            return
        import requests  # noqa: PLC0415 - a run that pings nobody need not wait for it

        try:
            answer = requests.get(
                _with(self._url, signal, self._run_id), timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            self._tell(_in_words(error))
        else:
            if not answer.ok or answer.is_redirect:
                self._tell(f"it was answered {answer.status_code}")

    def _tell(self, what: str) -> None:
        # The library's own words would give the whole address away.
        self._warn(f"The ping to {host_of(self._url or '')} failed: {what}. The run goes on.")


def _with(url: str, signal: str, run_id: str) -> str:
    """Add a signal to the path, and the run's id."""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{signal}" if signal else parts.path
    query = f"{parts.query}&rid={run_id}" if parts.query else f"rid={run_id}"
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _in_words(error: requests.RequestException) -> str:
    import requests  # noqa: PLC0415

    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_TIMEOUT:.0f} s"
    return "no connection"
