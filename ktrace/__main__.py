"""``python -m ktrace``."""

from ktrace.cli.main import main

main()
