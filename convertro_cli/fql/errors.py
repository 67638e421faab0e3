"""A condition that cannot be read: where, what was found there, and what was likely meant."""

from __future__ import annotations


class FqlError(ValueError):
    """A fault in the text of a condition.

    ``at`` is the character where it is, counted from 1. ``found`` is what stands there, None at
    the end of the text, and ``meant`` what would be right, where that can be guessed.
    """

    def __init__(
        self, problem: str, *, at: int, found: str | None = None, meant: str | None = None
    ) -> None:
        self.problem = problem
        self.at = at
        self.found = found
        self.meant = meant
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"character {self.at}: {self.problem}"
        if self.found is not None:
            text += f", found {self.found}"
        if self.meant is not None:
            text += f"; did you mean {self.meant}?"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.problem, self.at, self.found, self.meant)


def _rebuild(problem: str, at: int, found: str | None, meant: str | None) -> FqlError:
    return FqlError(problem, at=at, found=found, meant=meant)
