"""Opening a bucket, with the credentials that each cloud's own conventions give."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.storage.address import Address
from convertro_cli.storage.options import StorageOptions

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_TIMEOUT: Final = timedelta(seconds=60)
_RETRIES: Final = {"max_retries": 5, "retry_timeout": timedelta(seconds=120)}


def open_bucket(address: Address, options: StorageOptions) -> ObjectStore:
    """Open the bucket of an address. Raises ConvertroError where the extra is not installed."""
    try:
        from obstore import store as stores  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise ConvertroError(
            f"{address.scheme}:// needs obstore, which is not installed.",
            hint="Install convertro with the extra 'objects' (`pip install 'convertro[objects]'`), "
            "or copy the exports to a disk.",
            exit_code=ExitCode.USAGE,
        ) from None
    try:
        own = _s3(options) if address.scheme == "s3" else {}
        client = _client(address, options, own.get("endpoint"))
        common: dict[str, Any] = {"client_options": client, "retry_config": _RETRIES}
        if address.scheme == "s3":
            return stores.S3Store(address.bucket, **own, **common)
        if address.scheme == "gs":
            return stores.GCSStore(address.bucket, **_plain(options, "base_url"), **common)
        if address.scheme == "az":
            azure = _plain(options, "endpoint")
            return stores.AzureStore(container_name=address.bucket, **azure, **common)
        return stores.HTTPStore(address.url, **common)
    except ConvertroError:
        raise
    except Exception as error:  # whatever a cloud's own library finds wrong with the settings
        raise ConvertroError(
            f"Cannot open {address.scheme}://{address.bucket}: {_first_line(error)}",
            hint="Check the credentials in the environment and the table [storage].",
            exit_code=ExitCode.UNREADABLE_EXPORT,
        ) from None


def _first_line(error: Exception) -> str:
    """What an error says in its first line; nothing that a signed address could be in."""
    said = str(error).partition("\n")[0].strip()
    return "its address cannot be used." if "?" in said else f"{said.rstrip('.')}."


def _client(address: Address, options: StorageOptions, endpoint: str | None) -> Mapping[str, Any]:
    """Give what all stores are opened with; a profile may have an ``endpoint`` of its own."""
    reached = (
        address.url or options.endpoint_url or endpoint or os.environ.get("AWS_ENDPOINT_URL", "")
    )
    client: dict[str, Any] = {"timeout": _TIMEOUT}
    if options.allow_http or _is_loopback(reached):
        client["allow_http"] = True
    if options.ca_bundle is not None:
        client["root_certificate"] = _certificates(options)
    return client


def _certificates(options: StorageOptions) -> bytes:
    assert options.ca_bundle is not None
    try:
        return options.ca_bundle.read_bytes()
    except OSError as error:
        raise ConvertroError(
            f"storage.ca_bundle {options.ca_bundle} cannot be read: {error.strerror}.",
        ) from None


def _is_loopback(url: str) -> bool:
    """Whether an address is of this machine, where nobody else listens."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _s3(options: StorageOptions) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not options.anonymous and (
        "AWS_ACCESS_KEY_ID" not in os.environ or "AWS_PROFILE" in os.environ
    ):
        found = _boto3()
    found |= _plain(options, "endpoint")
    if options.region:
        found["region"] = options.region
    return found


def _boto3() -> dict[str, Any]:
    """Give what boto3 knows of profiles and single sign-on, where the extra 'aws' is installed."""
    try:
        import boto3  # noqa: PLC0415 - an extra
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415
    except ModuleNotFoundError:
        return {}
    session = boto3.session.Session()
    if session.get_credentials() is None:
        return {}
    found: dict[str, Any] = {"credential_provider": Boto3CredentialProvider(session)}
    if session.region_name:
        found["region"] = session.region_name
    client = session.client("s3", region_name=session.region_name or "us-east-1")
    endpoint = client.meta.endpoint_url
    if not (urlsplit(endpoint).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn")):
        found["endpoint"] = endpoint  # a profile's or the environment's own
    return found


def _plain(options: StorageOptions, address: str) -> dict[str, Any]:
    """Give what all stores take; ``address`` is a store's own name for the endpoint."""
    found: dict[str, Any] = {}
    if options.anonymous:
        found["skip_signature"] = True
    if options.endpoint_url:
        found[address] = options.endpoint_url
    return found
