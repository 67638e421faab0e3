"""A run that has nothing left but what another one holds: it waits, and costs nothing."""

from __future__ import annotations

from pathlib import Path
from threading import Timer

from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.identity import identify
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.replay import replay
from convertro_cli.run.plan import ReplayOptions, digest_settings
from convertro_cli.run.progress import Progress
from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from convertro_cli.settings.load import load_settings
from tests.postgres import PostgresServer
from tests.record.machine import Machine
from tests.system.messages import orders
from tests.system.program import Workspace


class Watcher:
    """Sees what holds the run up, each time that it looks."""

    def __init__(self) -> None:
        self.looks = 0
        self.troubles: set[str] = set()

    def tick(self, progress: Progress) -> None:
        self.looks += 1
        if progress.trouble:
            self.troubles.add(progress.trouble)

    def notice(self, text: str) -> None:
        raise AssertionError(text)


def test_it_looks_a_few_times_a_second_and_goes_on_when_the_file_is_free(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    """It tells whom it waits for, keeps its lease, and delivers what was left to it."""
    workspace = Workspace(tmp_path)
    export = workspace.write("export.ndjson", *orders(3))
    address = LedgerUrl(postgres.create_database())
    with Sandbox(SandboxOptions(port=0)) as sandbox:
        options = {"wire.base_url": sandbox.url, "delivery.ledger": address.url}
        loaded = load_settings(workspace.config, options=options, environ={})
        other, watcher = Machine(address), Watcher()
        files = [(identify(export), digest_settings(loaded))]
        other.ledger.files.claim(files, again=False)
        free = Timer(1.5, other.ledger.files.release, [files])
        free.start()
        report = replay(
            loaded,
            [str(export)],
            selection=Selection(),
            options=ReplayOptions(),
            watcher=watcher,
        )
        free.join()
        other.end()
        assert report.tally.messages["delivered"] == sandbox.stats()["accepted"] == 3
    (trouble,) = watcher.troubles
    assert "waiting for another run" in trouble
    assert export.name in trouble
    assert 3 <= watcher.looks < 100
