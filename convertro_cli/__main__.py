"""``convertro`` and ``python -m convertro_cli``."""

from __future__ import annotations

import sys

from convertro_cli import __version__


def main() -> None:
    """Run the command line, and tell errors in sentences."""
    if sys.argv[1:] == ["--version"]:  # not worth waiting for all the commands to load
        print(f"convertro {__version__}")
        return
    try:
        from convertro_cli.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before a command is ready to deal with it
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
