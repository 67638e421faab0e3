"""The other side of a long test: a sandbox that can go away and come back, and forgets nothing."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from msgspec.structs import replace

from convertro_cli.sandbox.log import Record
from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.system.receiving import wait_for_quiet


class OtherSide:
    """A sandbox at an address that stays the same over restarts."""

    def __init__(self, options: SandboxOptions) -> None:
        self.has_outage = options.outage is not None
        self._sandbox = Sandbox(options, keep_requests=True)
        self._earlier: list[Record] = []
        self._was_cut = False

    def __enter__(self) -> Self:
        self._sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sandbox.close()

    @property
    def url(self) -> str:
        """Its address."""
        return self._sandbox.url

    def requests(self) -> int:
        """How many requests have arrived."""
        return len(self._earlier) + self._sandbox.stats()["requests"]

    def received(self) -> list[Record]:
        """All requests so far, in order."""
        return self._earlier + self._sandbox.received()

    def go_away(self) -> None:
        """Stop listening; what is under way is cut off."""
        self._sandbox.close()
        self._was_cut = True

    def come_back(self, options: SandboxOptions) -> None:
        """Listen again at the same address."""
        port = urlsplit(self.url).port or 0
        self._earlier = self.received()
        self._sandbox = Sandbox(replace(options, port=port), keep_requests=True)
        self._sandbox.start()

    def was_cut(self) -> bool:
        """Whether it went away since this was last asked."""
        cut, self._was_cut = self._was_cut, False
        return cut

    def wait_for_quiet(self) -> None:
        """Wait until nothing can arrive any more."""
        wait_for_quiet(self._sandbox)
