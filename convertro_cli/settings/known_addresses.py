"""Where calls go, and how well each of these addresses is known.

Convertro published no reference of its interface. The paths of web calls are those of a site's
own server-side client of 2017; for cloud calls Segment's pages name the fields, but no address.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from convertro_cli.settings.compile import compile_rules, missing_cloud_settings
from convertro_cli.settings.model import PathsTable, Settings

Basis = Literal["known", "guess", "yours"]
"""Read off public code; made up in the same style; or set by the user."""

_WEB = frozenset({"web_event", "web_user"})


class CallAddress(NamedTuple):
    """The URL of a kind of call, up to the query."""

    call: str
    url: str
    basis: Basis


def addresses_in_use(settings: Settings) -> Iterator[CallAddress]:
    """Give the address of each kind of call that these settings can lead to."""
    mode = settings.mapping.mode
    has_cloud = mode != "web" and not missing_cloud_settings(settings)
    for call, url in compile_rules(settings).wire.targets.items():
        is_web = call in _WEB
        if (is_web and mode != "cloud") or (not is_web and has_cloud):
            yield CallAddress(call, url, _basis(call, settings.wire.paths))


def _basis(call: str, paths: PathsTable) -> Basis:
    if getattr(paths, call) != PathsTable.model_fields[call].default:
        return "yours"
    return "known" if call in _WEB else "guess"
