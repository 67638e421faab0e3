"""Memory stays bounded whatever a file unpacks to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reading.packing import PACKERS, zstd_packer
from tests.soaking import usually

MEBIBYTE = 1 << 20
SIZE = usually(256, in_soak=1024) * MEBIBYTE
READ = """
import sys
from pathlib import Path
from convertro_cli.reading.lines import read_batches
from convertro_cli.reading.sources import find_exports

*_, last = read_batches(find_exports(sys.argv[1:]).files)
status = Path("/proc/self/status").read_text()  # getrusage() would count the parent's memory
print(last.overlong, last.end.damage, status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.parametrize("kind", ["gzip", "zstd", "xz"])
def test_no_end_of_zeros_needs_little_memory(kind: str, tmp_path: Path) -> None:
    """A small file that unpacks to several times the memory in one line is counted, not held."""
    path = tmp_path / "bomb"
    if kind == "zstd":
        packer = zstd_packer()
        blocks = [packer.compress(bytes(MEBIBYTE)) for _ in range(SIZE // MEBIBYTE)]
        path.write_bytes(b"".join(blocks) + packer.flush())
    else:
        path.write_bytes(PACKERS[kind](bytes(16 * MEBIBYTE)) * (SIZE // (16 * MEBIBYTE)))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, check=True, text=True
    )
    overlong, damage, peak = done.stdout.split()
    assert (overlong, damage) == (str(SIZE), "None")
    assert int(peak) * 1024 < 100e6
