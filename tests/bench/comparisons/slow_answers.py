"""64 connections to a server that takes 50 ms: what share of the possible is used."""

from __future__ import annotations

import json
import statistics
import urllib.request

from tests.bench.bench import Bench, python
from tests.bench.measure import BenchFailedError, Row
from tests.bench.nginx import free_port, serving

CONNECTIONS = 64
DELAY = 0.050


def _rate(base_url: str, calls: int) -> float:
    """Calls a second as the server saw them, from the first request to the last answer."""
    with urllib.request.urlopen(f"{base_url}/stats", timeout=5) as answer:
        stats = json.load(answer)
    if stats["requests"] != calls:
        raise BenchFailedError(f"{stats['requests']} requests arrived, {calls} were expected")
    return calls / float(stats["seconds"])


def run(bench: Bench) -> list[Row]:
    export = bench.export(8_000 if bench.quick else 50_000)
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    settings = bench.settings(
        "slow-answers", base_url=base_url, transport="curl", concurrency=CONNECTIONS
    )
    command = [*python("tests.bench.latency"), "--port", str(port), "--delay", str(DELAY)]
    rates = []
    with serving(command, port):
        for _ in range(bench.runs):
            bench.replay_seconds(export, settings)
            rates.append(_rate(base_url, export.calls))
    ours, possible = statistics.median(rates), CONNECTIONS / DELAY
    return [
        Row(
            name="64 connections, 50 ms answers",
            ours=ours,
            theirs=possible,
            unit="calls/s",
            goal=0.95,
            sense="at least",
            against="64 / 0.050 s",
            runs=bench.runs,
        )
    ]
