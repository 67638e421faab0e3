"""What a person sees of a run while it goes on: a bar, or a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from convertro_cli.cli.console import terminal_may_go
from convertro_cli.cli.log import log_json
from convertro_cli.cli.options import Loudness
from convertro_cli.cli.progress_text import EventRate, describe, describe_bytes
from convertro_cli.run.progress import ClusterProgress, NobodyWatches, Progress, Watcher
from convertro_cli.text import visible

_LINE_EVERY = 30.0


@contextmanager
def open_watcher(loudness: Loudness) -> Iterator[Watcher]:
    """Give the watcher that fits standard error and the user's wishes."""
    if loudness.log_format == "json":
        yield JsonWatcher(quiet=loudness.quiet)
        return
    if loudness.quiet:
        yield QuietWatcher()
    elif sys.stderr.isatty():
        from convertro_cli.cli.progress_bar import BarWatcher

        with BarWatcher() as bar:
            yield bar
    else:
        yield LineWatcher()


class QuietWatcher(NobodyWatches):
    """Shows nothing but what is wrong."""

    def notice(self, text: str) -> None:
        """Print it."""
        print(visible(text), file=sys.stderr)


class _Timetable:
    """Says when it is time for a word: each half minute, and at once when an outage begins."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_EVERY
        self._was_outage = False

    def is_time(self, progress: Progress) -> bool:
        begins = progress.is_outage and not self._was_outage
        self._was_outage = progress.is_outage
        if time.monotonic() >= self._next:
            self._next += _LINE_EVERY
            return True
        return begins


class LineWatcher:
    """Writes a line each half minute: for logs and cron mails."""

    def __init__(self) -> None:
        self._rate = EventRate()
        self._times = _Timetable()

    def tick(self, progress: Progress) -> None:
        """Write a line if it is time for one."""
        if not self._times.is_time(progress):
            return
        rate = self._rate.update(progress.tally.read)
        with terminal_may_go():
            print(f"{describe_bytes(progress)}  {describe(progress, rate)}", file=sys.stderr)

    def notice(self, text: str) -> None:
        """Print it."""
        print(visible(text), file=sys.stderr)


class JsonWatcher:
    """Writes the same as JSON objects, for log collectors."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._rate = EventRate()
        self._times = _Timetable()

    def tick(self, progress: Progress) -> None:
        """Write an object if it is time for one."""
        if self._quiet or not self._times.is_time(progress):
            return
        messages = progress.tally.messages
        log_json(
            "info",
            "progress",
            bytes_read=progress.tally.bytes_read,
            bytes_total=progress.total_bytes,
            files_found=progress.listed,
            read=messages["read"],
            delivered=messages["delivered"],
            failed=messages["failed"],
            events_per_s=round(self._rate.update(messages["read"])),
            concurrency=progress.concurrency,
            retries=dict(progress.retries),
            held_back_by=progress.held_back_by or None,
            trouble=progress.trouble,
            **_of_cluster(progress.cluster),
        )

    def notice(self, text: str) -> None:
        """Write it."""
        log_json("warning", "notice", text=text)


def _of_cluster(cluster: ClusterProgress | None) -> dict[str, object]:
    """Give what there is to say of a cluster, worker by worker; nothing where there is none."""
    if cluster is None:
        return {}
    return {
        "bundles_done": cluster.done,
        "bundles_total": cluster.bundles,
        "calls_per_s": round(cluster.calls_per_s, 1),
        "workers": {name: round(rate, 1) for name, rate in cluster.rates.items()},
    }
