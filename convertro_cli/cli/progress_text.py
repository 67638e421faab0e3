"""Where a run is, in a few words."""

from __future__ import annotations

import time
from collections.abc import Mapping

from convertro_cli.run.progress import Progress
from convertro_cli.text import things


class EventRate:
    """Messages a second, over about the last five seconds."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, int]] = []

    def update(self, read: int) -> float:
        """Take in how many were read by now; give the rate."""
        now = time.monotonic()
        self._samples.append((now, read))
        while len(self._samples) > 2 and now - self._samples[0][0] > 5.0:
            self._samples.pop(0)
        (first, count), span = self._samples[0], now - self._samples[0][0]
        return (read - count) / span if span > 0 and first < now else 0.0


def describe_bytes(progress: Progress) -> str:
    """Say how much of the files on disk was read."""
    read = _size(progress.tally.bytes_read)
    if progress.total_bytes is None:
        return read
    return f"{read} of {_size(progress.total_bytes)}"


def describe(progress: Progress, rate: float) -> str:
    """Say where a run is, with the messages a second."""
    messages = progress.tally.messages
    parts = [f"{messages['read']:,} events", f"{rate:,.0f}/s"]
    if progress.listed is not None:
        parts.insert(0, f"{progress.listed:,} files found so far")
    cluster = progress.cluster
    if progress.concurrency is not None or cluster is not None:  # only a replay delivers anything
        parts.append(f"{messages['delivered']:,} delivered")
        parts.append(f"{messages['failed']:,} failed")
    if cluster is not None:
        known = f" of {cluster.bundles:,}" if cluster.bundles is not None else ""
        parts.insert(0, f"{cluster.done:,}{known} bundles")
        parts.append(
            f"{cluster.calls_per_s:,.0f} calls/s by {things(len(cluster.rates), 'worker')}"
        )
    if progress.concurrency is not None:
        parts.append(f"{progress.in_flight} of {progress.concurrency} at once")
    if progress.rate is not None:
        parts.append(f"at most {progress.rate:,.0f} calls/s")
    if progress.held_back_by:
        parts.append(f"held back by {progress.held_back_by}")
    if progress.retries:
        parts.append(_retries(progress.retries))
    trouble = f"{progress.trouble} · " if progress.trouble else ""
    return trouble + " · ".join(parts)


def _retries(retries: Mapping[str, int]) -> str:
    """Say how many tries failed and why, the most frequent reason first."""
    total = sum(retries.values())
    reasons = sorted(retries.items(), key=lambda entry: -entry[1])
    why = ", ".join(f"{count:,} × {reason}" for reason, count in reasons)
    return f"{total:,} {'retry' if total == 1 else 'retries'}: {why}"


def _size(size: float) -> str:
    """Write a number of bytes in the unit that fits."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
