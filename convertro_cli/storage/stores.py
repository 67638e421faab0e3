"""Opening a bucket, with the credentials that each cloud's own conventions give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.storage.address import Address
from convertro_cli.storage.options import StorageOptions

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_TIMEOUT = timedelta(seconds=60)
_RETRIES = {"max_retries": 5, "retry_timeout": timedelta(seconds=120)}


def open_store(address: Address, options: StorageOptions) -> ObjectStore:
    """Open the bucket of an address. Raises ConvertroError where the extra is not installed."""
    try:
        from obstore import store as stores  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise ConvertroError(
            f"Reading {address.scheme}:// needs obstore, which is not installed.",
            hint="Install convertro with the extra 'objects' (`pip install 'convertro[objects]'`), "
            "or copy the exports to a disk.",
            exit_code=ExitCode.USAGE,
        ) from None
    client = _client(options)
    common: dict[str, Any] = {"client_options": client, "retry_config": _RETRIES}
    if address.scheme == "s3":
        return stores.S3Store(address.bucket, **_s3(options), **common)
    if address.scheme == "gs":
        return stores.GCSStore(address.bucket, **_gcs(options), **common)
    if address.scheme == "az":
        return stores.AzureStore(container_name=address.bucket, **_azure(options), **common)
    query = f"?{address.query}" if address.query else ""
    return stores.HTTPStore(
        f"{address.scheme}://{address.bucket}/{_path(address)}{query}", **common
    )


def _path(address: Address) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - only here

    return quote(address.key)


def _client(options: StorageOptions) -> Mapping[str, Any]:
    client: dict[str, Any] = {"timeout": _TIMEOUT, "allow_http": options.allow_http}
    if options.ca_bundle is not None:
        client["root_certificate"] = options.ca_bundle.read_bytes()
    return client


def _s3(options: StorageOptions) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.anonymous:
        found["skip_signature"] = True
    else:
        found |= _boto3()
    if options.endpoint_url:
        found["endpoint"] = options.endpoint_url
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
    if "amazonaws.com" not in endpoint:  # a profile's or the environment's own
        found["endpoint"] = endpoint
    return found


def _gcs(options: StorageOptions) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.anonymous:
        found["skip_signature"] = True
    if options.endpoint_url:
        found["base_url"] = options.endpoint_url
    return found


def _azure(options: StorageOptions) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.anonymous:
        found["skip_signature"] = True
    if options.endpoint_url:
        found["endpoint"] = options.endpoint_url
    return found
