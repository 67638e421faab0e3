"""What `make demo` shows: a replay of the sample export to a local sandbox, and both its sides."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
CONVERTRO = [sys.executable, "-m", "convertro_cli"]
SOME_FAILED = 1  # the sample holds bad lines on purpose


def main() -> None:
    """Start a sandbox, replay to it twice, and show what it received."""
    with tempfile.TemporaryDirectory() as state:
        sandbox = subprocess.Popen(
            [*CONVERTRO, "sandbox", "--port", "0", "--fail-rate", "0.1", "--latency", "20ms"],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            url = _address(sandbox)
            first = _replay(url, state, "A replay to a sandbox that fails one request in ten:")
            stats = _show_received(url)
            second = _replay(url, state, "The same command once more finds nothing left to do:")
        finally:
            sandbox.terminate()
            sandbox.wait(timeout=10)
    delivered, received = first["calls"]["delivered"], stats["unique"]
    if delivered != received or second["calls"]["attempts"]:
        sys.exit(f"The two sides disagree: {delivered} calls delivered, {received} received.")
    print(f"\nBoth sides agree: {delivered} calls, each received once.")
    print("The demo takes its ledger and its dead letters away again; a replay keeps them.")


def _address(sandbox: subprocess.Popen[str]) -> str:
    assert sandbox.stderr is not None
    line = sandbox.stderr.readline()
    return next(word for word in line.split() if word.startswith("http://"))


def _replay(url: str, state: str, title: str) -> dict[str, dict[str, int]]:
    export, settings = HERE / "export.ndjson", HERE / "convertro.toml"
    command = ["replay", str(export), "-c", str(settings), "--base-url", url, "--json", "--yes"]
    print(f"\n{title}\n\n  convertro replay examples/export.ndjson --base-url {url}\n", flush=True)
    run = subprocess.run(
        [*CONVERTRO, *command, "--state", state], stdout=subprocess.PIPE, check=False
    )
    if run.returncode not in {0, SOME_FAILED}:
        sys.exit(run.returncode)
    summary: dict[str, dict[str, int]] = json.loads(run.stdout)
    return summary


def _show_received(url: str) -> dict[str, int]:
    with urlopen(f"{url}/stats") as answer:
        stats: dict[str, int] = json.load(answer)
    print("\nWhat the sandbox received (GET /stats):\n")
    print(json.dumps(stats, indent=2))
    return stats


if __name__ == "__main__":
    main()
