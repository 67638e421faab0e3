"""What a sandbox can be told: where to listen, where to log, and which troubles to make."""

from __future__ import annotations

import math
from pathlib import Path

from msgspec import Struct

from convertro_cli.errors import ConvertroError


class PlannedOutage(Struct, frozen=True):
    """A time in which every request fails: ``length_s`` seconds long, and it begins ``start_s``
    seconds after the sandbox has started to listen."""

    length_s: float
    start_s: float = 0.0

    def __post_init__(self) -> None:
        _require(
            math.isfinite(self.length_s) and self.length_s > 0,
            f"An outage must last longer than 0 seconds, not {self.length_s}.",
        )
        _require(
            math.isfinite(self.start_s) and self.start_s >= 0,
            f"An outage begins 0 or more seconds after the start, not {self.start_s}.",
        )


class SandboxOptions(Struct, frozen=True):
    """The sandbox's settings.

    ``port`` 0 takes any free port. ``log`` is a file that gets one JSON line a request.
    ``latency_s`` passes between a request and its answer. ``fail_rate`` is the share of requests
    (0 to 1) that are answered ``fail_status``; ``seed`` decides which ones. ``rate_limit`` is in
    requests a second. An ``outage`` is answered ``fail_status`` too.

    Raises ``ConvertroError`` for an impossible value.
    """

    host: str = "127.0.0.1"
    port: int = 8020
    log: Path | None = None
    latency_s: float = 0.0
    fail_rate: float = 0.0
    fail_status: int = 503
    rate_limit: float | None = None
    outage: PlannedOutage | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.host != "", "The host is empty.", hint="Use 127.0.0.1, or 0.0.0.0 for all.")
        _require(0 <= self.port <= 65535, f"A port is a number from 0 to 65535, not {self.port}.")
        _require(
            math.isfinite(self.latency_s) and self.latency_s >= 0,
            f"The latency must be 0 seconds or more, not {self.latency_s}.",
        )
        _require(
            0 <= self.fail_rate <= 1,
            f"The fail rate is a share from 0 to 1, not {self.fail_rate}.",
            hint="One request in ten is 0.1.",
        )
        _require(
            400 <= self.fail_status <= 599,
            f"The fail status must be an HTTP error, 400 to 599, not {self.fail_status}.",
        )
        _require(
            self.rate_limit is None or (math.isfinite(self.rate_limit) and self.rate_limit > 0),
            f"The rate limit must be more than 0 requests a second, not {self.rate_limit}.",
        )


def _require(condition: bool, message: str, *, hint: str | None = None) -> None:
    if not condition:
        raise ConvertroError(message, hint=hint)
