"""A replay on a cluster, from the side of whoever drives it.

It lists the exports, hands them out in bundles, and adds up what the workers wrote into the
ledger. What keeps the guarantees is the ledger alone: a bundle may be done twice, or by two at
once, and the driver may be gone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from msgspec.structs import replace

from convertro_cli.cluster.driver import JobDriver
from convertro_cli.cluster.engine import open_engine
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.cluster.replay_order import ReplayOrder, for_others
from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.unread import Unread
from convertro_cli.record.backends import SharedOptions, connected, open_known_calls
from convertro_cli.record.postgres.forgetting import forget_rows
from convertro_cli.record.postgres.jobs import SharedJob
from convertro_cli.record.postgres.session import Session
from convertro_cli.replay import told_of_list
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.plan import ReplayOptions, digest_settings
from convertro_cli.run.progress import Watcher
from convertro_cli.run.replayed import ReplayedFiles
from convertro_cli.run.report import Report
from convertro_cli.run.selected import find_selected, own_files
from convertro_cli.settings.load import LoadedSettings


def replay_on_cluster(
    loaded: LoadedSettings,
    arguments: Sequence[str],
    *,
    selection: Selection,
    options: ReplayOptions,
    watcher: Watcher,
    place: ClusterPlace,
) -> Report:
    """Replay exports on a cluster. The ledger of the settings is one in a database.

    Raises ConvertroError for what stops a run before it starts. What stops it later stands in
    the report, with the counts so far.
    """
    digest, begun = digest_settings(loaded), time.time()
    with ExitStack() as opened:
        interrupts = opened.enter_context(Interrupts())
        gives_up: list[bool] = []
        patience = SharedOptions(
            timeout=loaded.settings.delivery.ledger_timeout,
            stopped=lambda: interrupts.stop_requested or bool(gives_up),
            notice=watcher.notice,
        )
        session = opened.enter_context(connected(loaded.ledger, create=True, options=patience))
        exports = find_selected(
            arguments,
            selection,
            own=own_files(loaded),
            storage=loaded.storage,
            tell=told_of_list(watcher, interrupts),
        )
        if not (options.reread or options.resend):
            known = opened.enter_context(open_known_calls(loaded.ledger))
            if known is not None:
                replayed = ReplayedFiles(known, loaded.ledger.state, digest)
                exports = exports.sifted(replayed.unread_of, Unread.ALREADY_REPLAYED)
        engine = opened.enter_context(open_engine(place, watcher.notice))
        job = SharedJob(session)
        engine.begin(
            ReplayOrder(
                for_others(loaded),
                selection,
                replace(options, workers=1, max_failed=None),
                digest,
                job.number,
                begun,
                loaded.ca_bundle.read_bytes() if loaded.ca_bundle is not None else None,
            )
        )
        driver = JobDriver(
            engine, job, exports, options, interrupts, watcher, lambda: gives_up.append(True)
        )
        report = driver.carry_out()
        _forget(loaded, session, report)
        return report


def _forget(loaded: LoadedSettings, session: Session, report: Report) -> None:
    """Leave nothing of suppressed users in the dead letters of the database."""
    address, suppressed = loaded.ledger.address, loaded.suppressed
    if suppressed is None or address is None:
        return
    try:
        forgotten = session.do(lambda each: forget_rows(each, address, suppressed))
    except ConvertroError as error:
        report.note_problem(error)
    else:
        report.note_forgotten(forgotten.removed)
