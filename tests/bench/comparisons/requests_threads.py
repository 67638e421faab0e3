"""A replay with the requests transport against a requests.Session loop in as many threads."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.measure import Row, alternate, seconds
from tests.bench.nginx import running_nginx

THREADS = 16


def run(bench: Bench) -> list[Row]:
    export = bench.export(4_000 if bench.quick else 50_000)
    with running_nginx() as nginx:
        settings = bench.settings(
            "requests", base_url=nginx.base_url, transport="requests", concurrency=THREADS
        )
        urls = bench.urls(export, nginx.base_url)

        def ours() -> float:
            with nginx.expect(export.calls):
                return export.calls / bench.replay_seconds(export, settings)

        def theirs() -> float:
            with nginx.expect(export.calls):
                return export.calls / seconds(bench.loop("requests", urls, THREADS))

        mine, other = alternate(bench.runs, ours, theirs)
    return [
        Row(
            name="replay, requests transport",
            ours=mine,
            theirs=other,
            unit="calls/s",
            goal=1.5,
            sense="at least",
            against=f"requests.Session, {THREADS} threads",
            runs=bench.runs,
        )
    ]
