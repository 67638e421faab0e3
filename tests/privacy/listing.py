"""Suppression lists for tests, out of ids or files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from convertro_cli.privacy.list_builder import ListBuilder
from convertro_cli.privacy.list_files import Suppressions, read_suppressions
from convertro_cli.privacy.suppression_list import SuppressionList


def list_of(*ids: str) -> SuppressionList:
    """A list with these ids."""
    return list_of_all(ids)


def list_of_all(ids: Iterable[str]) -> SuppressionList:
    """A list with all of these ids."""
    builder = ListBuilder()
    for user_id in ids:
        builder.add(user_id)
    return builder.finish()


def sound(*paths: Path) -> Suppressions:
    """Read files that must be sound."""
    suppressions, faults = read_suppressions(paths)
    assert suppressions is not None, faults
    assert not faults
    return suppressions


def faults_in(*paths: Path) -> list[str]:
    """Read files that must not be sound, and give what is said of them."""
    suppressions, faults = read_suppressions(paths)
    assert suppressions is None
    return [f"{fault.file.name} {fault.problem}" for fault in faults]


def suppressed_page(*ids: Any, kind: str = "USER_ID", pagination: Any = None) -> bytes:
    """An answer of GET /suppressions."""
    entries = [{"subjectType": kind, "subjectIds": [user_id]} for user_id in ids]
    return orjson.dumps({"data": {"suppressed": entries, "pagination": pagination or {}}})


def regulations_page(*entries: tuple[str, str, str], **more: Any) -> bytes:
    """An answer of GET /regulations: of each the type, the user and the time, newest first."""
    regulations = [
        {
            "id": f"r{number}",
            "subjectType": "USER_ID",
            "subjects": [user_id],
            "status": "FINISHED",
            "createdAt": created_at,
            "regulationType": kind,
        }
        | more
        for number, (kind, user_id, created_at) in enumerate(entries)
    ]
    return orjson.dumps({"data": {"regulations": regulations, "pagination": {"current": "MA=="}}})
