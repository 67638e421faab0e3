"""Outputs are never written over what the program reads or keeps."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import orders
from tests.system.program import Workspace

_SQLITE = {".db-shm", ".db-wal"}
DRY = ("replay", "--dry-run", "--quiet", "e.ndjson", "--output")
INSPECT = ("inspect", "--quiet", "e.ndjson", "--format", "json", "--output")
DIFF = ("diff", "--quiet", "old.toml", "convertro.toml", "e.ndjson", "--format", "json")
OUTPUTS = [DRY, INSPECT, (*DIFF, "--output"), (*DIFF, "--output", "r.json", "--changes")]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export, settings, and the state of a replay."""
    workspace = Workspace(tmp_path_factory.mktemp("replayed"))
    workspace.write("e.ndjson", *orders(3), b"{")
    (workspace.folder / "old.toml").write_text(workspace.config.read_text())
    with Sandbox(SandboxOptions(port=0)) as sandbox:
        assert workspace.replay(sandbox.url, "e.ndjson").code == 1
    workspace.close()
    return workspace.folder


@pytest.fixture
def folder(convertro: CommandLine, replayed: Path) -> Path:
    """The same, to try a command in."""
    shutil.copytree(replayed, convertro.workspace.folder, dirs_exist_ok=True)
    return convertro.workspace.folder


def content_of(folder: Path) -> dict[str, bytes]:
    """All files of a folder with what is in them, but those that SQLite makes to read one."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in _SQLITE)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("command", OUTPUTS)
@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("e.ndjson", "an export"),
        ("./../{name}/e.ndjson", "an export"),
        ("link.ndjson", "an export"),
        ("hard.ndjson", "an export"),
        ("convertro.toml", "the settings"),
        (".convertro/ledger.db", "the state of replays"),
        (".convertro/ledger.db-wal", "the state of replays"),
        (".convertro/lock", "the state of replays"),
        (".convertro/dead-letters.ndjson", "the state of replays"),
        (".convertro", ".convertro is a folder"),
    ],
)
def test_it_is_refused(
    convertro: CommandLine, folder: Path, command: tuple[str, ...], output: str, what: str
) -> None:
    """By whatever name, link or hard link; every file is as it was."""
    (folder / "link.ndjson").symlink_to("e.ndjson")
    os.link(folder / "e.ndjson", folder / "hard.ndjson")
    (folder / ".convertro/ledger.db-wal").touch()
    before = content_of(folder)
    convertro(*command, output.format(name=folder.name)).assert_told(2, what)
    assert content_of(folder) == before


def test_an_export_in_a_folder_is_one(convertro: CommandLine, folder: Path) -> None:
    """The output of an earlier run that lies in the folder of exports is one of them by now."""
    (folder / "exports").mkdir()
    (folder / "e.ndjson").rename(folder / "exports/e.ndjson")
    command = ("replay", "--dry-run", "--quiet", "exports", "-o", "exports/calls.ndjson")
    assert convertro(*command).code == 0
    convertro(*command).assert_told(2, "exports/calls.ndjson would be written over an export")


def test_the_ledger_to_come_is_spared_too(convertro: CommandLine, folder: Path) -> None:
    """Before the first replay there is no ledger, but its name is taken."""
    (folder / "state").mkdir()
    with convertro.workspace.config.open("a") as settings:
        settings.write('[delivery]\nstate = "state"\n')
    convertro(*DRY, "state/ledger.db").assert_told(2, "the state of replays")
    assert convertro(*DRY, "state/calls.ndjson").code == 0


def test_the_saved_side_of_a_diff_is_an_input(convertro: CommandLine, folder: Path) -> None:
    """A dry run that is compared with is not written over."""
    assert convertro(*DRY, "saved.ndjson").code == 0
    command = ("diff", "convertro.toml", "e.ndjson", "--against", "saved.ndjson", "--changes")
    convertro(*command, "saved.ndjson").assert_told(2, "a file that is read")


def test_two_outputs_are_two_files(convertro: CommandLine, folder: Path) -> None:
    """The report and all changes do not fit into one file, nor on one standard output."""
    convertro(*DIFF, "-o", "r.json", "--changes", "r.json").assert_told(2, "both go to r.json")
    convertro(*DIFF, "--changes", "-").assert_told(2, "both go to standard output")


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
@pytest.mark.parametrize("command", [*OUTPUTS, ("init", "--output")])
def test_a_dash_is_standard_output(
    convertro: CommandLine, folder: Path, command: tuple[str, ...], name: str
) -> None:
    """Everywhere; no file of that name appears."""
    before = set(content_of(folder)) | {"r.json"}
    ended = convertro(*command, name)
    assert ended.code == 0, ended.err
    assert ended.out or "--changes" in command
    assert set(content_of(folder)) | {"r.json"} == before
    assert Path("/dev/stdout").is_symlink()


def test_a_link_stays_a_link(convertro: CommandLine, folder: Path) -> None:
    """What it names is replaced, as any other program would."""
    (folder / "there").mkdir()
    (folder / "link.json").symlink_to("there/report.json")
    assert convertro("inspect", "--quiet", "e.ndjson", "-o", "link.json").code == 0
    assert (folder / "link.json").is_symlink()
    assert (folder / "there/report.json").read_text().startswith("{")


@pytest.mark.parametrize(
    ("ending", "begins"),
    [
        ("json", "{"),
        ("ndjson", "{"),
        ("jsonl", "{"),
        ("md", "## "),
        ("markdown", "## "),
        ("MARKDOWN", "## "),
        ("html", "<!doctype html>"),
        ("htm", "<!doctype html>"),
        ("txt", "What is in the export"),
    ],
)
def test_an_ending_says_the_format(
    convertro: CommandLine, folder: Path, ending: str, begins: str
) -> None:
    """Each form has the endings that people give it."""
    assert convertro("inspect", "--quiet", "e.ndjson", "-o", f"r.{ending}").code == 0
    assert (folder / f"r.{ending}").read_text().startswith(begins)


@pytest.mark.parametrize("command", [INSPECT[:3], DIFF[:5]])
def test_an_unknown_ending_says_nothing(
    convertro: CommandLine, folder: Path, command: tuple[str, ...]
) -> None:
    """It is an error, unless --format says the form; nothing is read or written before that."""
    convertro(*command, "-o", "r.xyz").assert_told(2, "r.xyz", ".markdown", "--format")
    assert not (folder / "r.xyz").exists()
    assert convertro(*command, "-o", "r.xyz", "--format", "markdown").code == 0


@pytest.mark.parametrize("name", ["e.ndjson", "convertro.toml", ".convertro/ledger.db", "."])
def test_the_sandbox_logs_into_logs_only(convertro: CommandLine, folder: Path, name: str) -> None:
    """It appends; so a file that holds anything else is left as it is."""
    before = content_of(folder)
    ended = convertro("sandbox", "--port", "0", "--log", name)
    assert ended.code in {2, 74}
    assert name in ended.err
    assert content_of(folder) == before


def test_init_spares_what_it_reads(convertro: CommandLine, folder: Path) -> None:
    """Neither Segment's settings nor an export are written over, even by force."""
    (folder / "segment.json").write_text('{"account": "acme"}')
    command = ("init", "--force", "--from-segment", "segment.json", "-o", "segment.json")
    convertro(*command).assert_told(2, "a file that is read")
    convertro("init", "--force", "--suggest", "e.ndjson", "-o", "e.ndjson").assert_told(
        2, "an export"
    )
