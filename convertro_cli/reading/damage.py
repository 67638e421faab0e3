"""The sentences for files that break off or are spoiled: what, where, and what to do."""

from __future__ import annotations

from convertro_cli.reading.paths import for_shell
from convertro_cli.text import visible


class DamagedExport(Exception):  # noqa: N818 - it is the file that has the error
    """The file is truncated, corrupt, or not made of lines; what came before is given out.

    The message is a sentence for people: what is wrong, where, and the fix.
    """


def truncated(name: str, kind: str, position: int) -> DamagedExport:
    """The compressed data ends too early."""
    return DamagedExport(
        f"{visible(name)} is cut off: its {kind} data breaks off at byte {position:,}. "
        "What came before was used; fetch the file again and replay it."
    )


def corrupt(name: str, kind: str, position: int, reason: str) -> DamagedExport:
    """The compressed data cannot be unpacked any further."""
    return DamagedExport(
        f"{visible(name)} is damaged: its {kind} data is spoiled near byte {position:,} "
        f"({reason}). What came before was used; fetch the file again and replay it."
    )


def too_large(name: str, unpack: str) -> DamagedExport:
    """Unpacking would take more memory than a run may have."""
    file, lines = for_shell(name), for_shell(f"{name}.ndjson")
    return DamagedExport(
        f"{visible(name)} needs too much memory to unpack while it is replayed. "
        f"Unpack it first: {unpack} {file} > {lines}"
    )


def unreadable(name: str, position: int, error: OSError) -> DamagedExport:
    """The system refuses to open the file, or to read on."""
    reason = error.strerror or type(error).__name__
    advice = getattr(error, "advice", "")
    if position == 0:
        advice = advice or "Check the file and its permissions."
        return DamagedExport(f"{visible(name)} cannot be read: {reason}. {advice}")
    advice = advice or "Check the disk and replay the file."
    return DamagedExport(
        f"{visible(name)} cannot be read past byte {position:,}: {reason}. "
        f"What came before was used. {advice}"
    )
