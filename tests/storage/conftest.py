"""An S3 and a Google Cloud Storage on this machine, started once, and the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.conftest import convertro as convertro  # noqa: PLC0414 - a fixture
from tests.cli.conftest import sandbox as sandbox  # noqa: PLC0414 - a fixture
from tests.storage.servers import PINNED, free_port, program

pytest.importorskip("obstore")
pytest.importorskip("boto3")


@pytest.fixture(autouse=True)
def _pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """No client of a cloud finds anything but what the test gives it."""
    for name in os.environ:
        if name.startswith(("AWS_", "GOOGLE_", "GCE_", "AZURE_")):
            monkeypatch.delenv(name)
    for name, value in PINNED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an S3 on this machine."""
    pytest.importorskip("moto.server")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with program(command, f"http://127.0.0.1:{port}/", tmp_path_factory.mktemp("moto")):
        yield port


class Bucket:
    """A bucket of its own for a test."""

    def __init__(self, port: int, name: str) -> None:
        import boto3  # noqa: PLC0415 - an extra

        self.name = name
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        self.client.create_bucket(Bucket=name)

    def put(self, key: str, body: bytes) -> str:
        """Store an object; give its address."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body)
        return self.at(key)

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [each["Key"] for each in found]

    def uploads(self) -> list[str]:
        """The keys of uploads that were begun and not ended."""
        found = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [each["Key"] for each in found]

    def at(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


_names = iter(range(1, 10_000))


@pytest.fixture
def bucket(s3_port: int) -> Iterator[Bucket]:
    """An empty bucket."""
    made = Bucket(s3_port, f"acme-exports-{next(_names)}")
    yield made
    made.client.close()  # or its sockets are found open when another test is at work


@pytest.fixture
def s3(convertro: CommandLine, s3_port: int) -> CommandLine:
    """The command line, with settings that lead to the S3 on this machine."""
    return reaching(convertro, s3_port)


def reaching(convertro: CommandLine, port: int, path: str = "") -> CommandLine:
    """Have the settings lead to a port of this machine."""
    file: Path = convertro.workspace.folder / "convertro.toml"
    text = file.read_text().partition("[storage]")[0]
    file.write_text(f'{text}\n[storage]\nendpoint_url = "http://127.0.0.1:{port}{path}"\n')
    return convertro
