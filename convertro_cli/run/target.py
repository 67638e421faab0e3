"""The target that settings name, as a ledger knows it."""

from __future__ import annotations

from convertro_cli.record.open_letters import Target
from convertro_cli.settings.compile import WEB_SITE_ID
from convertro_cli.settings.load import LoadedSettings


def target_of(loaded: LoadedSettings) -> Target:
    """Give the target that settings name."""
    settings = loaded.settings
    site_id = settings.convertro.site_id or WEB_SITE_ID
    return Target(settings.wire.base_url, settings.convertro.account, site_id)
