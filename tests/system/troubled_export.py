"""Exports for the crash test: events of all kinds, bad lines among them, in several files."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.lines import read_batches
from convertro_cli.reading.sources import find_exports
from tests.exports import iter_lines
from tests.mapping.messages import ready_messages
from tests.system.receiving import Target, target_of_url

_FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
_BAD_LINES = (b'{"type":"track","event"', b"\xff\xfe", b"[1,2]", b'{"type":"track"}')


@dataclass(frozen=True, slots=True)
class TroubledExport:
    """What was written: the files, their lines by place, and the calls that they hold.

    ``originals`` has, for each call, the line that it comes from; the first of several.
    """

    files: Sequence[Path]
    lines: dict[str, bytes]
    targets: dict[bytes, Target]
    originals: dict[bytes, bytes]


def write_troubled_export(folder: Path, number: int, events: int, random: Random) -> list[Path]:
    """Write the ``number``-th export: three files, the second of them compressed."""
    start = _FIRST_DAY + timedelta(days=100 * number)
    seed = random.getrandbits(32)
    lines = [
        line.rstrip(b"\n")
        for line in iter_lines(events, seed=seed, share_sent=0.5, start=start, days=90)
    ]
    lines += random.sample(lines, k=events // 50)  # messages that come twice
    lines += [bad + b" " * (number * 100 + n) for n in range(5) for bad in _BAD_LINES]
    random.shuffle(lines)
    third = len(lines) // 3
    paths = []
    for part in range(3):
        some = lines[part * third : (part + 1) * third if part < 2 else None]
        content = b"".join(line + b"\n" for line in some)
        path = folder / f"{number}-{part}.ndjson"
        path.write_bytes(gzip.compress(content, 1) if part == 1 else content)
        paths.append(path)
    return paths


def read_troubled_export(folder: Path, paths: Sequence[Path], rules: Rules) -> TroubledExport:
    """Read an export back, with what the program makes of it."""
    lines: dict[str, bytes] = {}
    targets: dict[bytes, Target] = {}
    originals: dict[bytes, bytes] = {}
    job = ReplayJob(rules)
    for batch in read_batches(find_exports([str(path) for path in paths]).files):
        name = str(Path(batch.source).relative_to(folder))
        for number, line in enumerate(batch.data.split(b"\n"), batch.first_line):
            if line.strip():
                lines[f"{name}:{number}"] = line
        for message in ready_messages(job(batch)):
            for call in message.calls:
                targets[call.key] = target_of_url(call.url)
                originals.setdefault(call.key, batch.data[message.start : message.end])
    return TroubledExport(paths, lines, targets, originals)
