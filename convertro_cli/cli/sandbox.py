"""``convertro sandbox``: a local Convertro to rehearse against."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertro_cli.cli.options import OUTPUT, option
from convertro_cli.durations import parse_duration
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from convertro_cli.sandbox.options import PlannedOutage
    from convertro_cli.sandbox.server import Sandbox

LISTENING = "Where it listens"
FAULTS = "Faults to rehearse"

_OUTAGE = re.compile(r"(.+?)@(.+)")


def sandbox(
    port: Annotated[
        int, option("--port", panel=LISTENING, min=0, max=65535, help="0 takes any free port.")
    ] = 8020,
    host: Annotated[
        str,
        option(
            "--host",
            panel=LISTENING,
            metavar="ADDRESS",
            help="The address to listen on; by default this machine's own.",
        ),
    ] = "127.0.0.1",
    latency: Annotated[
        str, option("--latency", panel=FAULTS, metavar="TIME", help="How long each answer takes.")
    ] = "0s",
    fail_rate: Annotated[
        float,
        option("--fail-rate", panel=FAULTS, min=0, max=1, help="The share of requests that fail."),
    ] = 0.0,
    fail_status: Annotated[
        int,
        option("--fail-status", panel=FAULTS, min=400, max=599, help="What those are answered."),
    ] = 503,
    rate_limit: Annotated[
        float | None,
        option("--rate-limit", panel=FAULTS, metavar="N", help="Requests a second before a 429."),
    ] = None,
    outage: Annotated[
        str | None,
        option(
            "--outage",
            panel=FAULTS,
            metavar="LENGTH@START",
            help="Fail everything for a while, as 10s@20s.",
        ),
    ] = None,
    seed: Annotated[int, option("--seed", panel=FAULTS, help="Another number, other faults.")] = 0,
    log: Annotated[
        Path | None,
        option(
            "--log", panel=OUTPUT, metavar="FILE", help="Append each request to a file, as NDJSON."
        ),
    ] = None,
) -> None:
    """Run a local Convertro to rehearse against: it checks, counts and shows what it gets.

    Watch it at its address; `/stats` gives the same as JSON.

    Examples:

    * `convertro sandbox --log received.ndjson`

    * `convertro sandbox --fail-rate 0.1 --latency 50ms --outage 10s@20s`
    """
    from convertro_cli.sandbox.options import SandboxOptions
    from convertro_cli.sandbox.server import Sandbox

    options = SandboxOptions(
        host=host,
        port=port,
        log=log,
        latency_s=_seconds("--latency", latency),
        fail_rate=fail_rate,
        fail_status=fail_status,
        rate_limit=rate_limit,
        outage=_read_outage(outage),
        seed=seed,
    )
    running = Sandbox(options)
    running.serve_forever(ready=lambda url: _announce(running, url))


def _announce(running: Sandbox, url: str) -> None:
    bound = "" if running.is_loopback else f", bound to {running.address}"
    typer.echo(f"The sandbox listens at {url}{bound} (Ctrl-C ends it).", err=True)
    if not running.is_loopback:
        typer.echo(
            "convertro: warning: whoever reaches this machine can send to it and see all that it "
            "received, unencrypted and without a password. Without --host only this machine can.",
            err=True,
        )


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConvertroError(f"{option} {text!r} {error}.") from None


def _read_outage(text: str | None) -> PlannedOutage | None:
    from convertro_cli.sandbox.options import PlannedOutage

    if text is None:
        return None
    match = _OUTAGE.fullmatch(text)
    if match is None:
        raise ConvertroError(
            f"--outage {text!r} is not of the form LENGTH@START.", hint="For example 10s@20s."
        )
    return PlannedOutage(_seconds("--outage", match[1]), _seconds("--outage", match[2]))
