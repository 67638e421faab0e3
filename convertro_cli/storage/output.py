"""Output that goes to object storage: it appears there whole, or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.storage.address import Address, read_address
from convertro_cli.storage.bucket import open_bucket
from convertro_cli.storage.faults import told
from convertro_cli.storage.options import StorageOptions

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PART: Final = 8 << 20
_AT_ONCE: Final = 2
_PIECE: Final = 1 << 20
_IN_MEMORY: Final = 8 << 20


@contextmanager
def open_object(
    argument: str, options: StorageOptions | None, keep: Callable[[], bool]
) -> Iterator[BinaryIO]:
    """Give a file to write to; at the end it becomes the object, if ``keep`` says so.

    It lies on this machine until then, nameless and so private, and is sent in parts that the
    other side puts together when it has all. Where that fails, or a signal ends it, the parts
    that are there are taken back. Raises ConvertroError where it cannot be written.
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


def _put(store: ObjectStore, address: Address, spool: IO[bytes]) -> None:
    import obstore  # noqa: PLC0415 - an extra

    try:
        # What is raised in here has the writer take back what it has sent.
        with (
            Interrupts() as interrupts,
            obstore.open_writer(
                store, address.key, buffer_size=_PART, max_concurrency=_AT_ONCE
            ) as out,
        ):
            while piece := spool.read(_PIECE):
                _check(interrupts, address)
                out.write(piece)
            _check(interrupts, address)
    except ConvertroError:
        raise
    except Exception as error:  # whatever the other side says is told in a sentence
        problem = told(address, error, "write")
        problem.exit_code = ExitCode.CANNOT_WRITE_STATE
        raise problem from None


def _check(interrupts: Interrupts, address: Address) -> None:
    if interrupts.exit_code is not None:
        raise ConvertroError(
            f"Interrupted: nothing was written to {address.name}.",
            exit_code=interrupts.exit_code,
        )
