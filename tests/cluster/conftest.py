"""The command line, as the tests of the commands have it."""

from __future__ import annotations

from tests.cli.conftest import convertro as convertro  # noqa: PLC0414 - a fixture
