"""A replay with the ledger on against jq piped into curl."""

from __future__ import annotations

import shlex

from tests.bench.bench import Bench
from tests.bench.measure import Row, alternate, seconds
from tests.bench.nginx import running_nginx
from tests.bench.programs import CURL_CONFIG

CURL = "curl --silent --parallel --parallel-immediate --parallel-max 64 --config -"


def run(bench: Bench) -> list[Row]:
    export = bench.export(50_000 if bench.quick else 200_000)
    with running_nginx() as nginx:
        settings = bench.settings(
            "shell-pipe", base_url=nginx.base_url, transport="curl", concurrency=64
        )
        jq = ["jq", "-r", "--arg", "base", nginx.base_url, CURL_CONFIG, str(export.path)]
        pipe = ["bash", "-o", "pipefail", "-c", f"{shlex.join(jq)} | {CURL}"]

        def ours() -> float:
            with nginx.expect(export.calls):
                return export.events / bench.replay_seconds(export, settings)

        def theirs() -> float:
            with nginx.expect(export.calls):
                return export.events / seconds(pipe)

        mine, other = alternate(bench.runs, ours, theirs)
    return [
        Row(
            name="replay, curl transport",
            ours=mine,
            theirs=other,
            unit="events/s",
            goal=1.6,
            sense="at least",
            against="jq | curl --parallel",
            runs=bench.runs,
        )
    ]
