"""``convertro`` and ``python -m convertro_cli``."""

from __future__ import annotations

import os
import sys

from convertro_cli import __version__


def main() -> None:
    """Run the command line, and tell errors in sentences."""
    if sys.argv[1:] == ["--version"]:  # not worth waiting for all the commands to load
        sys.exit(_print_version())
    if any("?" in argument and "://" in argument for argument in sys.argv):
        # First of all: until then a signed address can be read in the list of processes.
        from convertro_cli.storage.signatures import set_aside

        sys.argv[1:] = set_aside(sys.argv[1:])
    # Settings are checked by pydantic alone: it would ask each package that is installed for more.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from convertro_cli.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before a command is ready to deal with it
        code = 130
    except RuntimeError as error:  # so Python 3.11 wraps what comes while a class is made
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        code = 130
    sys.exit(code)


def _print_version() -> int:
    try:
        print(f"convertro {__version__}", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try once more when it ends
        return 141  # as for any reader that had enough
    except OSError:
        return 74  # as for any output that cannot be written
    return 0


if __name__ == "__main__":
    main()
