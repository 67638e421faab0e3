"""An open file that worker processes share with the process that started them."""

from __future__ import annotations

import os
import weakref


class InheritedFile:
    """An open file, for what is too large to be sent to each worker. Closed with this object.

    A pickle of it is its descriptor's number: ``pool`` sees to it that the workers inherit the
    descriptor under the same number. The descriptor must not be one of the first three, which
    are a worker's standard streams.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)

    def __reduce__(self) -> tuple[type[InheritedFile], tuple[int]]:
        return InheritedFile, (self._descriptor,)

    def fileno(self) -> int:
        """Give the descriptor, which is the same in all the processes."""
        return self._descriptor
