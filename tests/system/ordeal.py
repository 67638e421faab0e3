"""The crash test: runs that are killed at all moments, resumed, and checked after each of them.

After every run the export, the ledger, the dead letters and what the other side received are
compared, so that a fault shows in the run that made it.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from random import Random

from convertro_cli.sandbox.log import Record
from convertro_cli.settings.compile import compile_rules
from tests.system.endings import AtRequest, ByItself, Ending, draw_ending
from tests.system.ledger_view import (
    LedgerView,
    dead_letter_files,
    read_failures,
    read_ledger,
    read_originals,
)
from tests.system.other_side import OtherSide
from tests.system.program import Ended, Running, Workspace
from tests.system.receiving import Target, target_of
from tests.system.troubled_export import read_troubled_export, write_troubled_export

LETTERS = ".convertro/dead-letters.ndjson"
WINDOW = 256
MAX_ATTEMPTS = 4
SETTINGS = f"""\
[convertro]
account = "acme"
client_name = "acme"
site_id = "1"
domain = "https://shop.example.com"
hybrid_attribution_model = true

[events]
"Signed Up" = ["signup", "lead"]
"Trial Started" = "trial"
"Lead Submitted" = "lead"

[delivery]
max_attempts = {MAX_ATTEMPTS}
outage_timeout = "60s"
stop_after_refusals = 0

[wire.paths]
install = "/api/unheard-of/{{client_name}}/{{site_id}}/"
"""

Draw = Callable[[Random, bool], Ending]
"""Draws an ending; it is told whether dead letters are being replayed."""

_INTERRUPTED = {signal.SIGINT: 130, signal.SIGTERM: 143}


@dataclass(slots=True)
class Figures:
    """What an ordeal came to.

    ``lost`` are calls that neither arrived nor are dead letters. ``largest_window`` is the most
    calls that one kill left in doubt; what an earlier one left comes on top of that. ``in_doubt``
    is the sum of the calls in doubt after each kill, ``most_in_doubt`` the most after one.
    """

    kills: int = 0
    interrupts: int = 0
    resumes: int = 0
    calls: int = 0
    lost: int = 0
    repeated: int = 0
    in_doubt: int = 0
    most_in_doubt: int = 0
    largest_window: int = 0
    dead_letters: int = 0
    turned_away: int = 0

    def __add__(self, other: Figures) -> Figures:
        both = zip(astuple(self), astuple(other), strict=True)
        total = Figures(*(one + another for one, another in both))
        total.largest_window = max(self.largest_window, other.largest_window)
        total.most_in_doubt = max(self.most_in_doubt, other.most_in_doubt)
        return total

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:,}" for name, value in asdict(self).items())


@dataclass(slots=True)
class _Run:
    """One run: the ledger before and after it, and what arrived meanwhile."""

    before: LedgerView
    after: LedgerView
    records: Sequence[Record]
    ended: Ended
    letters: bool
    cut: bool
    accepted: Counter[Target] = field(init=False)
    attempts: Counter[Target] = field(init=False)

    def __post_init__(self) -> None:
        self.accepted = Counter(target_of(r) for r in self.records if r["status"] == 200)
        self.attempts = Counter(target_of(record) for record in self.records)


class Ordeal:
    """Replays exports from one folder to one other side, with endings as they are drawn."""

    def __init__(
        self, workspace: Workspace, side: OtherSide, random: Random, draw: Draw = draw_ending
    ) -> None:
        workspace.config.write_text(SETTINGS)
        self.figures = Figures()
        self._workspace = workspace
        self._side = side
        self._random = random
        self._draw = draw
        self._rules = compile_rules(workspace.load(side.url).settings)
        self._lines: dict[str, bytes] = {}
        self._targets: dict[bytes, Target] = {}
        self._keys: dict[Target, bytes] = {}
        self._originals: dict[bytes, bytes] = {}
        self._arrived: Counter[Target] = Counter()
        self._exports = 0

    def go_through(self, *, kills: int, events: int) -> None:
        """Replay one export, then its dead letters, with so many kills and then to the end."""
        self._exports += 1
        folder = self._workspace.folder
        paths = write_troubled_export(folder, self._exports, events, self._random)
        export = read_troubled_export(folder, paths, self._rules)
        self._lines |= export.lines
        self._targets |= export.targets
        self._keys |= {target: key for key, target in export.targets.items()}
        self._originals |= export.originals
        self.figures.calls = len(self._targets)
        names = [path.name for path in paths]
        enough = self.figures.kills + kills
        self._until_done(names, until=enough - kills // 4, letters=False)
        summary = self._run([*names, "--reread"], ByItself(), letters=False).summary
        assert summary["messages"]["read"] == len(export.lines)
        assert summary["calls"]["attempts"] == 0
        self._check_nothing_is_lost(dead_letter_files(self._workspace.state))
        self._until_done([LETTERS], until=enough, letters=True)
        self._check_nothing_is_lost([self._workspace.dead_letters])

    def _until_done(self, arguments: list[str], *, until: int, letters: bool) -> None:
        """Run, kill and resume; the last run comes to its end."""
        while self.figures.kills < until:
            ended = self._run(arguments, self._draw(self._random, letters), letters)
            if ended.code in {0, 1} and not letters:
                break
        ended = self._run(arguments, ByItself(), letters)
        assert ended.code in {0, 1}, ended.err

    def _run(self, arguments: list[str], ending: Ending, letters: bool) -> Ended:
        """Do one run and check it."""
        side, state = self._side, self._workspace.state
        before, seen = read_ledger(state), len(side.received())
        options = [
            *("--json", "--base-url", side.url),
            *("--workers", str(self._random.choice((1, 1, 2)))),
            *("--transport", self._random.choice(("curl", "curl", "requests"))),
            *("--concurrency", self._random.choice(("auto", "auto", "64", "3"))),
        ]
        program = ending.program()
        running = self._workspace.start("replay", *arguments, *options, program=program)
        try:
            if isinstance(ending, ByItself) and not letters:
                self._try_to_overlap(running, arguments)
            ending.bring(running, side.requests)
            ended = running.end(within=300)
        finally:
            running.close()
        side.wait_for_quiet()
        run = _Run(
            before, read_ledger(state), side.received()[seen:], ended, letters, side.was_cut()
        )
        self._check(run, ending)
        return ended

    def _try_to_overlap(self, running: Running, arguments: list[str]) -> None:
        """Start the same once more while it is sending, if it ever does."""
        seen = self._side.requests()
        while running.process.poll() is None and self._side.requests() == seen:
            time.sleep(0.001)
        if running.process.poll() is None:
            rival = self._workspace.run("replay", *arguments, "--base-url", self._side.url)
            self.figures.turned_away += rival.code == 75
            assert rival.code == 75 or running.process.poll() is not None

    def _check(self, run: _Run, ending: Ending) -> None:
        self._check_ending(run, ending)
        self._check_marks(run)
        self._check_repeats(run)
        self._check_letters(run)
        if run.ended.code != -signal.SIGKILL:
            self._check_summary(run)
        self._arrived += run.accepted

    def _check_ending(self, run: _Run, ending: Ending) -> None:
        code, figures = run.ended.code, self.figures
        assert "Traceback" not in run.ended.err
        figures.resumes += 1
        if code == -signal.SIGKILL:
            figures.kills += 1
            return
        allowed = {0, 1}
        if isinstance(ending, AtRequest) and ending.number in _INTERRUPTED:
            allowed.add(_INTERRUPTED[ending.number])
        assert code in allowed, (ending, code, run.ended.err)
        figures.interrupts += code > 1

    def _check_marks(self, run: _Run) -> None:
        """What arrived is known, or is marked as possibly having; never too much of that."""
        known = run.after.sent | run.after.sending
        assert {self._keys[target] for target in run.accepted} <= known
        assert run.before.sent <= run.after.sent
        window = len(run.after.sending - run.before.sending)
        assert window <= WINDOW
        if run.ended.code != -signal.SIGKILL and not run.cut:
            assert not window
        figures = self.figures
        figures.largest_window = max(figures.largest_window, window)
        figures.most_in_doubt = max(figures.most_in_doubt, len(run.after.sending))
        if run.ended.code == -signal.SIGKILL:
            figures.in_doubt += len(run.after.sending)

    def _check_repeats(self, run: _Run) -> None:
        """Only what was in doubt is sent again, nothing that is known; each try in its bounds."""
        for target, count in run.attempts.items():
            key = self._keys[target]
            assert key not in run.before.sent
            assert run.letters or key not in run.before.failed
            assert run.cut or self._side.has_outage or count <= MAX_ATTEMPTS
        for target, count in run.accepted.items():
            assert run.cut or count == 1
            if target in self._arrived and not self._had_failed(target, run):
                assert self._keys[target] in run.before.sending
        self.figures.repeated += self._repeats(run)

    def _had_failed(self, target: Target, run: _Run) -> bool:
        """Whether a call had failed, which is now tried again because it is a dead letter.

        It can have arrived all the same: its answer was lost, at a crash or when the other side
        went away, and what failed was the next try, which was counted as possibly a repeat then.
        """
        return run.letters and self._keys[target] in run.before.failed

    def _repeats(self, run: _Run) -> int:
        return sum(
            count - (target not in self._arrived or self._had_failed(target, run))
            for target, count in run.accepted.items()
        )

    def _check_letters(self, run: _Run) -> None:
        """Whatever the ledger has as failed is a dead letter with its original bytes."""
        kept = set(read_originals(dead_letter_files(self._workspace.state)))
        for source in read_failures(self._workspace.state).values():
            assert self._lines[source] in kept

    def _check_summary(self, run: _Run) -> None:
        """The summary adds up, and counts the doubtful calls that were sent again."""
        summary = run.ended.summary
        calls = summary["calls"]
        doubtful = {self._keys[target] for target in run.attempts} & run.before.sending
        assert self._repeats(run) <= calls["possibly_repeated"]
        assert calls["delivered"] <= run.accepted.total()
        if not run.cut:
            assert calls["possibly_repeated"] == len(doubtful)
            assert calls["delivered"] == len(run.accepted)
            assert calls["attempts"] == run.attempts.total()

    def _check_nothing_is_lost(self, letters: Sequence[Path]) -> None:
        """Each call has arrived, or its event is in these files of dead letters."""
        kept = set(read_originals(path for path in letters if path.exists()))
        ledger = read_ledger(self._workspace.state)
        assert not ledger.sending
        lost = [
            key
            for key, target in self._targets.items()
            if target not in self._arrived and self._originals[key] not in kept
        ]
        self.figures.lost += len(lost)
        self.figures.dead_letters = len(kept)
        assert not lost
        assert set(self._targets) <= ledger.sent | ledger.failed
        failures = read_failures(self._workspace.state).values()
        assert {self._lines[source] for source in failures} <= kept
