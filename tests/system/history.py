"""A bucket of six months with everything that history does to messages, by a seed.

Messages arrive late, twice, and under ids that others have; orders that the browser delivered,
users who refused consent or are suppressed; money and times of every odd kind.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import orjson

Message = dict[str, Any]

DAYS = [
    datetime(2024, month, day, tzinfo=UTC)
    for month, last in ((1, 31), (2, 29), (3, 31), (4, 30), (5, 31), (6, 30), (7, 31), (8, 31))
    for day in (1, 15, last)
]
"""The days on which anything was received: few, and most of them at the edges of a month."""
_HAPPENED = 6 * 3
MONTHS = [f"2024-{month:02}-01" for month in range(1, 8)]
"""The first days of the six months, and the one after them."""

SUPPRESSED = ("u-3", "77")

SETTINGS = """\
filters_file = "filters.json"

[convertro]
account = "acme"
client_name = "acme"
site_id = "1"
domain = "https://shop.example.com"

[events]
"Signed Up" = "signup"

[privacy]
suppressed = ["suppressed.txt"]

[consent]
categories = ["Advertising"]

[schema]
disabled_events = ["Test Event"]

[[transformations]]
title = "Old shop"
if = 'event = "purchase"'
new_event_name = "Order Completed"
"""

FILTERS: Message = {
    "data": {
        "filters": [
            {
                "id": "1",
                "sourceId": "src",
                "destinationId": "dst",
                "if": 'contains(context.traits.email, "@acme.example")',
                "actions": [{"type": "DROP"}],
                "title": "No staff",
                "enabled": True,
            },
            {
                "id": "2",
                "sourceId": "src",
                "destinationId": "dst",
                "if": 'type = "identify"',
                "actions": [{"type": "SAMPLE", "percent": 0.5, "path": "anonymousId"}],
                "title": "Half of the users",
                "enabled": True,
            },
        ],
        "pagination": {"current": "MA==", "totalEntries": 2},
    }
}

_PLAIN = (12, 50.99, 100, 7.25)
_ODD = (
    "$1,200.50",
    "1.200,50 €",
    "R$ 99,90",
    "(12.50)",
    "-0",
    0,
    "1,20,000 INR",
    "N/A",
    "kr 12.345",
    True,
    "¥ 1,200",
)
_STAFF = {"email": "zoe@acme.example"}


@dataclass
class History:
    """A bucket by file, and what was put into it by kind."""

    seed: int
    messages: int = 1200
    files: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    kinds: Counter[str] = field(default_factory=Counter)

    def write(self, folder: Path) -> Path:
        """Write the bucket, the settings and the lists that they name; give the bucket."""
        self._fill()
        for name, lines in self.files.items():
            path = folder / "bucket" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0))
        (folder / "bucket" / "segment-logs" / "dummy-object.txt").write_text("check\n")
        (folder / "suppressed.txt").write_text("# asked for\n" + "\n".join(SUPPRESSED) + "\n")
        (folder / "filters.json").write_bytes(orjson.dumps(FILTERS))
        (folder / "convertro.toml").write_text(SETTINGS)
        return folder / "bucket"

    def _fill(self) -> None:
        rng = Random(self.seed)
        earlier: list[Message] = []
        for number in range(self.messages):
            day = rng.randrange(_HAPPENED)
            happened = DAYS[day] + timedelta(seconds=rng.randrange(86_400))
            message = _make(rng, number, happened, self.kinds)
            if earlier and rng.random() < 0.06:
                self.kinds["shared id"] += 1
                message["messageId"] = rng.choice(earlier)["messageId"]
            self._receive(message, day, happened, rng)
            if rng.random() < 0.08:
                self.kinds["copy"] += 1
                self._receive(message, day, happened, rng)
            earlier.append(message)

    def _receive(self, message: Message, day: int, happened: datetime, rng: Random) -> None:
        """Put a message into the file of the day on which Segment got it."""
        received = happened
        if rng.random() < 0.2:
            self.kinds["late"] += 1
            day += rng.randrange(1, 7)
            received = DAYS[day] + timedelta(seconds=rng.randrange(86_400))
        name = f"segment-logs/src/{int(DAYS[day].timestamp())}000/{received.hour // 12}.gz"
        line = json.dumps(message | {"receivedAt": _iso(received)})  # ids may be of any length
        self.files[name].append(line.encode())


def _make(rng: Random, number: int, happened: datetime, kinds: Counter[str]) -> Message:
    """Make a message of one kind or another."""
    makers = (
        _web_order,
        _web_order,
        _web_order,
        _cloud_order,
        _identify,
        _signup,
        _page,
        _purchase,
    )
    message = rng.choice(makers)(rng, number, kinds)
    message |= {
        "messageId": str(UUID(int=rng.getrandbits(128))),
        "anonymousId": f"anon-{number % 97}",
        "timestamp": _iso(happened),
        "originalTimestamp": _iso(happened),
        "sentAt": _iso(happened),
        "projectId": "src",
    }
    _spoil_time(message, happened, rng, kinds)
    _refuse(message, rng, kinds)
    if "_metadata" in message:
        kinds["delivered in the browser"] += 1
    kinds[message["type"]] += 1
    return message


def _spoil_time(message: Message, happened: datetime, rng: Random, kinds: Counter[str]) -> None:
    """Give one message in twelve a time as phones and servers with odd clocks do."""
    if rng.random() >= 1 / 12:
        return
    kinds["odd time"] += 1
    message["timestamp"] = rng.choice(
        [
            "1970-01-01T00:00:00Z",
            "soon",
            None,
            int(happened.timestamp()),
            str(int(happened.timestamp() * 1000)),
            f"{happened:%Y-%m-%d %H:%M:%S}",
        ]
    )
    if rng.random() < 0.3:
        message["originalTimestamp"] = message["sentAt"] = "never"


def _refuse(message: Message, rng: Random, kinds: Counter[str]) -> None:
    """Give some messages what a gate keeps back."""
    dice = rng.random()
    if dice < 0.05:
        kinds["no consent"] += 1
        message["context"]["consent"] = {"categoryPreferences": {"Advertising": False}}
    elif dice < 0.1:
        kinds["suppressed"] += 1
        message["userId"] = rng.choice(["u-3", 77])
    elif dice < 0.15:
        kinds["off"] += 1
        message["integrations"] = {"All": False}
    elif dice < 0.2:
        kinds["staff"] += 1
        message["context"]["traits"] = _STAFF
    elif dice < 0.25:
        kinds["consent"] += 1
        message["context"]["consent"] = {"categoryPreferences": {"Advertising": True}}


def _web_order(rng: Random, number: int, kinds: Counter[str]) -> Message:
    message: Message = {
        "type": "track",
        "event": rng.choice(["Order Completed", "completed_order", "orderCompleted"]),
        "channel": "client",
        "context": {"library": {"name": "analytics.js", "version": "next-1.70.0"}},
        "properties": {"order_id": f"o-{number}", "total": _amount(rng, kinds)},
        "integrations": {},
    }
    if rng.random() < 0.2:
        message["_metadata"] = {"bundled": ["Segment.io", "Convertro"], "unbundled": []}
    if rng.random() < 0.3:
        message["properties"]["repeat"] = rng.random() < 0.5
    return message


def _cloud_order(rng: Random, number: int, kinds: Counter[str]) -> Message:
    return {
        "type": "track",
        "event": "Order Completed",
        "channel": "mobile",
        "context": {"library": {"name": "analytics-ios"}, "device": {"id": f"D-{number % 50}"}},
        "properties": {"orderId": 10**21 + number, "revenue": _amount(rng, kinds)},
    }


def _purchase(rng: Random, number: int, kinds: Counter[str]) -> Message:
    return _web_order(rng, number, kinds) | {"event": "purchase"}


def _amount(rng: Random, kinds: Counter[str]) -> Any:
    """Give an amount, one in three of them as shops have written it."""
    if rng.random() >= 1 / 3:
        return rng.choice(_PLAIN)
    kinds["odd money"] += 1
    return rng.choice(_ODD)


def _identify(rng: Random, number: int, kinds: Counter[str]) -> Message:
    return {
        "type": "identify",
        "userId": rng.choice([f"u-{number}", number, "jane@example.com"]),
        "channel": "client",
        "context": {"library": {"name": "analytics.js"}},
        "traits": {"plan": rng.choice(["free", "pro"])},
    }


def _signup(rng: Random, number: int, kinds: Counter[str]) -> Message:
    return {
        "type": "track",
        "event": rng.choice(["Signed Up", "signed_up", "Test Event"]),
        "userId": f"u-{number}",
        "channel": "client",
        "context": {"library": {"name": "analytics.js"}},
        "properties": {},
    }


def _page(rng: Random, number: int, kinds: Counter[str]) -> Message:
    return {"type": "page", "channel": "client", "context": {}, "properties": {"n": number}}


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
