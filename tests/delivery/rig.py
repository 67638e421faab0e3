"""The delivery loop with all that belongs to it, before a fake network and a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson

from convertro_cli.delivery.answers import Success
from convertro_cli.delivery.canary import CanaryOptions
from convertro_cli.delivery.clock import Clock
from convertro_cli.delivery.delivery import Delivery, DeliveryOptions
from convertro_cli.delivery.pending import PendingCall, PendingFile
from convertro_cli.delivery.retry import full_jitter
from convertro_cli.delivery.transport import Transport
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.jobs import InvalidLine, MappedBatch
from convertro_cli.reading.batch import LineBatch
from convertro_cli.record.dead_letters import DeadLetterFile
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.tally import Tally
from tests.delivery.fakes import FakeClock, FakeTransport, MemoryLedger, PromptWriter, Server

HOST = "http://convertro.test/"
SOURCE = "export.ndjson"


class Event(NamedTuple):
    """A message of an export: its id, and the names of its calls (the id itself, if none).

    ``fault`` is why its calls cannot be sent, ``again`` says that it comes from a dead letter,
    ``is_invalid`` that its line is no message, ``order`` that it is one which goes out once.
    """

    name: str
    calls: tuple[str, ...] = ()
    fault: str = ""
    again: bool = False
    is_invalid: bool = False
    order: str = ""

    @property
    def call_names(self) -> tuple[str, ...]:
        return self.calls or (self.name,)

    @property
    def line(self) -> bytes:
        return orjson.dumps({"messageId": self.name})


def events(*names: str) -> list[Event]:
    return [Event(name) for name in names]


def numbered(count: int, start: int = 0) -> list[Event]:
    return [Event(f"e{number}") for number in range(start, start + count)]


def key_of(call: str) -> bytes:
    return blake2b(call.encode(), digest_size=16).digest()


def order_of(event: Event) -> bytes:
    return key_of(f"order {event.order}") if event.order else b""


def url_of(call: str) -> str:
    return HOST + call


def name_of(url: str) -> str:
    return url.removeprefix(HOST)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a run of the loop is told."""

    fixed: int | None = None
    most: int = 256
    rate_limit: float | None = None
    max_attempts: int = 8
    outage_timeout: float = 900.0
    waits_for_start: bool = True
    stop_after_refusals: int = 100
    success: Success = "not-html"
    at_most_once: bool = False
    resend: bool = False
    canary: CanaryOptions | None = None
    backoff: Callable[[int], float] = field(default_factory=lambda: full_jitter(Random(1)))
    writer: Executor = field(default_factory=PromptWriter)
    watch: Callable[[str], None] = lambda _: None


class Rig:
    """One run of the loop on a ledger: give it events, let it run, look what came of it."""

    def __init__(
        self,
        folder: Path,
        server: Server,
        config: Config | None = None,
        *,
        ledger: Ledger | None = None,
        clock: Clock | None = None,
        transport: Transport | None = None,
        host: str = HOST,
    ) -> None:
        config = config or Config()
        self.fake_clock = FakeClock()
        self.clock = clock or self.fake_clock
        if isinstance(self.clock, FakeClock):
            self.fake_clock = self.clock
        self.transport = FakeTransport(server, self.fake_clock, config.watch)
        self._host = host
        self.ledger = ledger or MemoryLedger()
        self.letters = folder / "dead-letters.ndjson"
        self.tally = Tally()
        self.file = PendingFile()
        self.delivery = Delivery(
            DeliveryOptions(
                target=HOST,
                concurrency=config.fixed,
                max_concurrency=config.most,
                rate_limit=config.rate_limit,
                max_attempts=config.max_attempts,
                outage_timeout=config.outage_timeout,
                waits_for_start=config.waits_for_start,
                stop_after_refusals=config.stop_after_refusals,
                success=config.success,
                resend=config.resend,
                canary=config.canary,
                at_most_once=config.at_most_once,
            ),
            transport=transport or self.transport,
            ledger=self.ledger,
            dead_letters=DeadLetterFile(self.letters),
            writer=config.writer,
            spool_folder=folder,
            tally=self.tally,
            clock=self.clock,
            backoff=config.backoff,
        )
        self.problem: ConvertroError | None = None
        self._line = 1
        self.started_at = self.clock.now()

    def offer(self, batch: Iterable[Event]) -> Rig:
        """Take in a batch of events."""
        self.delivery.take(*self._batch(list(batch)))
        return self

    def take(self, batch: LineBatch, mapped: MappedBatch) -> Rig:
        """Take in a batch as the mapping gives it."""
        self.delivery.take(batch, mapped, [self.file])
        return self

    def step(self) -> None:
        """Step once; what makes it end before its end is kept as its problem."""
        try:
            self.delivery.step(0.1)
        except ConvertroError as error:
            if error.exit_code is not ExitCode.TRY_LATER:
                raise
            self.problem = error

    def run(self, *, until: Callable[[], bool] = lambda: False, most: float = 100_000.0) -> Rig:
        """Step until all is settled and on disk, or the run is given up, or ``until`` says so."""
        end = self.clock.now() + most
        while not (self._is_over() or until()):
            self.step()
            if self.problem:
                break
            assert self.clock.now() < end, "the loop does not come to its end"
        return self

    def _is_over(self) -> bool:
        """Whether nothing is left to deliver, once what was held back is settled as well."""
        if self.delivery.is_idle:
            self.delivery.finish()
        return self.delivery.is_idle

    def run_for(self, seconds: float) -> Rig:
        """Step for so many seconds of the fake clock."""
        end = self.clock.now() + seconds
        return self.run(until=lambda: self.clock.now() >= end)

    def drain(self) -> None:
        """Wait for what is under way, starting nothing more."""
        while self.delivery.in_flight:
            self.delivery.drain(0.1)

    def end(self) -> None:
        """End the run as an interrupt does, without waiting for what is under way."""
        self.delivery.end()

    def feed(
        self, source: Iterable[list[Event]], *, until: Callable[[], bool] = lambda: False
    ) -> Rig:
        """Take in batches as long as more are wanted, and run to the end of all, or ``until``."""
        batches = iter(source)
        more = True
        while (more or not self._is_over()) and not until():
            if more and self.delivery.wants_more:
                batch = next(batches, None)
                more = batch is not None
                self.offer(batch or [])
            self.step()
            if self.problem:
                break
        return self

    @property
    def open_calls(self) -> dict[bytes, PendingCall]:
        """The calls in memory that are not settled."""
        return self.delivery.open_calls

    @property
    def elapsed(self) -> float:
        return self.clock.now() - self.started_at

    @property
    def tried(self) -> list[str]:
        """The names of the calls in the order of their requests."""
        return [name_of(url) for url in self.transport.urls]

    @property
    def delivered(self) -> list[str]:
        """The names of the calls that the server answered with success."""
        return [
            name_of(start.url)
            for start in self.transport.starts
            if start.reply.status is not None and 200 <= start.reply.status < 300
        ]

    @property
    def reasons(self) -> dict[str, str]:
        """The reasons of the dead letters, by their messages' ids."""
        return {letter["event"]["messageId"]: letter["reason"] for letter in self.letter_list()}

    def letter_list(self) -> list[dict[str, Any]]:
        if not self.letters.exists():
            return []
        return [orjson.loads(line) for line in self.letters.read_bytes().splitlines()]

    def starts_of(self, call: str) -> list[float]:
        """When the requests for a call were started, in seconds since the run began."""
        return [
            start.at - self.started_at
            for start in self.transport.starts
            if start.url == url_of(call)
        ]

    def calls(self) -> dict[str, int]:
        """The counts of calls that are not zero."""
        return {name: count for name, count in self.tally.summary()["calls"].items() if count}

    def messages(self) -> dict[str, int]:
        """The counts of messages that are not zero."""
        return {name: count for name, count in self.tally.summary()["messages"].items() if count}

    def _batch(self, batch: list[Event]) -> tuple[LineBatch, MappedBatch, list[PendingFile]]:
        mapped = MappedBatch()
        data = bytearray()
        for event in batch:
            line = event.line
            start, end = len(data), len(data) + len(line)
            data += line + b"\n"
            place = (self._line, start, end)
            original = line if event.again else None
            source = f"{SOURCE}:{event.name}" if event.again else None
            self._line += 1
            if event.is_invalid:
                mapped.invalid.append(
                    InvalidLine(*place, "invalid_json", "at character 1", original, source)
                )
                continue
            calls = [
                (key_of(name), self._host + name, "sale", "1.5", event.fault, order_of(event))
                for name in event.call_names
            ]
            identity = (event.name, event.name)
            mapped.messages.append((*place, calls, original, source, identity))
        lines = LineBatch(0, SOURCE, self._line - len(batch), bytes(data), 0)
        return lines, mapped, [self.file]
