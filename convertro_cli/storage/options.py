"""How to reach object storage, where it is not as the cloud's own conventions say."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class StorageOptions(Struct, frozen=True):
    """What ``[storage]`` says. Credentials are never among it: each cloud has its own ways."""

    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    allow_http: bool = False
    ca_bundle: Path | None = None
