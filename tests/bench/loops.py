"""The bare loops that the transports are held against: ``python -m tests.bench.loops``.

They do no more than send ready-made URLs and look at the status: no ledger, no retries.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def bare_pycurl(urls: list[bytes], connections: int) -> int:
    """The number of 204 answers; one multi handle, ``connections`` easy handles used again."""
    import pycurl  # noqa: PLC0415

    multi = pycurl.CurlMulti()
    free = []
    for _ in range(connections):
        curl = pycurl.Curl()
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
        free.append(curl)
    left, good, active = iter(urls), 0, 0
    while True:
        while free and (url := next(left, None)) is not None:
            curl = free.pop()
            curl.setopt(pycurl.URL, url)
            multi.add_handle(curl)
            active += 1
        if not active:
            return good
        multi.perform()
        done = 0
        more = 1
        while more:
            more, ended, failed = multi.info_read()
            for curl in [*ended, *(fault[0] for fault in failed)]:
                good += curl.getinfo(pycurl.RESPONSE_CODE) == 204
                multi.remove_handle(curl)
                free.append(curl)
                done += 1
        active -= done
        if not done:
            multi.select(1.0)


def requests_threads(urls: list[bytes], threads: int) -> int:
    """The number of 204 answers; a session for each thread, the URLs in one queue."""
    import threading  # noqa: PLC0415
    from queue import SimpleQueue  # noqa: PLC0415

    import requests  # noqa: PLC0415

    queue: SimpleQueue[str | None] = SimpleQueue()
    for url in urls:
        queue.put(url.decode())
    for _ in range(threads):
        queue.put(None)
    good: list[int] = []

    def work() -> None:
        mine = 0
        with requests.Session() as session:
            while (url := queue.get()) is not None:
                answer = session.get(url, timeout=(5, 30), allow_redirects=False)
                mine += answer.status_code == 204
        good.append(mine)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(good)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.loops")
    parser.add_argument("loop", choices=["pycurl", "requests"])
    parser.add_argument("urls", type=Path, help="one a line")
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    urls = options.urls.read_bytes().split()
    loop = bare_pycurl if options.loop == "pycurl" else requests_threads
    good = loop(urls, options.connections)
    if good != len(urls):
        sys.exit(f"{good} of {len(urls)} requests were answered with 204")


if __name__ == "__main__":
    main()
