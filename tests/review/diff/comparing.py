"""Comparisons made short: settings, exports, dry runs, and what the changes make of them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st

from convertro_cli.mapping.dry_run import DryRunBatch, DryRunJob
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.diff.compare import Wanted
from convertro_cli.review.diff.job import DiffJob, DiffPart
from convertro_cli.review.diff.saved import SavedRun
from convertro_cli.review.diff.tally import DiffTally
from convertro_cli.review.masking import Masking
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.model import Settings
from tests.mapping.messages import settings_of
from tests.mapping.strategies import MESSAGES
from tests.review.explain.messages import settings as mapping_settings

Json = dict[str, Any]

NAME = "e.ndjson"
WRITTEN = Wanted(samples=3, written=Masking("full"))


def batches_of(lines: Sequence[bytes], *, together: int = 3, name: str = NAME) -> list[LineBatch]:
    """Cut lines into batches of a few, as of one file."""
    return [
        LineBatch(
            0, name, start + 1, b"".join(line + b"\n" for line in lines[start:][:together]), 0
        )
        for start in range(0, max(1, len(lines)), together)
    ]


def dry_run(lines: Sequence[bytes], rules: Rules, *, include_skipped: bool = True) -> DryRunBatch:
    """Dry-run lines as one batch."""
    (batch,) = batches_of(lines, together=max(1, len(lines)))
    return DryRunJob(rules, include_skipped=include_skipped)(batch)


def compare(
    lines: Sequence[bytes], before: Rules, after: Rules, wanted: Wanted = WRITTEN
) -> tuple[DiffTally, list[Json]]:
    """Compare under two sets of rules; give the counts and every change."""
    job = DiffJob(before, after, wanted)
    return add_up((job(batch) for batch in batches_of(lines)), wanted)


def compare_saved(
    saved: bytes, lines: Sequence[bytes], after: Rules, wanted: Wanted = WRITTEN
) -> tuple[DiffTally, list[Json]]:
    """Compare a saved dry run with rules; give the counts and every change."""
    job = DiffJob(None, after, wanted)
    with tempfile.NamedTemporaryFile() as file:
        file.write(saved)
        file.flush()
        works = SavedRun(Path(file.name)).beside(batches_of(lines), [NAME])
        return add_up([job(work) for work in works], wanted)


def add_up(parts: Iterable[DiffPart], wanted: Wanted) -> tuple[DiffTally, list[Json]]:
    """Add up the parts of a comparison."""
    total = wanted.open().finish()
    changes: list[Json] = []
    for part in parts:
        assert part.fault is None
        total.add(part.tally)
        changes += [orjson.loads(line) for line in part.changes.splitlines()]
    return total, changes


def apply(changes: Iterable[Json], old: Iterable[Json]) -> list[Json]:
    """Take what was before out of an old dry run, and put what is after in."""
    left = Counter(map(_key, old))
    for change in changes:
        head = {"source": change["source"], "message_id": change["message_id"]}
        if change["before"] is not None:
            key = _key(head | change["before"])
            assert left[key] > 0, "what was before is not in the old dry run"
            left[key] -= 1
        if change["after"] is not None:
            left[_key(head | change["after"])] += 1
    return as_a_dry_run(orjson.loads(key) for key in left.elements())


def as_a_dry_run(lines: Iterable[Json]) -> list[Json]:
    """Put lines in the order of the export, and those of one message in an order of their own."""
    return sorted(lines, key=lambda line: (_number(line), _key(line)))


def lines_of(output: bytes) -> list[Json]:
    """Read the output of a dry run."""
    return as_a_dry_run(orjson.loads(line) for line in output.splitlines())


def _number(line: Json) -> int:
    return int(line["source"].rpartition(":")[2])


def _key(line: Json) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_SORT_KEYS)


def _with_wire(settings: Settings, wire: Json) -> Settings:
    tables = settings.model_dump(exclude_unset=True)
    return settings_of(tables | {"wire": wire})


_settings: st.SearchStrategy[Settings] = mapping_settings | st.builds(
    _with_wire,
    mapping_settings,
    st.sampled_from(
        [
            {"base_url": "https://elsewhere.example"},
            {"params": {"sid": "visitor", "id": "user"}},
            {"hash_email_ids": False},
            {"paths": {"install": "/install/{client_name}"}},
            {"params": {"pag": "p" * 7990}},
        ]
    ),
)

rules: st.SearchStrategy[Rules] = _settings.map(compile_rules)
"""Rules of any settings, those of the wire among them."""


def _written(message: object) -> bytes:
    return orjson.dumps(message)


lines: st.SearchStrategy[list[bytes]] = st.lists(
    MESSAGES.map(_written)
    | st.sampled_from([b"", b"{", b"[]", b'{"type":"track"'])
    | st.just(b'{"reason":"r","source":"x:1","event":{"type":"page"}}'),
    max_size=8,
)
"""The lines of any export: messages that are whole or spoilt in one place, and what is none."""


def each(tally: DiffTally) -> Iterator[int]:
    """The numbers of calls added, removed, changed and unchanged."""
    return (tally.calls[name] for name in ("added", "removed", "changed", "unchanged"))
