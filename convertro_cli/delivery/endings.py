"""Why a delivery cannot go on now, in sentences, each with what to do about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from convertro_cli.delivery.answers import Answer
from convertro_cli.errors import ConvertroError, ExitCode

_NOTHING_LOST = "Nothing is lost: run the same command again later."

_FAULTS = {
    "host_not_found": (
        "its host name is not known",
        "Is the name in wire.base_url spelt right, and does this machine's DNS know it?",
    ),
    "proxy_not_found": (
        "the proxy's host name is not known",
        "Look at http_proxy and https_proxy in the environment.",
    ),
    "connection_refused": (
        "nothing listens at that host and port",
        "Look at the host and the port in wire.base_url, and at firewalls and the proxy.",
    ),
    "untrusted_certificate": (
        "its certificate is not trusted",
        "If it is signed by an authority of your own, name that one's file in wire.ca_bundle; else "
        "somebody may stand between you and Convertro.",
    ),
    "wrong_protocol": (
        "what answers there speaks another protocol",
        "Look at http:// or https:// in wire.base_url, and at its port.",
    ),
    "connection_failed": (
        "no connection came about",
        "Look at wire.base_url, the network and the proxy.",
    ),
    "connection_lost": (
        "connections broke off before an answer",
        "Look at the network and the proxy.",
    ),
    "timeout": ("no answer came in time", "Look at the network, and at delivery.timeout."),
}


def unreachable(target: str, seconds: float, reason: str) -> ConvertroError:
    """Say that everything failed for so long."""
    what, hint = _FAULTS.get(reason, ("that was its answer", "It seems to be down or overloaded."))
    return ConvertroError(
        f"Convertro stayed unreachable for {seconds:.0f} s at {target}: {what} ({reason}).",
        hint=f"{hint} {_NOTHING_LOST}",
        exit_code=ExitCode.TRY_LATER,
    )


def asked_to_wait(target: str, seconds: float, now: datetime) -> ConvertroError:
    """Say that the other side asks to wait longer than the run may."""
    then = now + timedelta(seconds=seconds)
    return ConvertroError(
        f"Convertro at {target} asks to wait until {then:%Y-%m-%d %H:%M} UTC (Retry-After), which "
        "is longer than delivery.outage_timeout.",
        hint="Nothing is lost: run the same command again after that.",
        exit_code=ExitCode.TRY_LATER,
    )


def refused(answer: Answer, in_a_row: int) -> ConvertroError:
    """Say that all the latest calls were refused."""
    return ConvertroError(
        f"The last {in_a_row} calls were all refused: {said(answer)}",
        hint=f"{advice(answer)} What was refused in a row is open again: once that is mended, run "
        "the same command. (delivery.stop_after_refusals sets how many it takes; 0 goes on.)",
        exit_code=ExitCode.TRY_LATER,
    )


def said(answer: Answer) -> str:
    """Say what the other side said."""
    return f"Convertro's side said {answer.in_words}."


def advice(answer: Answer) -> str:
    """Say where to look after an answer like this."""
    status = answer.status
    if 200 <= status < 300:
        return (
            "That is no answer of Convertro's: a proxy or a login page may stand between. Look at "
            "wire.base_url and the proxy; wire.success says what counts as delivered."
        )
    if 300 <= status < 400:
        return "Redirects are not followed: look at wire.base_url, its http:// or https://."
    if status in {401, 403, 407}:
        return (
            "Look at convertro.account and convertro.client_name, and ask your account manager for "
            "access; a proxy may ask for credentials."
        )
    if status in {404, 405, 410}:
        return (
            "Look at wire.base_url, [wire.paths] and the account in them, which `convertro check` "
            "shows."
        )
    return "Look at [wire.params], [wire.paths] and convertro.site_id."
