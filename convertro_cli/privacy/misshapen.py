"""What is wrong with a file of a suppression list."""

from __future__ import annotations


class MisshapenError(Exception):
    """A file is no suppression list. ``line`` counts from 1; None where it is not of one line."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line:,}: {problem}")
