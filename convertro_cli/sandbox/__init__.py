"""A local Convertro to rehearse against: it checks, counts and records what it receives."""

from __future__ import annotations

from convertro_cli.sandbox.options import Outage, SandboxOptions
from convertro_cli.sandbox.server import Sandbox

__all__ = ["Outage", "Sandbox", "SandboxOptions"]
