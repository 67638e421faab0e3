"""What goes wrong in a way that a user can cause or mend, and the exit code it ends with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The process exit codes, after sysexits.h where it has one.

    ``INTERRUPTED`` is also for whoever is asked before the first send and does not say yes: a
    Ctrl-C at that question means the same.
    """

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    UNREADABLE_EXPORT = 66
    CANNOT_WRITE_STATE = 74
    TRY_LATER = 75
    HUNG_UP = 129
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141
    TERMINATED = 143


class ConvertroError(Exception):
    """An error that is told in a sentence, never as a traceback.

    ``message`` says what happened and where, ``hint`` what to do about it. The command ends
    with ``exit_code``.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, exit_code: ExitCode = ExitCode.USAGE
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
