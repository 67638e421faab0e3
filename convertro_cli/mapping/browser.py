"""What the browser delivered already: analytics.js writes down which destinations it had loaded.

Segment's servers send a web message only to destinations that were not loaded there, for those
were served by the browser. Sent again, such a message is counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.fields import as_object
from convertro_cli.mapping.integrations import DESTINATION
from convertro_cli.mapping.modes import is_from_browser
from convertro_cli.mapping.rules import DeliveredInBrowserSetting
from convertro_cli.mapping.trail import MISSING, Note, Path, Trail

Mark = Literal["delivered", "failed", "not loaded", "unmarked"]
"""What a message from a browser says of its delivery there."""

_BUNDLED: Path = ("_metadata", "bundled")
_FAILED: Path = ("_metadata", "failedInitializations")


def read_mark(message: Mapping[str, Any]) -> Mark:
    """Read what analytics.js wrote into the message of Convertro."""
    metadata = message.get("_metadata")
    if not isinstance(metadata, dict):
        return "unmarked"
    if not _holds_destination(metadata.get("bundled")):
        return "not loaded"
    return "failed" if _holds_destination(metadata.get("failedInitializations")) else "delivered"


def was_delivered(
    message: Mapping[str, Any], setting: DeliveredInBrowserSetting, trail: Trail | None = None
) -> bool:
    """Whether a message is taken for one that the browser delivered.

    This is about where the message was made, not about the rules that it follows: under
    ``mode = "cloud"`` a browser's message is at Convertro all the same. An identify by Engage was
    in no browser, though it follows the browser's rules.
    """
    mark = read_mark(message)
    stops = mark == "delivered" or (mark == "unmarked" and setting == "skip-unmarked")
    if trail is None and not stops:
        return False
    from_browser = is_from_browser(message)
    stops = stops and from_browser and setting != "send"
    if trail is not None and from_browser:
        _tell(trail, message, mark, stops=stops)
    return stops


def _tell(trail: Trail, message: Mapping[str, Any], mark: Mark, *, stops: bool) -> None:
    path = {"unmarked": _BUNDLED[:1], "failed": _FAILED}.get(mark, _BUNDLED)
    trail.note(
        Note(
            "delivered",
            "stopped" if stops else "passed",
            mark,
            path=path,
            evidence=as_object(message.get("_metadata")).get(path[-1], MISSING),
            settings=("mapping.delivered_in_browser",),
            reason=SkipReason.DELIVERED_IN_BROWSER if stops else None,
        )
    )


def _holds_destination(names: Any) -> bool:
    return isinstance(names, list) and DESTINATION in names
