"""What goes wrong is told by what the client says, whatever bucket and object are called."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

from convertro_cli.storage import bucket
from convertro_cli.storage.address import read_address
from convertro_cli.storage.faults import fault_of
from tests.cli.command_line import CommandLine
from tests.storage.conftest import reaching
from tests.storage.servers import free_port, scripted
from tests.storage.test_s3 import answered

NAMES = ["credentials.json", "dns/resolve/certificate/timeout", "x/status code: 403/y"]


@pytest.mark.parametrize("key", NAMES)
def test_a_key_says_nothing_of_what_is_wrong(convertro: CommandLine, key: str) -> None:
    """A missing object is missing, and one that cannot be reached is not."""
    place = f"s3://credentials/{key}"
    with scripted(lambda _: answered(404, "NoSuchKey")) as port:
        missing = reaching(convertro, port)("inspect", place)
    assert f"Cannot read '{place}': there is no such object" in missing.err
    unreached = reaching(convertro, free_port())("inspect", place)
    assert f"Cannot read '{place}': it cannot be reached." in unreached.err
    assert missing.code == unreached.code == 66


def test_a_host_without_an_address_is_told(
    convertro: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name server is asked for a name that is none."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{'x' * 64}.invalid")
    told = convertro("inspect", "s3://acme/x")
    assert told.code == 66
    assert "its host has no address" in told.err
    assert "Check storage.endpoint_url" in told.err
    of_name_server = OSError('error sending request\n\nDebug source:\nConnectError(\n"dns error",')
    assert fault_of(read_address("s3://acme/x"), of_name_server).what in told.err


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes every connection, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_does_not_answer_is_told(
    convertro: CommandLine, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, in which it is asked again."""
    monkeypatch.setattr(bucket, "_TIMEOUT", timedelta(seconds=0.1))
    monkeypatch.setattr(bucket, "_RETRIES", {"max_retries": 1})
    told = reaching(convertro, silent)("inspect", "s3://acme/x")
    assert told.code == 66
    assert "it does not answer in time" in told.err
