"""The metrics of replays as a file for node_exporter's textfile collector.

What is counted goes on from run to run, as Prometheus wants of a counter: each run adds to what
the file says of the same target. The file has no content of events; the names of event types can
be many, so that only the most frequent have a series of their own.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.open_letters import Target

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from convertro_cli.run.report import Report

MOST_EVENT_TYPES = 25
OTHERS = "(others)"

_BEGINNING = b"# HELP convertro_"

_MODE = 0o644
"""node_exporter runs as somebody else, and there is nothing private in it."""

_TARGET = ("url", "account", "site_id")

Labels = tuple[tuple[str, str], ...]
_NO_LABELS: Labels = tuple((name, "") for name in _TARGET)

Values = dict[tuple[str, Labels], float]
"""The samples by their metric's name and their labels, in order."""

_COUNTERS = {
    "convertro_messages": "Messages read, by what became of them.",
    "convertro_calls": "Calls, by what became of them.",
    "convertro_attempts": "Requests sent, each try of a call.",
    "convertro_event_calls": "Event calls delivered, by Convertro's event type.",
    "convertro_event_value": "What the event calls delivered were worth, by event type.",
}
_GAUGES = {
    "convertro_dead_letters_open": "Dead letters that nobody has replayed yet.",
    "convertro_exit_code": "The exit code of the last run; 0 is success.",
    "convertro_run_duration_seconds": "How long the last run took.",
    "convertro_last_run_timestamp_seconds": "When the last run ended, in Unix time.",
    "convertro_last_success_timestamp_seconds": "When a run last ended with 0, in Unix time.",
}


def check_metrics() -> None:
    """Raise ConvertroError where the library for metrics is not installed."""
    try:
        import prometheus_client  # noqa: F401, PLC0415 - only who wants metrics needs it
    except ImportError:
        raise ConvertroError(
            "--metrics needs prometheus_client, which is not installed.",
            hint="Install it with the program: pip install 'convertro[metrics]'.",
        ) from None


class RunFacts(Struct):
    """What is known of a run at its end; ``report`` is None where it did not begin."""

    target: Target | None
    exit_code: int
    open_letters: int = 0
    report: Report | None = None
    ended_at: float = field(default_factory=time.time)


def write_metrics(path: Path | None, facts: RunFacts) -> None:
    """Add a run to the file of metrics, whole or not at all; None is standard output.

    Raises ConvertroError where it cannot be written.
    """
    values = _read(path) if path is not None else {}
    if facts.target is not None:  # what was said while no target was known is out of date
        values = {key: number for key, number in values.items() if key[1][:3] != _NO_LABELS}
    for labels in _targets(values, facts.target):
        _note_ending(values, labels, facts)
    if facts.report is not None and facts.target is not None:
        _note_report(values, _labels_of(facts.target), facts.report, facts.open_letters)
    try:
        _write(path, values)
    except OSError as error:
        raise ConvertroError(
            f"The metrics {path} cannot be written: {error.strerror}.",
            hint="The run itself is not touched by that: what it did is in the ledger.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None


def holds_metrics(path: Path) -> bool:
    """Whether a file begins as one that ``write_metrics`` wrote."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def _labels_of(target: Target) -> Labels:
    return tuple(
        zip(_TARGET, (target.url, target.account or "", target.site_id or ""), strict=True)
    )


def _targets(values: Values, target: Target | None) -> list[Labels]:
    """Give the labels of a target; where settings are faulty, of all that there are."""
    if target is not None:
        return [_labels_of(target)]
    known = [labels for name, labels in values if name == "convertro_exit_code"]
    return known or [_NO_LABELS]


def _note_ending(values: Values, labels: Labels, facts: RunFacts) -> None:
    values["convertro_exit_code", labels] = facts.exit_code
    values["convertro_last_run_timestamp_seconds", labels] = facts.ended_at
    if facts.exit_code == 0:
        values["convertro_last_success_timestamp_seconds", labels] = facts.ended_at


def _note_report(values: Values, labels: Labels, report: Report, letters: int) -> None:
    tally = report.tally
    values["convertro_dead_letters_open", labels] = letters
    values["convertro_run_duration_seconds", labels] = report.elapsed_s
    summary = tally.summary()
    for name, total in (("messages", "read"), ("calls", "attempts")):
        for outcome, number in summary[name].items():
            if outcome != total:  # which is no outcome
                _add(values, f"convertro_{name}", (*labels, ("outcome", outcome)), number)
    _add(values, "convertro_attempts", labels, tally.calls["attempts"])
    worth = {each: _finite(total.value) for each, total in tally.by_event_type.items()}
    calls = {each: float(total.count) for each, total in tally.by_event_type.items()}
    kept = _most_frequent(values, labels, calls)
    for metric, numbers in (("convertro_event_calls", calls), ("convertro_event_value", worth)):
        _add_by_type(values, metric, labels, numbers, kept)


def _add(values: Values, name: str, labels: Labels, number: float) -> None:
    values[name, labels] = _finite(values.get((name, labels), 0.0) + number)


def _finite(number: float | Decimal) -> float:
    """Give a number that a counter can hold, and from which it can go on: never infinity."""
    return max(-sys.float_info.max, min(float(number), sys.float_info.max))


def _most_frequent(values: Values, labels: Labels, calls: Mapping[str, float]) -> set[str]:
    """Choose the event types that have a series of their own, by all calls so far."""
    so_far = dict(calls)
    for name, has in values:
        if name == "convertro_event_calls" and has[:-1] == labels and has[-1][1] != OTHERS:
            so_far[has[-1][1]] = so_far.get(has[-1][1], 0.0) + values[name, has]
    ranked = sorted(so_far, key=lambda each: (-so_far[each], each))
    return set(ranked[:MOST_EVENT_TYPES])


def _add_by_type(
    values: Values, metric: str, labels: Labels, numbers: Mapping[str, float], kept: set[str]
) -> None:
    """Add a run's numbers by event type; what is not kept goes to the others, for good."""
    for name, has in list(values):
        if name == metric and has[:-1] == labels and has[-1][1] not in {*kept, OTHERS}:
            _add(values, metric, (*labels, ("event_type", OTHERS)), values.pop((name, has)))
    for event_type, number in numbers.items():
        shown = event_type if event_type in kept else OTHERS
        _add(values, metric, (*labels, ("event_type", shown)), number)


def _read(path: Path) -> Values:
    """Read what the file says so far; what is no file of ours begins anew."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
    return {
        (family.name, _in_order(sample.labels)): sample.value
        for family in families
        if family.name in _COUNTERS or family.name in _GAUGES
        for sample in family.samples
    }


def _in_order(labels: Mapping[str, str]) -> Labels:
    """Put the labels of the target first: in the file all are in order of the alphabet."""
    others = [name for name in labels if name not in _TARGET]
    return tuple((name, labels.get(name, "")) for name in (*_TARGET, *others))


def _write(path: Path | None, values: Values) -> None:
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(lambda: _families(values)))
    content = generate_latest(registry)
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), _MODE)
            os.fsync(stream.fileno())
        Path(name).replace(os.path.realpath(path))
    finally:
        Path(name).unlink(missing_ok=True)


def _families(values: Values) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

    for name, help_text in (_COUNTERS | _GAUGES).items():
        samples = [(labels, number) for (each, labels), number in values.items() if each == name]
        if not samples:
            continue
        names = [label for label, _ in samples[0][0]]
        kind = CounterMetricFamily if name in _COUNTERS else GaugeMetricFamily
        family = kind(name, help_text, labels=names)
        for labels, number in samples:
            family.add_metric([dict(labels).get(each, "") for each in names], number)
        yield family


class _Families:
    """What prometheus_client calls a collector."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self.collect = collect
