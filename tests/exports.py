"""Seeded Segment exports of any length: what the benchmarks and the long tests replay.

The same arguments give the same bytes. Each thousand events holds the kinds of message in
exact shares, shuffled, so the number of calls to expect is known without mapping anything.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from uuid import UUID

from tests.export_templates import SENT, SKIPPED, Message, template

BLOCK = 1000
VARIANTS = 64
VISITORS = 8192
FIRST_EVENT = datetime(2023, 1, 1, tzinfo=UTC)
DAYS = 730

#: An id's last 48 bits run through all values before one comes again: the step is odd.
ID_STEP = 0x9E3779B97F4B
ID_MASK = (1 << 48) - 1

#: The settings under which ``share_sent`` of an export's events yield one call each.
BENCH_SETTINGS = """\
[convertro]
account = "acme"
client_name = "acme"
site_id = "1"
domain = "https://shop.example.com"

[events]
"Signed Up" = "signup"
"Trial Started" = "trial"
"Lead Submitted" = "lead"

[mapping]
traits = ["plan"]
"""


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """What was written: ``calls`` is what a replay under the benchmark's settings delivers."""

    path: Path
    events: int
    calls: int
    size: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """One sort of message: ready templates of it, and whether it yields a call."""

    templates: tuple[str, ...]
    sent: bool


def _shares(weights: dict[Callable[[Random], Message], float], total: int) -> list[int]:
    """Whole numbers in the proportion of the weights that add up to ``total``."""
    marks, reached = [0], 0.0
    for weight in weights.values():
        reached += weight
        marks.append(round(total * reached / sum(weights.values())))
    return [high - low for low, high in pairwise(marks)]


def _block(rng: Random, share_sent: float) -> list[_Kind]:
    """The kinds of a thousand events, each as often as its share wants, in order of kind."""
    sent = round(BLOCK * share_sent)
    block: list[_Kind] = []
    for weights, total in ((SENT, sent), (SKIPPED, BLOCK - sent)):
        for make, count in zip(weights, _shares(weights, total), strict=True):
            texts = tuple(template(make(rng)) for _ in range(VARIANTS))
            block += [_Kind(texts, weights is SENT)] * count
    return block


class _Clock:
    """ISO seconds of a Unix time, quickly: the day's text is made once a day."""

    def __init__(self) -> None:
        self._day = -1
        self._date = ""
        self._minutes = [f"T{h:02}:{m:02}:" for h in range(24) for m in range(60)]
        self._seconds = [f"{s:02}" for s in range(60)]

    def text(self, second: int) -> str:
        day, rest = divmod(second, 86_400)
        if day != self._day:
            self._day = day
            self._date = datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
        return f"{self._date}{self._minutes[rest // 60]}{self._seconds[rest % 60]}"


def _blocks(
    events: int, seed: int, share_sent: float, start: datetime, days: float
) -> Iterator[tuple[list[str], int]]:
    """Up to a thousand lines at a time, and how many of them yield a call."""
    rng = Random(seed)
    kinds = _block(rng, share_sent)
    heads = [str(UUID(int=rng.getrandbits(128), version=4))[:24] for _ in range(4096)]
    visitors = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(VISITORS)]
    clock = _Clock()
    first = int(start.timestamp() * 1000)
    step = days * 86_400_000 / max(events, 1)
    tail, getrandbits = rng.getrandbits(48), rng.getrandbits
    for begin in range(0, events, BLOCK):
        rng.shuffle(kinds)
        lines, sent = [], 0
        for number, kind in enumerate(kinds[: events - begin], begin):
            bits = getrandbits(60)
            tail = (tail + ID_STEP) & ID_MASK
            second, ms = divmod(first + int(step * number), 1000)
            visitor = bits & 8191
            cents = 500 + (bits >> 13) % 40_000
            fields = {
                "id": f"{heads[(bits >> 30) & 4095]}{tail:012x}",
                "visitor": visitors[visitor],
                "user": f"user_{visitor}",
                "at": clock.text(second),
                "ms": f"{ms:03}",
                "later": clock.text(second + 1),
                "order": f"A-{100_000 + number}",
                "amount": cents / 100,
                "net": (cents - cents // 6) / 100,
            }
            lines.append(kind.templates[bits >> 54] % fields)
            sent += kind.sent
        yield lines, sent


def iter_lines(
    events: int,
    *,
    seed: int = 1,
    share_sent: float = 0.3,
    start: datetime = FIRST_EVENT,
    days: float = DAYS,
) -> Iterator[bytes]:
    """The export's lines, each with its newline, spread evenly over the days from ``start``."""
    for lines, _ in _blocks(events, seed, share_sent, start, days):
        for line in lines:
            yield line.encode()


def write_export(
    path: Path,
    events: int,
    *,
    seed: int = 1,
    share_sent: float = 0.3,
    start: datetime = FIRST_EVENT,
    days: float = DAYS,
) -> ExportFacts:
    """Write the export to ``path``, a thousand lines in memory at a time."""
    calls = size = 0
    with path.open("wb") as out:
        for lines, sent in _blocks(events, seed, share_sent, start, days):
            size += out.write("".join(lines).encode())
            calls += sent
    return ExportFacts(path, events, calls, size)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.exports", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share-sent", type=float, default=0.3)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--settings", type=Path, help="write the matching convertro.toml here")
    options = parser.parse_args()
    if options.settings:
        options.settings.write_text(BENCH_SETTINGS)
    facts = write_export(
        options.output, options.events, seed=options.seed, share_sent=options.share_sent
    )
    print(f"{facts.path}: {facts.events} events, {facts.calls} calls, {facts.size} bytes")


if __name__ == "__main__":
    main()
