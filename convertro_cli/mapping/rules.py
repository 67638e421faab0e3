"""The settings, compiled into what the mapping looks at; plain data that crosses processes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec import Struct, field
from msgspec.structs import force_setattr

from convertro_cli.segment.names import is_install, is_order, normalise

if TYPE_CHECKING:  # a replay without filters needs nothing of that room
    from convertro_cli.destination_filters.filters import DestinationFilters

ModeSetting = Literal["auto", "web", "cloud"]
UnmappedSetting = Literal["auto", "send", "drop"]
CloudOrdersSetting = Literal["name", "sale"]
IntegrationsSetting = Literal["obey", "ignore"]
DeliveredInBrowserSetting = Literal["skip", "send", "skip-unmarked"]
UnreadableAmountSetting = Literal["hold", "send"]
RepeatedOrdersSetting = Literal["send", "skip"]

_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256
_VIOLATION = "violation generated"


class EventName(NamedTuple):
    """What the rules need to know of an event's name.

    ``is_violation`` is for what Segment's tracking plans say of other events.
    """

    is_order: bool
    is_install: bool
    is_violation: bool
    targets: tuple[str, ...]


class EventMap:
    """The ``[events]`` table: which Convertro event types each Segment event becomes.

    Several keys that normalise alike all count, in the order of the file. A type is sent once a
    message, however many keys lead to it. Names are worked out once and remembered, within a
    bound that keeps an export of endless names from filling the memory.
    """

    def __init__(self, table: Mapping[str, str | Iterable[str]]) -> None:
        self._targets: dict[str, tuple[str, ...]] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        for key, value in table.items():
            name = normalise(key)
            self._keys[name] = (*self._keys.get(name, ()), key)
            added = (value,) if isinstance(value, str) else tuple(value)
            self._targets[name] = tuple(dict.fromkeys(self._targets.get(name, ()) + added))
        self._known: dict[str, EventName] = {}

    def __bool__(self) -> bool:
        return bool(self._targets)

    def look_up(self, name: str) -> EventName:
        """Tell what the rules need to know of an event's name, as a message spells it."""
        known = self._known.get(name)
        if known is None:
            normalised = normalise(name)
            known = EventName(
                is_order(name),
                is_install(name),
                normalised == _VIOLATION,
                self._targets.get(normalised, ()),
            )
            if len(name) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[name] = known
        return known

    def keys_of(self, name: str) -> tuple[str, ...]:
        """Give the keys of the table that an event's name matches, as the table spells them."""
        return self._keys.get(normalise(name), ())

    @property
    def names(self) -> Mapping[str, str]:
        """The normalised names that are listed, each with the first key that has it."""
        return {name: keys[0] for name, keys in self._keys.items()}


class Selection(Struct, frozen=True):
    """Which messages the user asked for. Times are Unix seconds: ``since`` <= time < ``until``.

    ``received_since`` and ``received_until`` bound the time at which Segment received a message,
    likewise. ``types`` and ``events`` are empty where all are wanted; event names are normalised.
    """

    since: float | None = None
    until: float | None = None
    types: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    received_since: float | None = None
    received_until: float | None = None

    def __bool__(self) -> bool:
        return bool(self.is_about_time or self.types or self.events)  # asked for each message

    @property
    def is_about_time(self) -> bool:
        """Whether anything is asked of the times of messages."""
        return (
            self.since is not None
            or self.until is not None
            or self.received_since is not None
            or self.received_until is not None
        )


class Consent(Struct, frozen=True):
    """The consent that a message must carry: each of the ``categories`` set to true.

    ``without`` says what becomes of a message that carries no consent at all, ``empty`` of one
    whose consent object is empty.
    """

    categories: tuple[str, ...] = ()
    without: Literal["send", "skip"] = "send"
    empty: Literal["skip", "send"] = "skip"


class Wire(Struct, frozen=True):
    """Where and how calls go out.

    ``targets`` has the URL up to the query for each call (``web_event``, ``web_user``,
    ``cloud_event``, ``cloud_user``, ``install``), ``names`` each parameter's name on the wire.
    """

    targets: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    hash_email_ids: bool = True


class Rules(Struct, frozen=True):
    """Everything that decides what a message becomes."""

    wire: Wire
    ledger_scopes: Mapping[str, bytes]
    events: EventMap = field(default_factory=lambda: EventMap({}))
    mode: ModeSetting = "auto"
    unmapped_events: UnmappedSetting = "auto"
    require_order_id: bool = True
    cloud_orders: CloudOrdersSetting = "name"
    hybrid_attribution_model: bool = False
    domain: str | None = None
    missing_cloud_settings: tuple[str, ...] = ()
    visitor_paths: tuple[tuple[str, ...], ...] = (("anonymousId",), ("userId",))
    traits: frozenset[str] | None = None
    """The traits to send; None for all of them."""
    latest: float = inf
    """The latest time, in Unix seconds, that an event can have happened at."""
    selection: Selection = field(default_factory=Selection)
    suppressed: Container[str] | None = None
    """The ids of users whose messages are not sent; None where there is no list."""
    consent: Consent = field(default_factory=Consent)
    integrations: IntegrationsSetting = "obey"
    disabled_events: frozenset[str] = frozenset()
    delivered_in_browser: DeliveredInBrowserSetting = "skip"
    unreadable_amount: UnreadableAmountSetting = "hold"
    repeated_orders: RepeatedOrdersSetting = "send"
    destination_filters: DestinationFilters | None = None
    """Segment's destination filters and transformations; None where there is nothing to apply."""
    has_selection: bool = False
    """Whether the user asked for some messages only. It is worked out, as is the next."""
    has_gates: bool = False
    """Whether any gate is set that could stop a message which itself chooses nothing."""

    def __post_init__(self) -> None:
        """Work out once what is looked at for each message."""
        has_selection = bool(self.selection)
        has_gates = (
            self.suppressed is not None
            or bool(self.consent.categories or self.disabled_events or has_selection)
            or self.delivered_in_browser == "skip-unmarked"
        )
        force_setattr(self, "has_selection", has_selection)
        force_setattr(self, "has_gates", has_gates)
