"""What the comparisons need besides Python, and how to get it."""

from __future__ import annotations

import shutil

#: Program → the Debian package it comes in.
PACKAGES = {"nginx": "nginx-light", "jq": "jq", "curl": "curl"}


def missing() -> list[str]:
    return [program for program in PACKAGES if shutil.which(program) is None]


def explain(programs: list[str]) -> str:
    packages = " ".join(PACKAGES[program] for program in programs)
    lines = [f"{program} is missing: the comparisons are made with it." for program in programs]
    return "\n".join([*lines, f"Install with: sudo apt-get install -y {packages}"])
