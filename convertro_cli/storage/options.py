"""How to reach object storage, where it is not as the cloud's own conventions say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What ``[storage]`` says. Credentials are never among it: each cloud has its own ways."""

    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    allow_http: bool = False
    ca_bundle: Path | None = None
