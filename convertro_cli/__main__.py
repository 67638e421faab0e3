"""``convertro`` and ``python -m convertro_cli``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and tell errors in sentences."""
    from convertro_cli.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
