"""Where an object or a folder of objects is, as people write it."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from convertro_cli.errors import ConvertroError, ExitCode

CLOUDS: Final = ("s3", "gs", "az")
_WEB: Final = ("https", "http")


class Address(NamedTuple):
    """A place in object storage.

    ``bucket`` is what Azure calls a container, and for a web address its host with the port.
    ``key`` has no slash before it; one that is empty or ends in a slash is a folder's. ``query``
    is that of a signed web address: a secret, which is in no name and in no message.
    """

    scheme: str
    bucket: str
    key: str
    query: str = ""

    @property
    def name(self) -> str:
        """What people are shown, and what the ledger knows an object by."""
        return f"{self.scheme}://{self.bucket}/{self.key}"

    @property
    def is_web(self) -> bool:
        """Whether it is a web address, which names one file and has no folders."""
        return self.scheme in _WEB

    def with_key(self, key: str) -> Address:
        """Give the place of another key in the same bucket."""
        return self._replace(key=key)


def is_address(argument: str) -> bool:
    """Whether an argument names a place in object storage rather than a file."""
    scheme, found, _ = argument.partition("://")
    return bool(found) and scheme.lower() in (*CLOUDS, *_WEB)


def read_address(argument: str) -> Address:
    """Read an address. Raises ConvertroError where it names no bucket or no file."""
    scheme, _, rest = argument.partition("://")
    scheme = scheme.lower()
    if scheme in _WEB:
        return _read_web(argument)
    # Not urlsplit: a key may hold what means something in a web address, such as '#' and '?'.
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise _refused(f"{scheme}://", "it names no bucket", f"Write {scheme}://bucket/folder/.")
    return Address(scheme, bucket, key)


def _read_web(argument: str) -> Address:
    parts = urlsplit(argument)
    key = unquote(parts.path).lstrip("/")
    shown = f"{parts.scheme}://{parts.hostname or ''}/{key}"
    if "@" in parts.netloc:
        raise _refused(shown, "it holds a user name", "Use a signed web address instead.")
    if not parts.hostname or not key or key.endswith("/"):
        raise _refused(shown, "it names no file", "A web address must be that of one file.")
    return Address(parts.scheme.lower(), parts.netloc, key, parts.query)


def _refused(shown: str, why: str, hint: str) -> ConvertroError:
    return ConvertroError(
        f"Cannot read '{shown}': {why}.", hint=hint, exit_code=ExitCode.UNREADABLE_EXPORT
    )
