"""Where an object or a folder of objects is, as people write it."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.paths import WEB
from convertro_cli.storage.signatures import signed
from convertro_cli.text import visible


class Address(Struct, frozen=True):
    """A place in object storage.

    ``bucket`` is what Azure calls a container, and for a web address its host with the port.
    ``key`` has no slash before it; one that is empty or ends in a slash is a folder's. ``url`` is
    the whole of a web address: the query of a signed one is a secret, so it is in no name, in no
    message and in no representation.
    """

    scheme: str
    bucket: str
    key: str
    url: str = ""

    def __repr__(self) -> str:
        return f"Address({self.name!r})"

    @property
    def name(self) -> str:
        """What people are shown, and what the ledger knows an object by."""
        return f"{self.scheme}://{self.bucket}/{self.key}"

    @property
    def is_web(self) -> bool:
        """Whether it is a web address, which names one file and has no folders."""
        return self.scheme in WEB

    def with_key(self, key: str) -> Address:
        """Give the place of another key in the same bucket."""
        return Address(self.scheme, self.bucket, key, self.url)  # for each object of a list


def read_address(argument: str) -> Address:
    """Read an address. Raises ConvertroError where it names no bucket or no file."""
    scheme, _, rest = argument.partition("://")
    scheme = scheme.lower()
    if scheme in WEB:
        return _read_web(scheme, signed(argument))
    # Not urlsplit: a key may hold what means something in a web address, such as '#' and '?'.
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise _refused(f"{scheme}://", "it names no bucket", f"Write {scheme}://bucket/folder/.")
    return Address(scheme, bucket, key)


def _read_web(scheme: str, url: str) -> Address:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise _refused(
            f"{scheme}://…", "it is no web address", "Check how it is written."
        ) from None
    key = parts.path.lstrip("/")
    shown = f"{scheme}://{host}/{key}"
    if "@" in parts.netloc:
        raise _refused(shown, "it holds a user name", "Use a signed web address instead.")
    if not host or not key or key.endswith("/"):
        raise _refused(shown, "it names no file", "A web address must be that of one file.")
    return Address(scheme, parts.netloc, key, url.partition("#")[0])


def _refused(shown: str, why: str, hint: str) -> ConvertroError:
    return ConvertroError(
        f"Cannot read '{visible(shown)}': {why}.", hint=hint, exit_code=ExitCode.UNREADABLE_EXPORT
    )
