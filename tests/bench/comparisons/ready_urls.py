"""A replay, from the export to the ledger, against a bare pycurl loop over ready-made URLs."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.measure import Row, alternate, seconds
from tests.bench.nginx import running_nginx


def run(bench: Bench) -> list[Row]:
    export = bench.export(50_000 if bench.quick else 200_000)
    with running_nginx() as nginx:
        settings = bench.settings(
            "ready-urls", base_url=nginx.base_url, transport="curl", concurrency=64
        )
        urls = bench.urls(export, nginx.base_url)

        def ours() -> float:
            with nginx.expect(export.calls):
                return bench.replay_seconds(export, settings)

        def theirs() -> float:
            with nginx.expect(export.calls):
                return seconds(bench.loop("pycurl", urls, 64))

        mine, other = alternate(bench.runs, ours, theirs)
    return [
        Row(
            name="the same, time",
            ours=mine,
            theirs=other,
            unit="s",
            goal=3.3,
            sense="at most",
            against="bare pycurl loop, ready-made URLs",
            runs=bench.runs,
            note=f"{export.calls} calls of {export.events} events",
        )
    ]
