"""How far a search through an export is, for who waits for it."""

from __future__ import annotations

import time

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from convertro_cli.cli.console import error_console

_PATIENCE = 0.5


class SearchBar:
    """Shows how far a search is, on a terminal, when it takes longer than a moment."""

    def __init__(self) -> None:
        self.total: int | None = None
        self._since = time.monotonic()
        self._bar: Progress | None = None

    def show(self, done: int) -> None:
        """Draw the bar, if it is time for one."""
        if self._bar is None:
            console = error_console()
            if not console.is_terminal or console.is_dumb_terminal:
                return  # what cannot take back what it shows would keep a bar for good
            if time.monotonic() - self._since < _PATIENCE:
                return
            self._bar = Progress(
                TextColumn("looking for it"),
                BarColumn(bar_width=None),
                DownloadColumn(),
                TimeRemainingColumn(),
                console=console,
                transient=True,
                expand=True,
            )
            self._bar.add_task("", total=self.total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
