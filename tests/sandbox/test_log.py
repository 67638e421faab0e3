"""The log file: whole lines, for its owner only."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.sandbox.log import Record, RequestLog, written_time


def record(n: int, text: str = "x") -> Record:
    return Record(
        at=written_time(1709290000.5),
        call="event",
        path="/api/hit/acme/1/",
        params={"n": str(n), "text": text},
        status=200,
        repeat=False,
    )


def test_a_line_is_there_when_write_returns(tmp_path: Path) -> None:
    """Nothing is buffered: what is written can be read at once."""
    log = RequestLog(tmp_path / "log.ndjson")
    log.write(record(1, 'a "quoted"\nline \x1b[31m ü'))
    lines = (tmp_path / "log.ndjson").read_bytes().splitlines()
    assert [orjson.loads(line) for line in lines] == [record(1, 'a "quoted"\nline \x1b[31m ü')]
    assert lines[0].startswith(b'{"at":"2024-03-01T10:46:40.500Z","call":"event","path":')
    log.close()


def test_the_log_is_its_owners_alone_and_only_grows(tmp_path: Path) -> None:
    """A log from before is kept and closed to others: exports hold personal data."""
    path = tmp_path / "log.ndjson"
    path.write_text('{"at":"before"}\n')
    path.chmod(0o644)
    log = RequestLog(path)
    log.write(record(1))
    log.close()
    log.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith('{"at":"before"}\n{"at":')


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    """However many threads write, each line is one record."""
    log = RequestLog(tmp_path / "log.ndjson")

    def write(thread: int) -> None:
        for n in range(100):
            log.write(record(thread * 1000 + n, "y" * 5000))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    lines = (tmp_path / "log.ndjson").read_bytes().splitlines()
    numbers = {int(orjson.loads(line)["params"]["n"]) for line in lines}
    assert len(lines) == 800
    assert numbers == {t * 1000 + n for t in range(8) for n in range(100)}


def test_a_log_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    """A folder that is not there is named, with the exit code of a file that cannot be written."""
    with pytest.raises(ConvertroError, match="cannot be opened: No such file") as caught:
        RequestLog(tmp_path / "nowhere" / "log.ndjson")
    assert caught.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert caught.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence() -> None:
    """When there is no room for a line, the error says so."""
    log = RequestLog(Path("/dev/full"))
    with pytest.raises(ConvertroError, match="cannot be written: No space left"):
        log.write(record(1))
    log.close()


def test_half_a_line_is_taken_back(tmp_path: Path) -> None:
    """Where the room ends in the middle of a line, the file ends with the line before."""
    path = tmp_path / "log.ndjson"
    program = (
        "import sys; from pathlib import Path\n"
        "from convertro_cli.errors import ConvertroError\n"
        "from convertro_cli.sandbox.log import RequestLog\n"
        "from tests.sandbox.test_log import record\n"
        "log = RequestLog(Path(sys.argv[1])); log.write(record(1))\n"
        "try: log.write(record(2, 'y' * 5000))\n"
        "except ConvertroError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert "cannot be written: File too large" in done.stdout
    assert [orjson.loads(line) for line in path.read_bytes().splitlines()] == [record(1)]
