"""Lists of files that are longer than what is found before a run: counted, told, and spared."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from convertro_cli.cli import watching
from convertro_cli.reading.sources import find_exports
from convertro_cli.run import selected
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import order, orders

FIRST = 5
DRY_RUN = ("replay", "--dry-run", "logs", "--output", "calls", "--json")
INSPECT = ("inspect", "logs", "--format", "json")
DIFF = ("diff", "convertro.toml", "convertro.toml", "logs", "--format", "json")
EXPLAIN = [
    ("explain", "logs", "--line", "logs/17.json:1"),
    ("explain", "logs", "--event", "Order Completed"),
    ("explain", "logs", "--message-id", "m17"),
]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any list the first five are found before a run begins."""
    monkeypatch.setattr(selected, "find_exports", partial(find_exports, at_once=FIRST))


@pytest.fixture
def logs(convertro: CommandLine) -> Path:
    """Twenty files, and three more that are hidden, last in their order."""
    for number in range(20):
        convertro.workspace.write(f"logs/{number:02}.json", *orders(1, start=number))
    for number in range(3):
        convertro.workspace.write(f"logs/z/.{number}.json", *orders(1, start=number))
    return convertro.workspace.folder / "logs"


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize("command", [DRY_RUN, INSPECT, DIFF])
def test_what_is_left_unread_further_on_is_counted(
    convertro: CommandLine, command: tuple[str, ...]
) -> None:
    """The summary has it, however late it was found."""
    found = json.loads(convertro(*command).out)
    assert (found["files"]["read"], found["files"]["skipped"]) == (20, 3)


@pytest.mark.usefixtures("logs")
def test_a_dry_run_counts_all_files_that_a_replay_would_not_read(
    convertro: CommandLine, sandbox: Sandbox
) -> None:
    """Not only those that are known when it begins; and a replay does not read them."""
    first = convertro.replay(sandbox.url, "logs").summary
    assert (first["files"]["read"], first["files"]["skipped"]) == (20, 3)
    convertro.workspace.write("logs/20.json", *orders(1, start=20))
    found = convertro(*DRY_RUN, "--base-url", sandbox.url)
    assert "20 files were replayed to the end before" in found.err
    again = convertro.replay(sandbox.url, "logs").summary
    assert (again["files"]["read"], again["files"]["skipped"]) == (1, 23)


@pytest.mark.parametrize(
    "command", [DRY_RUN, ("replay", "logs", "--yes", "--base-url"), INSPECT, DIFF, *EXPLAIN]
)
def test_how_many_files_were_found_is_shown_while_they_are_listed(
    convertro: CommandLine,
    logs: Path,
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
    command: tuple[str, ...],
) -> None:
    """In a log as on a terminal; here many are passed over before there is one to read."""
    for number in range(250):
        (logs / f".{number}").touch()
    monkeypatch.setattr(watching, "_LINE_EVERY", 0.0)
    arguments = (*command, sandbox.url) if command[-1] == "--base-url" else command
    found = convertro(*arguments)
    assert found.code == 0, found.err
    told = [line for line in found.err.splitlines() if "files found so far" in line]
    counts = [int(line.split(" files found")[0].split()[-1].replace(",", "")) for line in told]
    assert counts == sorted(counts)
    assert counts[0] == 1
    assert {101, 201} <= set(counts)


@pytest.mark.parametrize("name", ["logs/17.json", "link.json", "hard.json"])
def test_an_output_is_no_export_that_is_found_later(
    convertro: CommandLine, logs: Path, name: str
) -> None:
    """By whatever name, link or hard link: it is as it was."""
    (logs.parent / "link.json").symlink_to(logs / "17.json")
    (logs.parent / "hard.json").hardlink_to(logs / "17.json")
    before = (logs / "17.json").read_bytes()
    for command in (DRY_RUN[:3], INSPECT[:2]):
        told = (2, f"--output {name} would be written over an export")
        convertro(*command, "--output", name).assert_told(*told)
    convertro(*DIFF, "--changes", name).assert_told(2, "would be written over an export")
    assert (logs / "17.json").read_bytes() == before


def test_standard_output_is_no_export_that_is_found_later(
    convertro: CommandLine, logs: Path, to_file: Callable[[Path], None]
) -> None:
    """It would be read for ever."""
    to_file(logs / "18.json")
    told = "Standard output logs/18.json would be written over an export"
    convertro("replay", "--dry-run", "logs").assert_told(2, told)


@pytest.fixture
def to_file(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Have what stands for standard output be a file."""

    def redirect(path: Path) -> None:
        status = path.stat()
        monkeypatch.setattr("convertro_cli.cli.outputs.os.fstat", lambda _: status)

    return redirect


def test_metrics_are_no_export_that_is_found_later(
    convertro: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, logs: Path
) -> None:
    """Whether they lie among the exports or a link leads to them; elsewhere they are kept."""
    from convertro_cli.reading import sources  # noqa: PLC0415 - where exports are found

    monkeypatch.setattr(sources, "find_exports", partial(find_exports, at_once=FIRST))
    convertro.workspace.write("far.json", order(99))
    (logs / "19-far.json").symlink_to(logs.parent / "far.json")
    replay = ("replay", "logs", "--base-url", sandbox.url, "--metrics")
    for name in ("logs/17.json", "far.json"):
        before = Path(name).read_bytes()
        convertro(*replay, name).assert_told(2, "would be written over an export")
        assert Path(name).read_bytes() == before
    for _ in range(2):
        assert convertro(*replay, "m.prom").code == 0
    (logs.parent / "m.prom").rename(logs / "m.prom")
    convertro(*replay, "logs/m.prom").assert_told(2, "would be written over an export")
