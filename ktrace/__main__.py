"""Where the process begins: ``ktrace`` and ``python -m ktrace``."""

from __future__ import annotations

import sys

from ktrace.cycles import look_seldom


def main() -> None:
    """Run the command line; Ctrl-C while its modules are still being loaded is no traceback either."""
    look_seldom()
    try:
        from ktrace.interrupt import held_back, interrupts

        interrupts.take_over()
        with held_back():
            from ktrace.cli.main import main as command
        command()
    except KeyboardInterrupt:
        sys.stderr.write("ktrace: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
