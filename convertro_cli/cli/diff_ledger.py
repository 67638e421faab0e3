"""The ledger that a comparison looks into, for what was delivered already."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from convertro_cli.errors import ConvertroError
from convertro_cli.record.backends import open_known_calls
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.settings.load import LoadedSettings


def open_ledger(
    loaded: Sequence[LoadedSettings], opened: ExitStack
) -> tuple[KnownCalls | None, list[str]]:
    """Open the ledger of the last of these settings that has one, to be closed with ``opened``.

    A ledger that cannot be read keeps nobody from comparing: a note says so.
    """
    for settings in reversed(loaded):
        try:
            known = opened.enter_context(open_known_calls(settings.ledger))
        except ConvertroError as error:
            return None, [f"What was delivered was not looked at: {error.message}"]
        if known is not None:
            return known, []
    return None, []
