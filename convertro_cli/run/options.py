"""From the settings to what the delivery and its transport are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from convertro_cli.delivery.answers import Success
from convertro_cli.delivery.delivery import DeliveryOptions
from convertro_cli.delivery.transport import TransportOptions
from convertro_cli.record.backends import SharedOptions
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.plan import JobBundle, ReplayOptions
from convertro_cli.settings.compile import WEB_SITE_ID
from convertro_cli.settings.load import LoadedSettings


def transport_options(loaded: LoadedSettings) -> TransportOptions:
    """Say how the transport connects, and whom it trusts."""
    delivery = loaded.settings.delivery
    fixed = delivery.concurrency
    connections = fixed if isinstance(fixed, int) else delivery.max_concurrency
    return TransportOptions(delivery.timeout, connections, loaded.ca_bundle)


def shared_options(
    loaded: LoadedSettings,
    interrupts: Interrupts,
    notice: Callable[[str], None],
    bundle: JobBundle | None = None,
) -> SharedOptions:
    """Say how to share a ledger in a database; ``bundle`` is what a job has for this run."""
    delivery = loaded.settings.delivery
    return SharedOptions(
        timeout=delivery.ledger_timeout,
        lease=delivery.ledger_lease,
        stopped=lambda: interrupts.stop_requested,
        notice=notice,
        job=bundle.job if bundle is not None else None,
        bundle=bundle.bundle if bundle is not None else 0,
        stop=interrupts.stop,
    )


def delivery_options(loaded: LoadedSettings, options: ReplayOptions) -> DeliveryOptions:
    """Say how to deliver."""
    delivery = loaded.settings.delivery
    fixed = delivery.concurrency
    return DeliveryOptions(
        target=loaded.settings.wire.base_url,
        account=loaded.settings.convertro.account,
        site_id=loaded.settings.convertro.site_id or WEB_SITE_ID,
        concurrency=fixed if isinstance(fixed, int) else None,
        max_concurrency=delivery.max_concurrency,
        rate_limit=delivery.rate_limit,
        max_attempts=delivery.max_attempts,
        outage_timeout=delivery.outage_timeout,
        waits_for_start="delivery.outage_timeout" in loaded.origins,
        stop_after_refusals=delivery.stop_after_refusals,
        success=_success(loaded.settings.wire.success),
        resend=options.resend,
        at_most_once=options.at_most_once,
        canary=options.canary,
    )


def _success(setting: Literal["not-html", "any"] | list[int]) -> Success:
    return frozenset(setting) if isinstance(setting, list) else setting
