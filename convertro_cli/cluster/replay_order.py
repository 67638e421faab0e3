"""The order to replay a bundle: what a driver sends out, and what a worker's process does of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from convertro_cli.cluster.bundles import Bundle
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.record.postgres.lease import fenced
from convertro_cli.replay import replay
from convertro_cli.run.plan import JobBundle, ReplayOptions
from convertro_cli.run.progress import NobodyWatches
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.storage.options import StorageOptions


class BundleEnd(NamedTuple):
    """How the replay of a bundle ended: as a report has it, without the counts.

    ``comes_again`` says that it was stopped through no fault of its own: its worker was ending, or
    had been silent for so long that another one took over.
    """

    exit_code: int
    problem: str | None
    advice: list[str]
    comes_again: bool


class ReplayOrder(Struct, frozen=True):
    """Replay a bundle, as part of the job of this number in the ledger.

    ``settings`` is their digest, and ``begun`` when the job began, in Unix seconds.
    """

    loaded: LoadedSettings
    selection: Selection
    options: ReplayOptions
    settings: bytes
    job: int
    begun: float
    certificates: bytes | None = None
    """What ``wire.ca_bundle`` holds, if that is set."""

    @property
    def storage(self) -> StorageOptions | None:
        """How to reach what lies in buckets."""
        return self.loaded.storage

    def carry_out(self, bundle: Bundle) -> Iterator[BundleEnd]:
        """Give how it ended, as the one part that there is."""
        exports = ExportSet(bundle.files, total_bytes=bundle.size)
        with tempfile.TemporaryDirectory(prefix="convertro-") as folder:
            report = replay(
                with_state(self.loaded, Path(folder), self.certificates),
                (),
                selection=self.selection,
                options=self.options,
                watcher=NobodyWatches(),
                bundle=JobBundle(self.job, bundle.number, exports, self.settings, self.begun),
            )
        yield BundleEnd(
            int(report.exit_code),
            report.problem,
            report.advice,
            comes_again=report.interrupted or report.problem == fenced().message,
        )


def with_state(
    loaded: LoadedSettings, folder: Path, certificates: bytes | None = None
) -> LoadedSettings:
    """Give the same settings for a machine that has no state folder, nor any other file."""
    delivery = loaded.settings.delivery.model_copy(update={"state": str(folder)})
    wire = loaded.settings.wire
    if certificates is not None:
        (folder / "ca.pem").write_bytes(certificates)
        wire = wire.model_copy(update={"ca_bundle": str(folder / "ca.pem")})
    return replace(
        loaded,
        settings=loaded.settings.model_copy(update={"delivery": delivery, "wire": wire}),
        origins={**loaded.origins, "delivery.state": "option"},
    )


def for_others(loaded: LoadedSettings) -> LoadedSettings:
    """Give the settings as other machines may have them: paths that mean the same, no secrets."""
    delivery = loaded.settings.delivery.model_copy(update={"ping_url": None})
    return replace(
        loaded,
        settings=loaded.settings.model_copy(update={"delivery": delivery}),
        file=loaded.file.absolute(),
    )
