"""Output that goes to object storage: it appears there whole, or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.storage.address import Address, read_address
from convertro_cli.storage.bucket import open_bucket
from convertro_cli.storage.faults import told
from convertro_cli.storage.options import StorageOptions

_PART: Final = 8 << 20
_IN_MEMORY: Final = 8 << 20


@contextmanager
def open_object(
    argument: str, options: StorageOptions | None, keep: Callable[[], bool]
) -> Iterator[BinaryIO]:
    """Give a file to write to; at the end it becomes the object, if ``keep`` says so.

    It lies on this machine until then, nameless and so private, and is sent in parts that the
    other side puts together when it has all. Raises ConvertroError where it cannot be written.
    """
    address = read_address(argument)
    if address.is_web or not address.key or address.key.endswith("/"):
        raise ConvertroError(
            f"Nothing can be written to {address.name}.", hint="Name an object: s3://bucket/key."
        )
    store = open_bucket(address, options or StorageOptions())
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
        yield spool  # type: ignore[misc] # it is a file in all that matters
        if keep():
            spool.seek(0)
            _put(store, address, spool)


def _put(store: object, address: Address, spool: object) -> None:
    import obstore  # noqa: PLC0415 - an extra

    try:
        obstore.put(store, address.key, spool, chunk_size=_PART)  # type: ignore[arg-type]
    except Exception as error:  # whatever the other side says is told in a sentence
        problem = told(address, error, "write")
        problem.exit_code = ExitCode.CANNOT_WRITE_STATE
        raise problem from None
