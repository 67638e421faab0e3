"""From checked settings to the rules that the mapping looks at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec.structs import replace

from convertro_cli.destination_filters.specs import FilterSpecs
from convertro_cli.mapping.ledger_key import scope
from convertro_cli.mapping.rules import Consent, EventMap, Rules, Selection, Wire
from convertro_cli.segment.times import DAY
from convertro_cli.settings.faults import CLOUD_SETTINGS
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.settings.model import Settings

if TYPE_CHECKING:
    from convertro_cli.destination_filters.filters import DestinationFilters

WEB_SITE_ID = "0"
"""What Convertro's tag sends for a site id where none is configured."""


def compile_loaded(
    loaded: LoadedSettings, selection: Selection | None = None, *, begun: float | None = None
) -> Rules:
    """Compile settings with all that the files hold which they name."""
    rules = compile_rules(loaded.settings, selection, begun=begun)
    return replace(rules, suppressed=loaded.suppressed)


def compile_rules(
    settings: Settings, selection: Selection | None = None, *, begun: float | None = None
) -> Rules:
    """Compile settings and filters into rules, as plain data, without the files they name.

    ``begun`` is when the run began, in Unix seconds; None for now. The mapping itself has no
    clock.
    """
    mapping = settings.mapping
    if begun is None:
        begun = time.time()
    return Rules(
        wire=_wire(settings),
        ledger_scopes=_ledger_scopes(settings),
        events=EventMap(settings.events),
        mode=mapping.mode,
        unmapped_events=mapping.unmapped_events,
        require_order_id=mapping.require_order_id,
        cloud_orders=mapping.cloud_orders,
        hybrid_attribution_model=settings.convertro.hybrid_attribution_model,
        domain=settings.convertro.domain,
        missing_cloud_settings=missing_cloud_settings(settings),
        visitor_paths=tuple(tuple(path.split(".")) for path in mapping.visitor_id),
        traits=_traits(mapping.traits),
        latest=begun + DAY,
        selection=selection or Selection(),
        consent=Consent(
            tuple(settings.consent.categories), settings.consent.without, settings.consent.empty
        ),
        integrations=mapping.integrations,
        disabled_events=frozenset(settings.schema_.disabled_events),
        delivered_in_browser=mapping.delivered_in_browser,
        unreadable_amount=mapping.unreadable_amount,
        repeated_orders=mapping.repeated_orders,
        destination_filters=_destination_filters(settings.filter_specs),
    )


def missing_cloud_settings(settings: Settings) -> tuple[str, ...]:
    """Name the keys of ``[convertro]`` that cloud calls need and that are not there."""
    return tuple(name for name in CLOUD_SETTINGS if getattr(settings.convertro, name) is None)


def _destination_filters(specs: FilterSpecs) -> DestinationFilters | None:
    """Compile what the settings' check found sound; None where there is nothing to apply."""
    if not specs.filters and not specs.transformations:
        return None
    from convertro_cli.destination_filters.filters import DestinationFilters

    return DestinationFilters(specs.filters, specs.transformations) or None


def _wire(settings: Settings) -> Wire:
    account = settings.convertro
    values = {
        "account": quote(account.account, safe=""),
        "client_name": quote(account.client_name or "", safe=""),
        "site_id": quote(account.site_id or WEB_SITE_ID, safe=""),
    }
    paths = settings.wire.paths.model_dump()
    renamed = settings.wire.params.model_dump(exclude_defaults=True)
    return Wire(
        targets={
            endpoint: settings.wire.base_url + path.format(**values)
            for endpoint, path in paths.items()
        },
        names=renamed,
        hash_email_ids=settings.wire.hash_email_ids,
    )


def _ledger_scopes(settings: Settings) -> dict[str, bytes]:
    account, base_url = settings.convertro, settings.wire.base_url
    site_id = account.site_id or WEB_SITE_ID
    return {
        "web": scope(base_url, account.account, site_id),
        "cloud": scope(base_url, account.client_name or "", site_id),
    }


def _traits(setting: str | list[str]) -> frozenset[str] | None:
    if setting == "all":
        return None
    return frozenset() if isinstance(setting, str) else frozenset(setting)
