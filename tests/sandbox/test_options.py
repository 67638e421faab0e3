"""What a sandbox can be told."""

from __future__ import annotations

import math
from typing import Any

import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.sandbox.options import PlannedOutage, SandboxOptions


def test_the_defaults_are_loopback_and_no_trouble() -> None:
    """Without options the sandbox is reachable from this machine only and fails nothing."""
    options = SandboxOptions()
    assert (options.host, options.port) == ("127.0.0.1", 8020)
    assert (options.fail_rate, options.rate_limit, options.outage) == (0, None, None)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"host": ""}, "host"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"latency_s": -0.1}, "latency"),
        ({"latency_s": math.inf}, "latency"),
        ({"fail_rate": 1.01}, "fail rate"),
        ({"fail_rate": math.nan}, "fail rate"),
        ({"fail_status": 200}, "fail status"),
        ({"fail_status": 600}, "fail status"),
        ({"rate_limit": 0.0}, "rate limit"),
        ({"rate_limit": math.nan}, "rate limit"),
    ],
)
def test_impossible_values_are_usage_errors(options: dict[str, Any], word: str) -> None:
    """A value that cannot be is refused by name, as a fault of usage."""
    with pytest.raises(ConvertroError, match=word) as caught:
        SandboxOptions(**options)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("length_s", "start_s"), [(0, 0), (-1, 0), (math.inf, 0), (1, -1), (1, math.nan)]
)
def test_an_outage_has_a_length_and_a_beginning(length_s: float, start_s: float) -> None:
    """An outage without length, without end or before the start is refused."""
    with pytest.raises(ConvertroError, match="outage"):
        PlannedOutage(length_s, start_s)
