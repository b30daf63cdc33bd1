"""Run pytest with our plugin on a directory of somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

PLUGIN = "ktrace.testing.plugin"


def command(*arguments: str) -> list[str]:
    """Return a command line that has the plugin: it is installed, or else named."""
    installed = any(entry.value == PLUGIN for entry in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", PLUGIN]
    return [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "-ra", *arguments]


def run(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tests in *directory*."""
    return subprocess.run(
        command(*arguments),
        cwd=directory,
        env={**os.environ, "COLUMNS": "300", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
