"""Chromium without a window, to look at a report as its reader will.

It is spoken to over a pipe (Chrome's DevTools protocol), with a profile of its own that is
thrown away, so nothing that is installed or configured here changes what is seen.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any

import orjson
import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PATIENCE_S = 60.0

# Chrome reads its commands from descriptor 3 and answers on 4, whatever they are numbered here.
_STARTER = """
import fcntl, os, sys
to_child, from_child = (fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3])
os.dup2(to_child, 3)
os.dup2(from_child, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


# Labels of pictures over each other or over a mark, tiles over each other, and tiles whose number
# is broken in two: by what they say.
_OVERLAPS = """
(() => {
  const box = (e) => ({e, r: e.getBoundingClientRect()});
  const over = (a, b) => a.e !== b.e
    && Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left) > 1
    && Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top) > 1;
  const found = [];
  for (const svg of document.querySelectorAll("svg[role=img]")) {
    const texts = [...svg.querySelectorAll("text")].map(box);
    const marks = [...svg.querySelectorAll("rect[class]")].map(box);
    for (const text of texts)
      for (const other of [...texts, ...marks])
        if (over(text, other))
          found.push(text.e.textContent + " over " + (other.e.textContent || other.e.tagName));
  }
  const tiles = [...document.querySelectorAll("dl > div, .figures > div")].map(box);
  for (const tile of tiles) {
    for (const other of tiles) if (over(tile, other)) found.push("tile " + tile.e.textContent);
    const value = tile.e.querySelector("dd");
    if (value && value.getBoundingClientRect().height > 1.9 * parseFloat(
        getComputedStyle(value).fontSize) * 1.25 && !value.querySelector("*"))
      found.push("broken " + value.textContent);
  }
  return found;
})()
"""


def find_chromium() -> str | None:
    """Give the program, or None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


needs_chromium = pytest.mark.skipif(
    find_chromium() is None,
    reason="chromium is not installed; on Debian: apt-get install chromium",
)


@dataclass
class View:
    """A page as it was seen: what it asked for, what it complained of, and its picture."""

    picture: bytes
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    page_width: int = 0
    """How wide the page is in pixels; wider than the window means that it must be scrolled."""
    scripts: int = 0
    text: str = ""
    accessible: list[tuple[str, str]] = field(default_factory=list)
    """What a screen reader is told: the role and the name of each thing on the page."""


class Browser:
    """One running chromium."""

    def __init__(self, pipe_in: int, pipe_out: int) -> None:
        self._in, self._out = pipe_in, pipe_out
        self._number = 0
        self._buffer = b""
        self._events: list[dict[str, Any]] = []

    def view(
        self,
        file: Path,
        *,
        width: int,
        height: int = 900,
        dark: bool = False,
        printed: bool = False,
    ) -> View:
        """Open a file in a window of this width, wait until it is drawn, and look at it."""
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._events.clear()
        for domain in ("Page", "Network", "Log", "Runtime", "Audits", "Accessibility"):
            self._send(f"{domain}.enable", session)
        self._send(
            "Emulation.setDeviceMetricsOverride",
            session,
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._send(
            "Emulation.setEmulatedMedia",
            session,
            media="print" if printed else "screen",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self._send("Page.navigate", session, url=file.as_uri())
        self._wait_for("Page.loadEventFired")
        seen = self._look(session)
        self._send("Target.closeTarget", targetId=target)
        return seen

    def _look(self, session: str) -> View:
        picture = self._send(
            "Page.captureScreenshot", session, format="png", captureBeyondViewport=True
        )
        tree = self._send("Accessibility.getFullAXTree", session)
        seen = View(
            base64.b64decode(picture["data"]),
            page_width=self._evaluate(session, "document.documentElement.scrollWidth"),
            scripts=self._evaluate(session, "document.querySelectorAll('script').length"),
            text=self._evaluate(session, "document.body.innerText"),
            overlaps=self._evaluate(session, _OVERLAPS),
            accessible=[
                (node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in tree["nodes"]
                if not node["ignored"]
            ],
        )
        for event in self._events:
            if event.get("sessionId") == session:
                _note(event, seen)
        return seen

    def _evaluate(self, session: str, expression: str) -> Any:
        answer = self._send("Runtime.evaluate", session, expression=expression, returnByValue=True)
        return answer["result"]["value"]

    def _send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._in, orjson.dumps(message) + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _wait_for(self, method: str) -> None:
        while not any(event.get("method") == method for event in self._events):
            self._events.append(self._read())

    def _read(self) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._out], [], [], max(0.0, until - time.monotonic()))
            block = os.read(self._out, 1 << 16) if ready else b""
            if not block:
                raise RuntimeError("chromium does not answer")
            self._buffer += block
        message, _, self._buffer = self._buffer.partition(b"\0")
        read: dict[str, Any] = orjson.loads(message)
        return read


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start chromium with a fresh profile, and end it with all that it started."""
    program = find_chromium()
    assert program is not None
    to_child, our_in = os.pipe()
    our_out, from_child = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-c", _STARTER, str(to_child), str(from_child)),
                *(program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"),
            ],
            pass_fds=(to_child, from_child),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": profile},
        )
        os.close(to_child)
        os.close(from_child)
        try:
            yield Browser(our_in, our_out)
        finally:
            os.close(our_in)
            os.close(our_out)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _note(event: dict[str, Any], seen: View) -> None:
    parameters = event["params"]
    match event["method"]:
        case "Network.requestWillBeSent":
            seen.requests.append(parameters["request"]["url"])
        case "Log.entryAdded":
            seen.complaints.append(parameters["entry"]["text"])
        case "Runtime.consoleAPICalled":
            seen.complaints.append(str(parameters["args"]))
        case "Runtime.exceptionThrown":
            seen.complaints.append(parameters["exceptionDetails"]["text"])
        case "Audits.issueAdded":
            seen.complaints.append(parameters["issue"]["code"])
