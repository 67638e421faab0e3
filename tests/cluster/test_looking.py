"""Dry runs, inspect and diff whose work others do: the same bytes as by one process."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import orjson
import pytest

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

from convertro_cli.cluster import looking
from tests.cli.command_line import CommandLine
from tests.cluster.in_process import EngineHere, opener
from tests.exports import BENCH_SETTINGS, iter_lines

SPREAD = ("--cluster", "3")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[EngineHere]:
    """The engines that are opened; bundles are small, and come back in any order."""
    seen: list[EngineHere] = []
    monkeypatch.setattr(looking, "open_engine", opener(seen))
    monkeypatch.setattr(looking, "bundle_size", lambda *_: 200_000)
    return seen


@pytest.fixture
def convertro(convertro: CommandLine) -> CommandLine:
    """The command line, in a folder with exports of all kinds."""
    folder = convertro.workspace.folder
    write_exports(folder / "exports")
    (folder / "suppressed.txt").write_text("user_1\nuser_2\n")
    return convertro


def write_exports(folder: Path) -> None:
    """Write files with copies of each other's messages, arrays, bad lines and damage."""
    folder.mkdir()
    lines = list(iter_lines(2_000, seed=4))
    random = Random(4)
    for number in range(6):
        some = lines[number::6] + random.sample(lines, 60)
        random.shuffle(some)
        some += [b'{"type":"track","event"\n', b"\n", b'{"type":"track"}\n']
        content = b"".join(some)
        if number == 1:
            content = gzip.compress(content)
        elif number == 2:
            content = content.rstrip(b"\n")
        elif number == 3:
            content = gzip.compress(content)[:-50]
        elif number == 4:
            content = orjson.dumps([orjson.loads(line) for line in some[:200]])
        elif number == 5:
            content += b'{"type":"track","x":"' + b"x" * (2 << 20) + b'"}\n' + some[0]
        (folder / f"part-{number}").write_bytes(content)
    (folder / "empty.ndjson").write_bytes(b"")
    (folder / "blank.ndjson").write_bytes(b"\n \n")


def summary_of(content: bytes) -> dict[str, object]:
    """A summary without what a clock says."""
    summary: dict[str, object] = orjson.loads(content)
    summary.pop("elapsed_s")
    return summary


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--include-skipped",),
        ("--suppressed", "suppressed.txt", "--since", "2023-01-05", "--type", "track"),
    ],
    ids=["plain", "include-skipped", "lists and filters"],
)
def test_a_dry_run_gives_the_same_bytes_and_the_same_summary(
    convertro: CommandLine, engines: list[EngineHere], more: tuple[str, ...]
) -> None:
    """Lines in the order of the exports, copies over bundles marked, every count the same."""
    command = ("replay", "--dry-run", "exports", "--output", "calls.ndjson", "--json", *more)
    alone = convertro(*command, "--workers", "1")
    lines = Path("calls.ndjson").read_bytes()
    spread = convertro(*command, *SPREAD)
    assert engines[0].submitted > 3
    assert lines.count(b"\n") > 100
    assert b'"repeat":"earlier"' in lines
    assert Path("calls.ndjson").read_bytes() == lines
    assert summary_of(spread.out) == summary_of(alone.out)
    assert spread.code == alone.code == 66
    assert without_times(spread.err) == without_times(alone.err)


def test_a_dry_run_looks_into_the_ledger_for_all(
    convertro: CommandLine, engines: list[EngineHere]
) -> None:
    """What an earlier replay delivered is marked, whoever mapped it."""
    from convertro_cli.sandbox.options import SandboxOptions  # noqa: PLC0415
    from convertro_cli.sandbox.server import Sandbox  # noqa: PLC0415

    with Sandbox(SandboxOptions(port=0)) as sandbox:
        assert convertro.replay(sandbox.url, "exports/part-0").code == 1
        command = ("replay", "--dry-run", "exports", "--base-url", sandbox.url)
        alone, spread = convertro(*command), convertro(*command, *SPREAD)
    assert b'"repeat":"delivered"' in alone.out
    assert spread.out == alone.out
    assert engines


def test_inspect_gives_the_same_report(convertro: CommandLine, engines: list[EngineHere]) -> None:
    """Types, events, copies, orders that repeat, places: all of it, in JSON and in words."""
    for form in ("json", "markdown"):
        command = ("inspect", "exports", "--format", form)
        alone, spread = convertro(*command, "--workers", "1"), convertro(*command, *SPREAD)
        if form == "json":
            assert summary_of(spread.out) == summary_of(alone.out)
        else:
            assert without_times(spread.out.decode()) == without_times(alone.out.decode())
        assert spread.code == alone.code == 66
    assert len(engines) == 2
    assert engines[0].submitted > 3


def test_diff_gives_the_same_report_and_the_same_changes(
    convertro: CommandLine, engines: list[EngineHere]
) -> None:
    """Every change as a line, the samples that are shown, and the sums."""
    settings = BENCH_SETTINGS.replace("site_id", "hybrid_attribution_model = true\nsite_id")
    Path("new.toml").write_text(settings)
    command = ("diff", "convertro.toml", "new.toml", "exports", "--format", "json")
    found = []
    for more in (("--workers", "1"), SPREAD):
        ended = convertro(*command, "--changes", "changes.ndjson", *more)
        report = orjson.loads(ended.out)
        report.pop("elapsed_s", None)
        found.append((report, Path("changes.ndjson").read_bytes(), ended.code))
    assert found[0][1].count(b"\n") > 20
    assert found[0] == found[1]
    assert engines[0].submitted > 3


def test_standard_input_does_not_go_to_other_machines(
    convertro: CommandLine, engines: list[EngineHere]
) -> None:
    """It is this process's alone, and that is told with a way out."""
    convertro("inspect", "-", *SPREAD).assert_told(2, "this process only", "leave out --scheduler")
    assert engines[0].submitted == 0


def without_times(report: str) -> list[str]:
    """The lines of a report that no clock has a part in."""
    return [line for line in report.splitlines() if "events/s" not in line]
