"""What a run reports: its counts, what is left to do, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import asdict

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.tally import Tally

if TYPE_CHECKING:
    from convertro_cli.run.retyped import RetypedSearch


class CanaryReport(Struct, frozen=True):
    """How many calls a canary sent; ``stopped`` says that there may be more to send."""

    calls: int
    stopped: bool


class Report(Struct):
    """The report of a replay or a dry run. Times are in seconds.

    ``advice`` says what to do about what is left, a sentence each; ``problem`` why the run ended
    before its end, if it did; ``open_letters`` how many dead letters are open where there was
    nothing else to do; ``retyped`` has what would go out again under another event type, None where
    nobody looked.
    """

    tally: Tally
    dry_run: bool
    exit_code: ExitCode
    elapsed_s: float
    transport: str | None = None
    interrupted: bool = False
    problem: str | None = None
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    open_letters: int = 0
    canary: CanaryReport | None = None
    retyped: RetypedSearch | None = None
    advice: list[str] = field(default_factory=list)

    def note_problem(self, error: ConvertroError) -> None:
        """Take in what went wrong after the run itself; what ended that is worth more."""
        if self.problem is None:
            self.problem, self.exit_code = error.message, error.exit_code

    def note_forgotten(self, letters: int) -> None:
        """Say how many dead letters of suppressed users were removed, if any were."""
        if letters:
            self.advice.append(f"Dead letters of suppressed users, removed for good: {letters:,}.")

    def as_json(self) -> dict[str, Any]:
        """Give the summary as one JSON object."""
        summary: dict[str, Any] = {"dry_run": self.dry_run, **self.tally.summary()}
        summary["elapsed_s"] = round(self.elapsed_s, 3)
        if self.latency_p50_s is not None and self.latency_p95_s is not None:
            summary["latency_ms"] = {
                "p50": round(self.latency_p50_s * 1000, 1),
                "p95": round(self.latency_p95_s * 1000, 1),
            }
        summary["transport"] = self.transport
        if self.interrupted:
            summary["interrupted"] = True
        if self.canary is not None:
            summary["canary"] = asdict(self.canary)
        if self.retyped is not None and self.retyped.total:
            summary["sent_again"] = self.retyped.as_json()
        summary["exit_code"] = int(self.exit_code)
        return summary


def how_it_ended(
    tally: Tally, problem: ConvertroError | None, interruption: ExitCode | None
) -> ExitCode:
    """Give the exit code of a replay, by the worst that happened."""
    if problem is not None:
        return problem.exit_code
    if interruption is not None:
        return interruption
    if tally.files["damaged"]:
        return ExitCode.UNREADABLE_EXPORT
    if tally.messages["failed"] or tally.messages["invalid"] or tally.calls["in_doubt"]:
        return ExitCode.SOME_FAILED
    return ExitCode.OK
