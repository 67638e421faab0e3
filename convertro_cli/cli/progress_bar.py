"""The progress bar of a run, on a terminal."""

from __future__ import annotations

import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from convertro_cli.cli.console import terminal_may_go
from convertro_cli.cli.progress_text import EventRate, describe, describe_bytes
from convertro_cli.run.progress import Progress
from convertro_cli.text import visible

_FRAME = 0.1
_PATIENCE = 0.5
"""So many seconds it does without a bar: what takes no longer needs none."""


class BarWatcher:
    """Shows a bar, and in a line below it where a run is that takes longer than a moment.

    Both vanish at its end.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._rate = EventRate()
        self._next = time.monotonic() + _PATIENCE
        self._task: TaskID | None = None
        self._bar = Bar(
            BarColumn(bar_width=None),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            expand=True,
        )
        # Refreshed from `tick`: no thread of its own, and no work for each event.
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> BarWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        with terminal_may_go():
            self._live.stop()

    def tick(self, progress: Progress) -> None:
        """Draw the bar anew if it is time to."""
        now = time.monotonic()
        if now < self._next or self._console.is_dumb_terminal:
            return  # what cannot take back what it shows would keep a bar for good
        self._next = now + _FRAME
        # One more than there is: what is read whole is not delivered yet, and rich would stop its
        # clock. It is not known from the beginning: first the files have to be found.
        total = None if progress.total_bytes is None else progress.total_bytes + 1
        if self._task is None:
            with terminal_may_go():
                self._live.start()
            self._task = self._bar.add_task("", total=total, amount="")
        self._bar.update(
            self._task,
            total=total,
            completed=progress.tally.bytes_read,
            amount=describe_bytes(progress),
        )
        state = describe(progress, self._rate.update(progress.tally.read))
        with terminal_may_go():
            self._live.update(Group(self._bar, Text(state)), refresh=True)

    def notice(self, text: str) -> None:
        """Print it above the bar."""
        # Soft: a URL that the terminal itself breaks can still be copied whole.
        self._console.print(visible(text), markup=False, soft_wrap=True)
