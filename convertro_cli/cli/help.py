"""What ``--help`` shows: options as people write them, and the exit codes at its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    _Base = TyperCommand
else:
    _Base = object

EXIT_CODES = """\
**Exit codes:** 0 all is well · 1 some events failed for good, were invalid or are in doubt ·
2 wrong usage or settings · 66 an export cannot be read · 74 the ledger, the dead letters or the
output cannot be written · 75 try later: another run holds the lock, or Convertro or the ledger's
database stayed unreachable · 129, 130, 143 interrupted (130 also: a question before the first send
was not answered with yes) · 141 whoever read the output stopped reading
"""

_BRACED = re.compile(r"\{(.+)\}(?:\.\.\.)?|(\[.+\.\.\.\])\.\.\.")


class _Plain(_Base):
    """Shows no types of Python, and a name once where it stands for several values."""

    def get_params(self, ctx: Any) -> Any:
        """Give the options and arguments, made to show no more than they need."""
        params: list[Any] = list(super().get_params(ctx))
        for param in params:
            if param.param_type_name == "argument":
                # Typer shows an argument's type beside its name.
                param.display_type_rich = lambda **_: None
            elif param.is_flag and param.metavar is None:
                param.metavar = ""
        return params

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Give the parts of the usage line; Typer would put ``{EXPORT...}...``."""
        pieces: list[str] = super().collect_usage_pieces(ctx)
        return [_BRACED.sub(lambda match: match[1] or match[2], piece) for piece in pieces]


class Command(_Plain, TyperCommand):
    """A command with a plain help."""


class Commands(_Plain, TyperGroup):
    """The program with a plain help."""
