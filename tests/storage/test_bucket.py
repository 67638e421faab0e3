"""How a bucket is reached: what ``[storage]`` says of it, and what the extra ``aws`` adds."""

from __future__ import annotations

import json
import ssl
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.storage.conftest import Bucket
from tests.storage.servers import between
from tests.storage.test_s3 import order, sources

CERTIFICATES = Path(__file__).parent.parent / "data" / "tls"

Asked = list[str]


def with_storage(convertro: CommandLine, **keys: str | bool) -> CommandLine:
    """Have the settings say so, and nothing else of object storage."""
    file = convertro.workspace.folder / "convertro.toml"
    text = file.read_text().partition("[storage]")[0]
    lines = (
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n"
        for key, value in keys.items()
    )
    file.write_text(f"{text}\n[storage]\n{''.join(lines)}")
    return convertro


def test_plain_http_to_another_machine_is_only_spoken_if_that_is_set(
    convertro: CommandLine, s3_port: int, bucket: Bucket
) -> None:
    """Whoever listens there reads all events; 0.0.0.0 is no address of a machine's own."""
    address = bucket.put("a", order(1))
    url = f"http://0.0.0.0:{s3_port}"
    refused = with_storage(convertro, endpoint_url=url)("inspect", address)
    assert refused.code == 2
    assert "with storage.allow_http = true" in refused.err
    found = with_storage(convertro, endpoint_url=url, allow_http=True)(
        "replay", "--dry-run", address
    )
    assert sources(found.out) == [f"{address}:1"], found.err


def test_an_authority_of_ones_own_is_trusted_if_it_is_set(
    convertro: CommandLine, s3_port: int, bucket: Bucket
) -> None:
    """Without ``ca_bundle`` nothing is asked of a server that nobody vouches for."""
    address = bucket.put("a", order(1))
    asked: Asked = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATES / "localhost.pem")
    with between(s3_port, lambda _, path: asked.append(path), tls) as port:
        url = f"https://localhost:{port}"
        refused = with_storage(convertro, endpoint_url=url)("inspect", address)
        assert refused.code == 66
        assert "storage.ca_bundle" in refused.err
        assert asked == []
        authority = str(CERTIFICATES / "ca.pem")
        trusting = with_storage(convertro, endpoint_url=url, ca_bundle=authority)
        found = trusting("replay", "--dry-run", address)
    assert sources(found.out) == [f"{address}:1"], found.err
    assert asked


def test_a_public_bucket_is_read_without_a_signature(
    convertro: CommandLine,
    s3_port: int,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With ``anonymous`` no credentials are looked for, nor used where there are some."""
    address = bucket.put("a", order(1))
    client = bucket.client
    client.put_object_acl(Bucket=bucket.name, Key="a", ACL="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    url = f"http://127.0.0.1:{s3_port}"
    found = with_storage(convertro, endpoint_url=url, anonymous=True)(
        "replay", "--dry-run", address
    )
    assert sources(found.out) == [f"{address}:1"], found.err


@pytest.mark.parametrize("region", [None, "eu-central-1"])
def test_requests_are_signed_for_the_region_that_is_set(region: str | None) -> None:
    """Else for that of the environment."""
    import obstore  # noqa: PLC0415 - an extra

    from convertro_cli.storage.address import Address  # noqa: PLC0415 - with the extra
    from convertro_cli.storage.bucket import open_bucket  # noqa: PLC0415
    from convertro_cli.storage.options import StorageOptions  # noqa: PLC0415

    options = StorageOptions(endpoint_url="http://127.0.0.1:9", region=region)
    store = open_bucket(Address("s3", "acme", "a"), options)
    signed = obstore.sign(store, "GET", "a", timedelta(minutes=1))  # type: ignore[call-overload]
    assert f"%2F{region or 'us-east-1'}%2Fs3%2Faws4_request" in signed


PROFILE = """\
[default]
endpoint_url = http://127.0.0.1:9
[profile acme]
region = us-east-1
endpoint_url = http://127.0.0.1:{port}
credential_process = {python} {program}
"""
ROLE = {"Version": 1, "AccessKeyId": "key", "SecretAccessKey": "secret"}


def test_a_profile_says_where_and_as_whom(
    convertro: CommandLine,
    s3_port: int,
    bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the extra ``aws``: its credentials, however they are come by, region and endpoint."""
    address = bucket.put("a", order(1))
    config = tmp_path / "aws"
    program = tmp_path / "role.py"
    program.write_text(f"print({json.dumps(json.dumps(ROLE))})")
    config.write_text(PROFILE.format(port=s3_port, python=sys.executable, program=program))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "acme")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    found = convertro("replay", "--dry-run", address)
    assert sources(found.out) == [f"{address}:1"], found.err
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    missing = convertro("inspect", address)
    assert missing.code == 66
    assert "nobody" in missing.err
    assert "Traceback" not in missing.err
