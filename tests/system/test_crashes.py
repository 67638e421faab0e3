"""Kills at many moments, a resume after each, and all guarantees checked each time."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from tests.system.ordeal import Ordeal
from tests.system.other_side import OtherSide
from tests.system.program import Workspace

KILLS = 8
EVENTS = 1_500

# ``make soak`` goes through many more of them.
TROUBLES = [
    SandboxOptions(port=0, latency_s=0.005, fail_rate=0.1, fail_status=500, seed=1),
    SandboxOptions(port=0, latency_s=0.03, fail_rate=0.1, fail_status=503, seed=2),
]


@pytest.mark.parametrize("options", TROUBLES, ids=lambda options: f"seed {options.seed}")
def test_whatever_the_moment(
    workspace: Workspace,
    options: SandboxOptions,
    record_property: Callable[[str, object], None],
) -> None:
    """After any kill the same command goes on: nothing is lost, only what was in doubt repeats."""
    with OtherSide(options) as side:
        ordeal = Ordeal(workspace, side, Random(options.seed))
        ordeal.go_through(kills=KILLS, events=EVENTS)
    assert ordeal.figures.kills >= KILLS
    assert ordeal.figures.lost == 0
    assert ordeal.figures.repeated <= ordeal.figures.in_doubt
    record_property(f"crash test, seed {options.seed}", str(ordeal.figures))
