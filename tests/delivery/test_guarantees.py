"""What must hold of the delivery loop, whatever happens: nothing lost or twice, all counted."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.dead_letters import DeadLetterFile
from convertro_cli.record.ledger import CallState, Failure, FinishedFile, Marked, split_keys
from convertro_cli.record.sqlite_ledger import SqliteLedger
from tests.delivery.conftest import QUICK_DISK
from tests.delivery.fakes import LOST, REFUSED, MemoryLedger, PromptWriter, Reply, TardyWriter
from tests.delivery.rig import Config, Event, Rig, key_of, name_of, numbered
from tests.soaking import examples

WINDOW = 256  # the README promises it, whatever the program has

WRITERS: list[Callable[[], Executor]] = [
    PromptWriter,
    lambda: TardyWriter(1),
    lambda: TardyWriter(5),
]


@dataclass(frozen=True)
class Weather:
    """A server's moods: how long it takes, and how often it fails in each way."""

    seed: int
    slowest: float
    fails: float
    loses: float
    refuses: float
    rejects: float

    def server(self) -> Callable[[str, float], Reply]:
        random = Random(self.seed)

        def reply(url: str, now: float) -> Reply:
            after = random.uniform(0.001, self.slowest)
            draw = random.random()
            for share, outcome in (
                (self.fails, Reply(random.choice([429, 500, 503]), after)),
                (self.loses, LOST._replace(after=after)),
                (self.refuses, REFUSED),
            ):
                if draw < share:
                    return outcome
                draw -= share
            # Whether a call is rejected for good is its own property, not one of the moment.
            if Random(f"{self.seed}{url}").random() < self.rejects:
                return Reply(400, after)
            return Reply(200, after)

        return reply


FOREVER = float("inf")
"""Nine requests in ten may fail, and a run that gave up would be another test's matter."""

shares = st.sampled_from([0.0, 0.0, 0.05, 0.3])
weathers = st.builds(
    Weather,
    seed=st.integers(0, 10_000),
    slowest=st.sampled_from([0.002, 0.05, 0.5]),
    fails=shares,
    loses=shares,
    refuses=shares,
    rejects=shares,
)


# --- the window


class LedgerWatch:
    """Looks into the ledger from outside, as whoever comes after a crash would."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self.largest = 0
        self.seen = 0

    def close(self) -> None:
        self._database.close()

    def __call__(self, url: str) -> None:
        rows = self._database.execute("SELECT keys FROM sending").fetchall()
        marked = {key for (keys,) in rows for key in split_keys(keys)}
        assert key_of(name_of(url)) in marked, "a request started before its mark was on disk"
        self.seen += 1
        self.largest = max(self.largest, len(marked))


@given(weather=weathers, fixed=st.sampled_from([None, 1, 64, 256]), writer=st.sampled_from(WRITERS))
@settings(max_examples=examples(8), deadline=None)
def test_every_request_is_marked_before_it_starts_and_the_window_holds(
    weather: Weather, fixed: int | None, writer: Callable[[], Executor]
) -> None:
    """At each start the ledger on disk has the call as being sent, and 256 of them at most."""
    with TemporaryDirectory(dir=QUICK_DISK) as folder:
        path = Path(folder) / "ledger.db"
        with SqliteLedger(path) as ledger, closing(LedgerWatch(path)) as watch:
            config = Config(
                fixed=fixed,
                writer=writer(),
                watch=watch,
                max_attempts=50,
                outage_timeout=FOREVER,
            )
            rig = Rig(Path(folder), weather.server(), config, ledger=ledger)
            rig.feed([numbered(200, start) for start in range(0, 600, 200)])

            assert watch.seen == len(rig.transport.starts) >= 600
            assert watch.largest <= WINDOW
            assert ledger.begin_run("x")[1] == frozenset()


def test_the_window_is_not_exceeded_when_everything_hangs(tmp_path: Path) -> None:
    """With 256 requests under way, and as many lost in doubt, no more are marked."""
    path = tmp_path / "ledger.db"
    with SqliteLedger(path) as ledger, closing(LedgerWatch(path)) as watch:
        rig = Rig(tmp_path, lambda *_: LOST, Config(fixed=256, watch=watch), ledger=ledger)
        rig.offer(numbered(1000)).run_for(20)

        assert watch.largest == WINDOW
        assert len(set(rig.tried)) <= WINDOW


# --- nothing lost, nothing twice, all counted


@st.composite
def exports(draw: st.DrawFn) -> list[list[Event]]:
    """Batches of events: several calls each, some with one id, some bad lines, some too long."""
    random = Random(draw(st.integers(0, 10_000)))
    count = draw(st.sampled_from([0, 1, 7, 60, 300]))
    variety = max(1, int(count * random.choice([0.2, 1, 10])))
    made: list[Event] = []
    for _ in range(count):
        name = f"m{random.randrange(variety)}"
        kind = random.random()
        if kind < 0.05:
            made.append(Event(name, is_invalid=True))
        elif kind < 0.1:
            made.append(Event(f"{name}-long", fault="request_too_long"))
        else:
            parts = int(blake(name) * 3) + 1
            made.append(Event(name, tuple(f"{name}/{part}" for part in range(parts))))
    size = random.choice([1, 13, 100])
    return [made[start : start + size] for start in range(0, count, size)]


def blake(name: str) -> float:
    return key_of(name)[0] / 256


@given(
    export=exports(),
    weather=weathers,
    fixed=st.sampled_from([None, 1, 16]),
    max_attempts=st.sampled_from([1, 3, 8]),
    at_most_once=st.booleans(),
    writer=st.sampled_from(WRITERS),
)
@settings(max_examples=examples(40), deadline=None)
def test_all_is_accounted_for(
    export: list[list[Event]],
    weather: Weather,
    fixed: int | None,
    max_attempts: int,
    at_most_once: bool,
    writer: Callable[[], Executor],
) -> None:
    """Each message ends delivered, dead, or skipped for a reason; each call once; sums add up."""
    with TemporaryDirectory(dir=QUICK_DISK) as folder:
        ledger = MemoryLedger()
        config = Config(
            fixed=fixed,
            max_attempts=max_attempts,
            at_most_once=at_most_once,
            outage_timeout=FOREVER,
            writer=writer(),
        )
        rig = Rig(Path(folder), weather.server(), config, ledger=ledger).feed(export)

        assert rig.delivery.is_idle
        check_sums(rig, export)
        check_fates(rig, ledger, export)
        if not at_most_once:
            assert ledger.sending == set()


def check_sums(rig: Rig, export: list[list[Event]]) -> None:
    """Every line read and every call in them is counted under one outcome."""
    summary = rig.tally.summary()
    events = [event for batch in export for event in batch]
    messages = dict(summary["messages"])
    assert messages.pop("read") == len(events) == sum(messages.values())
    calls = summary["calls"]
    outcomes = ("delivered", "already_delivered", "already_failed", "failed", "in_doubt")
    wanted = sum(len(event.call_names) for event in events if not event.is_invalid)
    assert sum(calls[outcome] for outcome in outcomes) == wanted
    assert calls["attempts"] == len(rig.transport.starts)
    assert sum(summary["failed"].values()) == messages["failed"]
    assert sum(summary["invalid"].values()) == messages["invalid"]
    assert sum(summary["skipped"].values()) == messages["skipped"]
    assert summary["by_event_type"].get("sale", {"calls": 0})["calls"] == calls["delivered"]
    assert rig.file.open_messages == 0


def check_fates(rig: Rig, ledger: MemoryLedger, export: list[list[Event]]) -> None:
    """What the server, the ledger and the dead letters say of each call agrees."""
    delivered = Counter(rig.delivered)
    assert not [name for name, times in delivered.items() if times > 1], "delivered twice"
    assert len(delivered) == rig.tally.calls["delivered"]
    dead = Counter(letter["event"]["messageId"] for letter in rig.letter_list())
    events = [event for batch in export for event in batch]
    for event in events:
        states = {
            name: ledger.calls[key_of(name)].state
            for name in event.call_names
            if key_of(name) in ledger.calls
        }
        for name, state in states.items():
            assert (state is CallState.SENT) == (name in delivered)
        if event.is_invalid or CallState.FAILED in states.values():
            assert dead[event.name] >= 1, "lost"
        for name in set(event.call_names) - set(states):
            assert event.is_invalid or key_of(name) in ledger.sending, "lost"
    invalid = sum(1 for event in events if event.is_invalid)
    assert sum(dead.values()) == rig.tally.messages["failed"] + invalid


@given(weather=weathers, crashes=st.lists(st.integers(1, 400), max_size=5))
@settings(max_examples=examples(10), deadline=None)
def test_after_any_number_of_crashes_all_is_delivered_and_repeats_are_counted(
    weather: Weather, crashes: list[int]
) -> None:
    """Runs that die at any step lose nothing; what they repeat is counted, and in the window."""
    export = [numbered(60, start) for start in range(0, 240, 60)]
    ledger = MemoryLedger()
    arrived: Counter[str] = Counter()
    counted = 0
    with TemporaryDirectory(dir=QUICK_DISK) as folder:
        for steps in [*crashes, None]:
            config = Config(max_attempts=100, outage_timeout=FOREVER)
            rig = Rig(Path(folder), weather.server(), config, ledger=ledger)
            if steps is None:
                rig.feed(export)
            else:
                for batch in export:
                    rig.offer(batch)
                for _ in range(steps):
                    rig.step()
            arrived.update(rig.delivered)
            counted += rig.tally.calls["possibly_repeated"]
            assert len(ledger.sending) <= WINDOW

        rejected = {key_of(name) for name in rig.reasons}
    for event in (event for batch in export for event in batch):
        assert arrived[event.name] >= 1 or key_of(event.name) in rejected
    repeats = sum(times - 1 for times in arrived.values())
    assert repeats <= counted


# --- when the state cannot be written


def test_a_ledger_that_cannot_be_written_ends_the_loop_at_once(tmp_path: Path) -> None:
    """After a commit that failed not one request is started, for its mark would be missing; and
    nothing is committed later, even if there is room again, for it would lack what was lost."""

    class FullDisk(MemoryLedger):
        has_room = False

        def commit(
            self,
            run: int,
            *,
            sending: bytes,
            orders: bytes = b"",
            sent: Sequence[bytes] = (),
            failed: Sequence[Failure] = (),
            finished: Sequence[FinishedFile] = (),
            again: Mapping[bytes, int] | None = None,
        ) -> Marked:
            if self.commits == 3 and not self.has_room:
                raise ConvertroError("full", exit_code=ExitCode.CANNOT_WRITE_STATE)
            return super().commit(run, sending=sending, orders=orders, sent=sent, failed=failed)

    ledger = FullDisk()
    rig = Rig(tmp_path, lambda *_: Reply(), Config(fixed=8), ledger=ledger)

    with pytest.raises(ConvertroError) as raised:
        rig.feed([numbered(300, start) for start in range(0, 3000, 300)])

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    ledger.has_room = True
    with pytest.raises(ConvertroError):
        rig.end()
    assert ledger.commits == 3
    unsettled = {name for name in rig.tried if key_of(name) not in ledger.calls}
    assert {key_of(name) for name in unsettled} <= ledger.sending


def test_dead_letters_are_on_disk_before_the_ledger_knows_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the letters cannot be written the calls are not marked as failed: they come again."""

    def refuse(self: DeadLetterFile, lines: bytes) -> None:
        if lines:
            raise ConvertroError("full", exit_code=ExitCode.CANNOT_WRITE_STATE)

    ledger = MemoryLedger()
    with monkeypatch.context() as patched:
        patched.setattr(DeadLetterFile, "append", refuse)
        with pytest.raises(ConvertroError):
            Rig(tmp_path, lambda *_: Reply(400), ledger=ledger).offer(numbered(3)).run()
    assert ledger.calls == {}

    rig = Rig(tmp_path, lambda *_: Reply(400), ledger=ledger).offer(numbered(3)).run()
    assert len(rig.reasons) == 3
