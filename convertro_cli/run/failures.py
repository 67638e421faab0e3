"""When failures are too many to go on: ``--max-failed``."""

from __future__ import annotations

from msgspec import Struct

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.tally import Tally

_ENOUGH = 100
"""So many messages must be settled before a share of them says anything."""

_COUNTED = ("delivered", "failed", "invalid")


class FailureLimit(Struct, frozen=True):
    """The most messages that may fail or be invalid: a number, or a share of those settled."""

    number: int | None = None
    share: float | None = None

    @classmethod
    def read(cls, text: str) -> FailureLimit:
        """Read ``20`` or ``5%``. Raises ConvertroError."""
        plain = text.strip()
        digits = plain.removesuffix("%").strip()
        try:
            if plain.endswith("%"):
                share = float(digits) / 100
                if 0 <= share <= 1:
                    return cls(share=share)
            elif digits.isdecimal() and len(digits) < 16:
                return cls(number=int(digits))
        except ValueError:
            pass
        raise ConvertroError(
            f"--max-failed {text!r} is neither a number nor a share.",
            hint="For example --max-failed 100, or --max-failed 5%.",
        )

    def check(self, tally: Tally) -> None:
        """Raise ConvertroError with exit code 1 where more have failed."""
        bad = tally.messages["failed"] + tally.messages["invalid"]
        if not bad:
            return
        settled = sum(tally.messages[name] for name in _COUNTED)
        if self.number is not None and bad > self.number:
            allowed = f"{self.number:,}"
        elif self.share is not None and settled >= _ENOUGH and bad > self.share * settled:
            allowed = f"{self.share * 100:g} %"
        else:
            return
        raise ConvertroError(
            f"Stopped: {bad:,} of {settled:,} messages failed or were invalid, and --max-failed "
            f"allows {allowed}.",
            hint="Look at the reasons first. The same command with a higher --max-failed goes on.",
            exit_code=ExitCode.SOME_FAILED,
        )
