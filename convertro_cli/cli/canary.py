"""What ``--canary`` shows: each request and its answer, and at the end what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, urlsplit

from convertro_cli.cli import log
from convertro_cli.delivery.canary import CanaryOptions, Tried
from convertro_cli.delivery.retry import Verdict
from convertro_cli.review.masking import HIDDEN, Masking
from convertro_cli.run.report import Report
from convertro_cli.text import things

_WORDS = {
    Verdict.DELIVERED: "delivered",
    Verdict.RETRY: "not delivered (attempt {attempt})",
    Verdict.FAILED: "failed for good",
}
_WITHOUT_VALUE = frozenset({"--yes", "-y"})
_SHORTEST_HIDDEN = 3


def canary_options(calls: int | None, show: Callable[[str], object]) -> CanaryOptions | None:
    """Give the canary for so many calls; ``show`` gets what there is to see, line by line."""
    if calls is None:
        return None
    if log.is_json():
        return CanaryOptions(calls, _log)

    def tell(tried: Tried) -> None:
        for line in lines_of(tried, calls):
            show(line)

    return CanaryOptions(calls, tell)


def lines_of(tried: Tried, calls: int) -> list[str]:
    """Give a request and its answer as a person reads them."""
    what = f"{tried.event_type} {tried.value}".rstrip() or "a user or install call"
    return [
        f"{tried.number:,} of {calls:,}: {what}, {tried.source}",
        f"  GET {tried.url}",
        f"  {_answer(tried)} after {tried.elapsed * 1000:,.0f} ms: {_outcome(tried)}",
    ]


def advise_on_canary(report: Report, arguments: Sequence[str]) -> None:
    """Say what to type next. ``arguments`` are those of this run, after the program's name."""
    canary = report.canary
    if canary is None or report.interrupted or report.problem:
        return
    sent = f"The canary sent {things(canary.calls, 'call')}"
    if not canary.stopped:
        report.advice.append(f"{sent}, and no more were left to send.")
        return
    command = shlex.join(["convertro", *without_canary(arguments)])
    report.advice.append(
        f"{sent} and stopped. If the answers are right, this goes on from there: {command}"
    )


def without_canary(arguments: Sequence[str]) -> list[str]:
    """Give the arguments of the replay that goes on: without the canary, and without ``--yes``."""
    left: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument == "--":
            return [*left, argument, *given]
        if argument == "--canary":
            next(given, None)
        elif argument not in _WITHOUT_VALUE and not argument.startswith("--canary="):
            left.append(argument)
    return left


def _answer(tried: Tried) -> str:
    if tried.answer is None:
        return f"no answer ({tried.fault.replace('_', ' ')})"
    return tried.answer.in_words


def _outcome(tried: Tried) -> str:
    return _WORDS[tried.verdict].format(attempt=tried.attempt)


def _log(tried: Tried) -> None:
    """Log a request without what it says of anybody: a log has no content of events."""
    log.log_json(
        "info" if tried.verdict is Verdict.DELIVERED else "warning",
        "canary",
        number=tried.number,
        attempt=tried.attempt,
        source=tried.source,
        url=Masking("none").url(tried.url, (tried.event_type, tried.value)),
        answer=_blotted(_answer(tried), tried.url),
        elapsed_ms=round(tried.elapsed * 1000, 1),
        outcome=_WORDS[tried.verdict].partition(" (")[0],
    )


def _blotted(text: str, url: str) -> str:
    """Give an answer without the request's values, which a server may well repeat."""
    values = {value for _, value in parse_qsl(urlsplit(url).query)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_HIDDEN:
            text = text.replace(value, HIDDEN)
    return text
