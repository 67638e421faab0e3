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
        text = self.without_guess
        return text if self.meant is None else f"{text}; did you mean {self.meant}?"

    @property
    def without_guess(self) -> str:
        """What is wrong, and where, for who tells what was likely meant in another way."""
        text = f"character {self.at}: {self.problem}"
        return text if self.found is None else f"{text}, found {self.found}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.problem, self.at, self.found, self.meant)


def _rebuild(problem: str, at: int, found: str | None, meant: str | None) -> FqlError:
    return FqlError(problem, at=at, found=found, meant=meant)
