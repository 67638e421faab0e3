"""How many messages lack what a Convertro call needs or is better for having."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convertro_cli.review.inspect.findings import Findings
from convertro_cli.review.inspect.profile import (
    IS_ORDER,
    NO_AMOUNT,
    NO_DEVICE_ID,
    NO_EVENT_NAME,
    NO_ORDER_ID,
    NO_USER_ID,
    UNREADABLE_AMOUNT,
    Profile,
)
from convertro_cli.review.inspect.report import Lack

_Among = Callable[[Profile], bool]


def _is_identify(profile: Profile) -> bool:
    return profile[0] == "identify"


def _is_track(profile: Profile) -> bool:
    return profile[0] == "track"


def _is_cloud(profile: Profile) -> bool:
    return profile[1] == "cloud"


def _is_order(profile: Profile) -> bool:
    return _is_track(profile) and bool(profile[2] & IS_ORDER)


def _is_other_track(profile: Profile) -> bool:
    return _is_track(profile) and not profile[2] & IS_ORDER


def _has_amount(profile: Profile) -> bool:
    """Whether there is an amount, be it readable or not."""
    return _is_track(profile) and (
        not profile[2] & NO_AMOUNT or bool(profile[2] & UNREADABLE_AMOUNT)
    )


_LACKS: tuple[tuple[str, int, str, _Among], ...] = (
    ("user id", NO_USER_ID, "identifies", _is_identify),
    ("user id", NO_USER_ID, "tracks", _is_track),
    ("device id", NO_DEVICE_ID, "from apps and servers", _is_cloud),
    ("event name", NO_EVENT_NAME, "tracks", _is_track),
    ("order id", NO_ORDER_ID, "orders", _is_order),
    ("readable amount", NO_AMOUNT, "orders", _is_order),
    ("readable amount", NO_AMOUNT, "other tracks", _is_other_track),
    ("readable amount", NO_AMOUNT, "tracks that have an amount", _has_amount),
)


def find_lacks(found: Findings) -> Iterator[Lack]:
    """Give what is lacking of what. What nothing could lack is left out."""
    for what, flag, among, belongs in _LACKS:
        profiles = {one: count for one, count in found.profiles.items() if belongs(one)}
        lacking = sum(count for one, count in profiles.items() if one[2] & flag)
        if profiles:
            yield Lack(what, among, lacking, sum(profiles.values()))
    messages = found.messages
    described = messages["read"] - messages["unreadable"] - messages["left_out"]
    if described:
        yield Lack("message id", "messages", messages["without_id"], described)
        yield Lack("readable time", "messages", messages["without_time"], described)
