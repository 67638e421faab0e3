"""The summary at the end of a run: what became of everything, and what to do next."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from convertro_cli.amounts import Sum
from convertro_cli.cli.kept_back import SummaryRow, gate_advice, kept_back_rows
from convertro_cli.cli.log import Level, log_json
from convertro_cli.cli.options import Loudness, repeat_options
from convertro_cli.errors import ExitCode
from convertro_cli.json_text import print_json
from convertro_cli.record.tally import IN_DOUBT, Tally
from convertro_cli.run.report import Report
from convertro_cli.run.unread import in_words
from convertro_cli.settings.compile import missing_cloud_settings
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.text import visible

_MOST_EVENT_TYPES = 25
_HEAD_WIDTH = 36


def print_summary(
    report: Report, loaded: LoadedSettings, loudness: Loudness, *, as_json: bool
) -> None:
    """Print the summary for eyes on standard error, and with ``--json`` on standard output."""
    advice = advise(report, loaded)
    if as_json:
        print_json(orjson.dumps(report.as_json()) + b"\n")
    if loudness.log_format == "json":
        _log(report, advice, quiet=loudness.quiet)
    elif not loudness.quiet:
        _print(report, advice, _all_rows(report), with_warnings=True)
    elif report.exit_code is not ExitCode.OK:
        bad = ((label.strip(), n, why) for label, n, why in _bad_rows(report) if n != "0")
        _print(report, advice, bad, with_warnings=False)


def advise(report: Report, loaded: LoadedSettings) -> list[str]:
    """Say what to do about what is left, a sentence each."""
    tally = report.tally
    advice = list(report.advice)
    options = repeat_options(loaded)
    if report.interrupted and not report.dry_run:
        advice.append("Interrupted: the same command goes on from here.")
    written = report.exit_code is not ExitCode.CANNOT_WRITE_STATE
    if not report.dry_run and written and (tally.messages["failed"] or tally.messages["invalid"]):
        place = loaded.ledger
        letters = shlex.quote(str(place.state.dead_letters))
        again = letters if place.address is None else "--dead-letters"
        command = f"convertro replay {again} {options}".rstrip()
        advice.append(
            f"What failed or was invalid is kept in {place.address or letters}, with the reason; "
            f"once that is mended, try again with: {command}"
        )
    if tally.skipped["cloud_settings_missing"]:
        missing = ", ".join(f"convertro.{name}" for name in missing_cloud_settings(loaded.settings))
        advice.append(
            f"{_number(tally.skipped['cloud_settings_missing'], 'message')} from apps or servers "
            f"need {missing}: fill in what is missing in {loaded.file}, then run this again."
        )
    advice += gate_advice(tally, loaded.settings)
    if tally.calls["in_doubt"]:
        advice.append(
            f"{_number(tally.calls['in_doubt'], 'call')} may or may not have arrived. "
            "The next run sends them again, unless it is told --at-most-once."
        )
    done = report.interrupted or report.open_letters  # then more is said of it already
    if tally.files["skipped"] and not tally.read and not done:
        advice.append(
            f"Nothing to do: {_number(tally.files['skipped'], 'file')} left unread "
            f"({in_words(tally.unread)})."
            + (" --reread reads replayed ones again." if tally.unread["already_replayed"] else "")
        )
    return advice


def _print(
    report: Report, advice: list[str], rows: Iterator[SummaryRow], *, with_warnings: bool
) -> None:
    if report.problem:
        print(f"convertro: {visible(report.problem)}", file=sys.stderr)
    for row in rows:
        for line in _layout(row, _line_width()):
            print(line, file=sys.stderr)
    for what, places, total in _places(report.tally, with_warnings=with_warnings):
        more = f" and {total - len(places):,} more" if total > len(places) else ""
        print(f"{what} at {visible(_shorten(places))}{more}", file=sys.stderr)
    for sentence in advice:
        print(f"→ {visible(sentence)}", file=sys.stderr)


def _places(tally: Tally, *, with_warnings: bool) -> Iterator[tuple[str, list[str], int]]:
    """Give each kind of place with how many there are: warnings first, then what is worse."""
    bad = tally.invalid + tally.failed
    if with_warnings:
        for what, places in tally.warning_places.items():
            if total := tally.warnings[what]:
                yield f"{what}, sent," if bad[what] else what, places, total
    for what, places in tally.places.items():
        if total := bad[what]:
            yield f"{what}, held back," if tally.warnings[what] else what, places, total


def _shorten(places: list[str]) -> str:
    """Name places, a file's name only once for those that follow each other in it."""
    shown: list[str] = []
    last = ""
    for place in places:
        name, _, line = place.rpartition(":")
        shown.append(line if name == last else place)
        last = name
    return ", ".join(shown)


def _line_width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else None


def _layout(row: SummaryRow, width: int | None) -> list[str]:
    """Set a row in three columns; on a terminal the last one is wrapped."""
    label, number, note = row
    room_for_number = max(_HEAD_WIDTH - len(label), len(number) + 2)  # a name can be of any length
    head = f"{label}{number:>{room_for_number}}  "
    room = max(20, width - len(head)) if width else 0
    lines = textwrap.wrap(note, room) if note and room else [note]
    indent = " " * len(head)
    return [(head + lines[0]).rstrip(), *(indent + line for line in lines[1:])]


def _all_rows(report: Report) -> Iterator[SummaryRow]:
    tally = report.tally
    ending = " (interrupted)" if report.interrupted else " (canary)" if report.canary else ""
    yield ("Dry run" if report.dry_run else "Replay") + ending, "", ""
    yield "messages read", f"{tally.read:,}", ""
    delivered = "would be delivered" if report.dry_run else "delivered"
    yield f"  {delivered}", f"{tally.messages['delivered']:,}", ""
    for outcome in ("already_delivered", "already_failed"):
        if tally.messages[outcome]:
            yield f"  {outcome.replace('_', ' ')}", f"{tally.messages[outcome]:,}", ""
    left = tally.skipped[IN_DOUBT]
    if left:
        yield "  left in doubt", f"{left:,}", ""
    skipped = Counter({reason: n for reason, n in tally.skipped.items() if reason != IN_DOUBT})
    yield "  skipped", f"{tally.messages['skipped'] - left:,}", _list(skipped)
    yield from _bad_rows(report)
    if tally.kept_back:
        yield "kept back", "", "of the skipped and the invalid, by a choice or a setting"
        yield from kept_back_rows(tally)
    yield "calls", f"{tally.calls['delivered']:,}", _call_notes(report)
    yield from _event_rows(tally)
    if tally.warnings:
        yield "warnings", f"{tally.warnings.total():,}", _list(tally.warnings)
    files = ", ".join(f"{tally.files[key]:,} {key}" for key in ("read", "skipped", "damaged"))
    yield "files", "", files + (f" ({in_words(tally.unread)})" if tally.unread else "")
    yield "time", f"{report.elapsed_s:,.1f} s", _speed(report)


def _event_rows(tally: Tally) -> Iterator[SummaryRow]:
    """Give the event types with the most calls, in order of their names, and what the rest is."""
    shown, rest = tally.most_frequent(_MOST_EVENT_TYPES)
    for event_type, total in sorted(shown.items()):
        yield f"  {visible(event_type)}", f"{total.count:,}", _worth(total)
    if rest.count:
        others = len(tally.by_event_type) - len(shown)
        yield f"  {_number(others, 'other')}", f"{rest.count:,}", _worth(rest)


def _bad_rows(report: Report) -> Iterator[SummaryRow]:
    tally = report.tally
    for outcome, reasons in (("invalid", tally.invalid), ("failed", tally.failed)):
        yield f"  {outcome}", f"{tally.messages[outcome]:,}", _list(reasons)


def _call_notes(report: Report) -> str:
    calls = report.tally.calls
    names = ("already_delivered", "already_failed", "failed", "possibly_repeated", "in_doubt")
    notes = [f"{calls[name]:,} {name.replace('_', ' ')}" for name in names if calls[name]]
    if calls["attempts"]:
        notes.append(f"{_number(calls['attempts'], 'attempt')} over {report.transport}")
    return ", ".join(notes)


def _worth(total: Sum) -> str:
    return f"worth {total.value:,.2f}"


def _speed(report: Report) -> str:
    seconds = max(report.elapsed_s, 0.001)
    parts = [f"{report.tally.read / seconds:,.0f} events/s"]
    if not report.dry_run:
        parts.append(f"{report.tally.calls['delivered'] / seconds:,.0f} calls/s")
    p50, p95 = report.latency_p50_s, report.latency_p95_s
    if p50 is not None and p95 is not None:
        parts.append(f"answers in {_ms(p50)} (p50), {_ms(p95)} (p95)")
    return ", ".join(parts)


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common() if count)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _log(report: Report, advice: list[str], *, quiet: bool) -> None:
    if report.problem:
        log_json("error", "problem", text=report.problem)
    if not quiet or report.exit_code is not ExitCode.OK:
        level: Level = "info" if report.exit_code is ExitCode.OK else "error"
        tally = report.tally
        log_json(
            level,
            "summary",
            **_bounded(report),
            places=dict(tally.places),
            warning_places=dict(tally.warning_places),
            advice=advice,
        )


def _bounded(report: Report) -> dict[str, Any]:
    """Give the summary with no more event types than a line of a log should have."""
    shown, rest = report.tally.most_frequent(_MOST_EVENT_TYPES)
    summary = report.as_json()
    types = summary["by_event_type"]
    summary["by_event_type"] = {name: types[name] for name in types if name in shown}
    if rest.count:
        summary["other_event_types"] = {
            "types": len(types) - len(shown),
            "calls": rest.count,
            "value": float(rest.value),
        }
    return summary
