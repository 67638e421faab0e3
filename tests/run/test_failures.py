"""When failures are too many to go on."""

from __future__ import annotations

import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.tally import Tally
from convertro_cli.run.failures import FailureLimit


def tally(delivered: int, failed: int, invalid: int = 0) -> Tally:
    """Counts of a run so far."""
    found = Tally()
    found.messages.update(delivered=delivered, failed=failed, invalid=invalid, skipped=10_000)
    return found


@pytest.mark.parametrize(
    ("limit", "counts", "stops"),
    [
        ("0", (5, 0, 0), False),
        ("0", (5, 1, 0), True),
        ("0", (5, 0, 1), True),
        ("3", (0, 3, 0), False),
        ("3", (0, 2, 2), True),
        ("5%", (95, 5, 0), False),
        ("5%", (94, 6, 0), True),
        ("5%", (9_500, 250, 250), False),
        ("5 %", (9_499, 250, 251), True),
        ("50%", (0, 99, 0), False),
        ("50%", (0, 100, 0), True),
        ("100%", (0, 500, 0), False),
        ("0.5%", (995, 5, 0), False),
        ("0.5%", (994, 6, 0), True),
    ],
)
def test_what_is_too_many(limit: str, counts: tuple[int, int, int], stops: bool) -> None:
    """More than the number; or more than the share, once a hundred are settled."""
    read = FailureLimit.read(limit)
    if not stops:
        read.check(tally(*counts))
        return
    with pytest.raises(ConvertroError, match="--max-failed") as raised:
        read.check(tally(*counts))
    assert raised.value.exit_code is ExitCode.SOME_FAILED


@pytest.mark.parametrize("text", ["", "%", "-1", "many", "1.5", "101%", "-1%", "nan%", "9" * 30])
def test_what_is_no_limit(text: str) -> None:
    """It is told with an example."""
    with pytest.raises(ConvertroError, match="--max-failed") as raised:
        FailureLimit.read(text)
    assert "5%" in (raised.value.hint or "")
