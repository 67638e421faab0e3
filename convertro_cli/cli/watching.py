"""What a person sees of a run while it goes on: a bar, or a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import orjson
from rich import filesize
from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bar,
)

from convertro_cli.cli.console import error_console, visible
from convertro_cli.run.progress import NobodyWatches, Progress, Watcher

_FRAME = 0.1
_LINE_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Loudness:
    """What the user wants to see on standard error."""

    quiet: bool = False
    log_format: Literal["text", "json"] = "text"


@contextmanager
def open_watcher(loudness: Loudness) -> Iterator[Watcher]:
    """Give the watcher that fits standard error and the user's wishes."""
    if loudness.log_format == "json":
        yield JsonWatcher(quiet=loudness.quiet)
        return
    console = error_console()
    if loudness.quiet:
        yield QuietWatcher()
    elif console.is_terminal:
        with BarWatcher(console) as bar:
            yield bar
    else:
        yield LineWatcher()


class QuietWatcher(NobodyWatches):
    """Shows nothing but what is wrong."""

    def notice(self, text: str) -> None:
        """Print it."""
        print(visible(text), file=sys.stderr)


class _EventRate:
    """Messages a second, over about the last five seconds."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, int]] = []

    def update(self, read: int) -> float:
        now = time.monotonic()
        self._samples.append((now, read))
        while len(self._samples) > 2 and now - self._samples[0][0] > 5.0:
            self._samples.pop(0)
        (first, count), span = self._samples[0], now - self._samples[0][0]
        return (read - count) / span if span > 0 and first < now else 0.0


class LineWatcher:
    """Writes a line each half minute: for logs and cron mails."""

    def __init__(self) -> None:
        self._rate = _EventRate()
        self._next = time.monotonic() + _LINE_EVERY

    def tick(self, progress: Progress) -> None:
        """Write a line if it is time for one."""
        if time.monotonic() < self._next:
            return
        self._next += _LINE_EVERY
        rate = self._rate.update(progress.tally.read)
        print(f"{_describe_bytes(progress)}  {_describe(progress, rate)}", file=sys.stderr)

    def notice(self, text: str) -> None:
        """Print it."""
        print(visible(text), file=sys.stderr)


class JsonWatcher:
    """Writes the same as JSON objects, for log collectors."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._rate = _EventRate()
        self._next = time.monotonic() + _LINE_EVERY

    def tick(self, progress: Progress) -> None:
        """Write an object if it is time for one."""
        if self._quiet or time.monotonic() < self._next:
            return
        self._next += _LINE_EVERY
        messages = progress.tally.messages
        log_json(
            "info",
            "progress",
            bytes_read=progress.tally.bytes_read,
            bytes_total=progress.total_bytes,
            read=messages["read"],
            delivered=messages["delivered"],
            failed=messages["failed"],
            events_per_s=round(self._rate.update(messages["read"])),
            concurrency=progress.concurrency,
            trouble=progress.trouble,
        )

    def notice(self, text: str) -> None:
        """Write it."""
        log_json("warning", "notice", text=text)


def log_json(level: str, event: str, **fields: object) -> None:
    """Write one JSON object on standard error."""
    record = {"at": _timestamp(), "level": level, "event": event, **fields}
    sys.stderr.buffer.write(orjson.dumps(record) + b"\n")
    sys.stderr.flush()


class BarWatcher:
    """Shows a bar that lives on the last lines of a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rate = _EventRate()
        self._next = 0.0
        self._task: TaskID | None = None
        # Refreshed from `tick`: no thread of its own, and no work for each event.
        self._bar = Bar(
            BarColumn(bar_width=None),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("\n{task.fields[state]}", justify="left"),
            console=console,
            auto_refresh=False,
            transient=True,
            expand=True,
        )

    def __enter__(self) -> BarWatcher:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tick(self, progress: Progress) -> None:
        """Draw the bar anew if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _FRAME
        if self._task is None:
            self._task = self._bar.add_task("", total=progress.total_bytes, amount="", state="")
        rate = self._rate.update(progress.tally.read)
        self._bar.update(
            self._task,
            completed=progress.tally.bytes_read,
            amount=_describe_bytes(progress),
            state=_describe(progress, rate),
        )
        self._bar.refresh()

    def notice(self, text: str) -> None:
        """Print it above the bar."""
        self._console.print(visible(text), markup=False)


def _describe_bytes(progress: Progress) -> str:
    read = filesize.decimal(progress.tally.bytes_read)
    if progress.total_bytes is None:
        return read
    return f"{read} of {filesize.decimal(progress.total_bytes)}"


def _describe(progress: Progress, rate: float) -> str:
    messages = progress.tally.messages
    parts = [
        f"{messages['read']:,} events",
        f"{rate:,.0f}/s",
        f"{messages['delivered']:,} delivered",
        f"{messages['failed']:,} failed",
    ]
    if progress.concurrency is not None:
        parts.append(f"{progress.in_flight} of {progress.concurrency} at once")
    if progress.rate is not None:
        parts.append(f"at most {progress.rate:,.0f} calls/s")
    if progress.trouble:
        parts.append(progress.trouble)
    return " · ".join(parts)


def _timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
