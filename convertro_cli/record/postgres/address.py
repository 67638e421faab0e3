"""Where a ledger in PostgreSQL is: its URL, which never holds a password."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

SCHEMES = ("postgresql", "postgres")
_SECRETS = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key"})


class LedgerUrl(Struct, frozen=True):
    """A checked URL of a ledger."""

    url: str

    def __str__(self) -> str:
        """Say where it is in the shortest way: host, and the name of the database."""
        parts = urlsplit(self.url)
        query = dict(parse_qsl(parts.query))
        host = parts.netloc.rpartition("@")[2] or query.get("host") or query.get("service", "")
        name = unquote(parts.path.strip("/")) or query.get("dbname", "")
        return "/".join(part for part in (host, name) if part) or "PostgreSQL"


def check_ledger_url(url: str) -> str:
    """Refuse what is no ``postgresql://`` URL, and one with a secret in it.

    A command line is seen by everybody on the machine, and a settings file is copied about. libpq
    has its own places for a password: a password file, a service file, the environment. Raises
    ValueError with what is wrong, never with the value.
    """
    try:
        parts = urlsplit(url)
        password, names = parts.password, [name.lower() for name, _ in parse_qsl(parts.query)]
    except ValueError:
        raise ValueError("is no address of a database") from None
    if parts.scheme not in SCHEMES or not url.startswith(f"{parts.scheme}://"):
        raise ValueError("is no address of a database")
    if password is not None or _SECRETS & set(names):
        raise ValueError("holds a password, which is not to stand there")
    if parts.fragment:
        raise ValueError("has a fragment")
    return url
