"""What all comparisons share: exports, settings, fresh state folders, and the program's command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import seconds, warm
from tests.bench.programs import CURL_CONFIG
from tests.exports import BENCH_SETTINGS, ExportFacts, write_export


@dataclass(slots=True)
class Bench:
    """A temporary folder and the sizes of this run."""

    folder: Path
    quick: bool = False
    seed: int = 1
    _exports: dict[int, ExportFacts] = field(default_factory=dict)
    _states: int = 0

    @property
    def runs(self) -> int:
        return 3 if self.quick else 5

    def export(self, events: int) -> ExportFacts:
        """An export of that many events, made once, warm in the file cache."""
        if events not in self._exports:
            path = self.folder / f"export-{events}.ndjson"
            self._exports[events] = write_export(path, events, seed=self.seed)
            warm(path)
        return self._exports[events]

    def settings(
        self,
        name: str,
        *,
        base_url: str = "http://127.0.0.1:9",
        transport: str = "auto",
        concurrency: int = 64,
    ) -> Path:
        """Settings for a server, by default one that is not there: for who sends nothing."""
        path = self.folder / f"{name}.toml"
        path.write_text(
            f'{BENCH_SETTINGS}\n[delivery]\ntransport = "{transport}"\n'
            f'concurrency = {concurrency}\n\n[wire]\nbase_url = "{base_url}"\n'
        )
        return path

    def urls(self, export: ExportFacts, base_url: str) -> Path:
        """The export's calls as ready-made URLs, one a line, made by jq."""
        path = self.folder / f"urls-{export.events}-{base_url.rpartition(':')[2]}"
        if not path.exists():
            command = ["jq", "-r", "--arg", "base", base_url, CURL_CONFIG, str(export.path)]
            made = subprocess.run(command, capture_output=True, text=True, check=True)
            found = [line[7:-1] for line in made.stdout.splitlines() if line.startswith("url = ")]
            path.write_text("\n".join(found))
        return path

    def dry_run(self, export: ExportFacts, settings: Path) -> list[str]:
        """Its lines go to standard output, which is thrown away, as jq's are."""
        return [*replay(export, settings), "--dry-run"]

    def replay_seconds(self, export: ExportFacts, settings: Path) -> float:
        """Wall time of a replay with an empty ledger."""
        self._states += 1
        state = self.folder / f"state-{self._states}"
        try:
            return seconds([*replay(export, settings), "--state", str(state)])
        finally:
            shutil.rmtree(state, ignore_errors=True)

    def loop(self, kind: str, urls: Path, connections: int) -> list[str]:
        number = str(connections)
        return [*python("tests.bench.loops"), kind, str(urls), "--connections", number]


def python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def replay(export: ExportFacts, settings: Path) -> list[str]:
    command = [*python("convertro_cli"), "replay", "--yes", str(export.path)]
    return [*command, "--config", str(settings), "--quiet"]
