"""What is surely unwanted in settings that are sound: it is told, and nothing is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from convertro_cli.mapping.wire import PARAMETERS
from convertro_cli.segment.names import is_install, is_order, normalise
from convertro_cli.settings.advice_on_gates import advise_on_gates
from convertro_cli.settings.compile import missing_cloud_settings
from convertro_cli.settings.faults import shown
from convertro_cli.settings.filters import advise_on_filters
from convertro_cli.settings.model import Settings

_SALES = "as sale, sale.new or sale.repeat"
_WORD = re.compile(r"\w+", re.ASCII)


def advise(settings: Settings) -> list[str]:
    """Give a sentence for each thing in the settings that cannot be meant."""
    return [
        *_same_names(settings),
        *_half_filled_cloud(settings),
        *_unused_order_names(settings),
        *_unused_install_names(settings),
        *_outer_spaces(settings),
        *_traits_never_sent(settings),
        *_no_effect(settings),
        *advise_on_gates(settings),
        *_host_of_another(settings),
        *advise_on_filters(settings),
    ]


def _same_names(settings: Settings) -> Iterator[str]:
    keys: dict[str, list[str]] = {}
    for key in settings.events:
        keys.setdefault(normalise(key), []).append(key)
    for alike in keys.values():
        if len(alike) > 1:
            targets = dict.fromkeys(target for key in alike for target in _targets(settings, key))
            yield (
                f"[events] has {' and '.join(map(_quoted, alike))}, which are one name: such an "
                f"event is sent as {' and as '.join(map(_quoted, targets))}."
            )


def _half_filled_cloud(settings: Settings) -> Iterator[str]:
    """Tell of cloud settings begun. A site id alone is none of them: web calls have it too."""
    missing = missing_cloud_settings(settings)
    begun = settings.convertro.client_name is not None or settings.convertro.domain is not None
    if missing and begun and settings.mapping.mode != "web":
        names = " and ".join(f"convertro.{name}" for name in missing)
        yield (
            f"{names} {'is' if len(missing) == 1 else 'are'} missing: until then every message "
            "from a mobile app or a server is skipped (cloud_settings_missing)."
        )


def _unused_order_names(settings: Settings) -> Iterator[str]:
    mapping = settings.mapping
    if mapping.mode == "cloud" and mapping.cloud_orders == "name":
        return
    for key in filter(is_order, settings.events):
        if mapping.mode == "web":
            why = f"is never used: orders are sent {_SALES}."
        elif mapping.cloud_orders == "sale":
            why = f'is never used: with cloud_orders = "sale" all orders are sent {_SALES}.'
        elif missing_cloud_settings(settings):
            why = (
                f"is never used: web orders are sent {_SALES}, and cloud orders are skipped "
                "while cloud settings are missing."
            )
        else:
            targets = " and as ".join(map(_quoted, _targets(settings, key)))
            why = (
                f"is used for cloud orders only: they are sent as {targets}, web orders {_SALES}. "
                'cloud_orders = "sale" sends both alike.'
            )
        yield f"[events] {_quoted(key)} {why}"


def _unused_install_names(settings: Settings) -> Iterator[str]:
    if settings.mapping.mode == "web":
        return
    for key in filter(is_install, settings.events):
        used = "never used" if settings.mapping.mode == "cloud" else "used for web messages only"
        yield f"[events] {_quoted(key)} is {used}: apps' installs always go out as install calls."


def _outer_spaces(settings: Settings) -> Iterator[str]:
    convertro = settings.convertro
    for name in ("account", "client_name", "site_id", "domain"):
        value = getattr(convertro, name)
        if value is not None and value != value.strip():
            yield f"convertro.{name} = {_quoted(value)} has spaces around it, and they are sent."
    for key in settings.events:
        if key != key.strip():
            yield f"[events] {_quoted(key)} has spaces around it: only names with them match."
        for target in _targets(settings, key):
            if target != target.strip():
                yield f"[events] {_quoted(target)} has spaces around it, and they are sent."


def _traits_never_sent(settings: Settings) -> Iterator[str]:
    if isinstance(settings.mapping.traits, str):
        return
    names = settings.wire.params.model_dump()
    taken = {names[name] for name in PARAMETERS["web_user"]} | {"id"}
    for trait in settings.mapping.traits:
        if trait in taken:
            yield f"mapping.traits: {_quoted(trait)} is never sent: a parameter has that name."
        elif not _WORD.fullmatch(trait):
            yield (
                f"mapping.traits: {_quoted(trait)} is never sent: a trait's name must be of "
                "letters a-z, digits and underscores."
            )


def _no_effect(settings: Settings) -> Iterator[str]:
    mapping = settings.mapping
    if mapping.mode == "web" and mapping.cloud_orders == "sale":
        yield 'mapping.cloud_orders has no effect: mode = "web" makes no cloud calls.'
    yield from _hybrid_without_sales(settings)
    if mapping.mode != "cloud":
        return
    for name in ("require_order_id", "visitor_id", "traits"):
        if getattr(mapping, name) != type(mapping).model_fields[name].default:
            yield f'mapping.{name} has no effect: mode = "cloud" makes no web calls.'


def _hybrid_without_sales(settings: Settings) -> Iterator[str]:
    """Tell that the hybrid model is about sales only, which cloud orders are not by default."""
    mapping = settings.mapping
    if not settings.convertro.hybrid_attribution_model or mapping.cloud_orders == "sale":
        return
    if mapping.mode == "cloud":
        yield (
            'convertro.hybrid_attribution_model has no effect: with mode = "cloud" it needs '
            'mapping.cloud_orders = "sale".'
        )
    elif mapping.mode == "auto":
        yield (
            "convertro.hybrid_attribution_model has no effect on orders from apps and servers: "
            'they go out under their own names, unless mapping.cloud_orders = "sale".'
        )


def _host_of_another(settings: Settings) -> Iterator[str]:
    """Tell of a base URL of the form ``<account>.sp1.convertro.com`` for a different account."""
    owner, _, rest = (urlsplit(settings.wire.base_url).hostname or "").partition(".")
    account = settings.convertro.account
    if rest == "sp1.convertro.com" and owner != account.lower():
        yield f"wire.base_url is the host of {_quoted(owner)}; the account is {_quoted(account)}."


def _targets(settings: Settings, key: str) -> list[str]:
    value = settings.events[key]
    return value if isinstance(value, list) else [value]


def _quoted(text: str) -> str:
    return shown(text)
