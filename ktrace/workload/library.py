"""Find workloads: those that come with ktrace by name, any other by its path."""

from __future__ import annotations

import difflib
import sys
from dataclasses import replace
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Script

SUFFIX = ".kt"


def directory() -> Path:
    """Return where the bundled workloads lie: beside the package in a checkout, below sys.prefix once installed.

    :raises UsageError: they lie in neither place
    """
    checkout = Path(__file__).resolve().parents[2] / "traces"
    installed = Path(sys.prefix) / "share" / "ktrace" / "traces"
    for place in (checkout, installed):
        if any(place.glob("*" + SUFFIX)):
            return place
    raise UsageError("no bundled workloads are installed", "install ktrace again, or give a script's path")


def bundled() -> tuple[str, ...]:
    """Return the names of the bundled workloads."""
    return tuple(sorted(path.stem for path in directory().glob("*" + SUFFIX)))


def load(name: str) -> Script:
    """Return a workload.

    :param name: of a bundled one, or the path of a script: with a slash, or ending in ``.kt``
    :raises UsageError: there is none; the hint has close matches
    :raises ScriptError: the script is wrong
    """
    if "/" in name or name.endswith(SUFFIX):
        return read(Path(name))
    known = bundled()
    if name not in known:
        close = difflib.get_close_matches(name, known, 3)
        hint = f"did you mean {' or '.join(close)}" if close else "ktrace run --list shows them; a path needs a slash"
        raise UsageError(f"unknown workload {name!r}", hint)
    return read(directory() / (name + SUFFIX))


def read(path: Path) -> Script:
    """Return the script in a file; one without a name of its own is called like the file.

    :raises UsageError: the file cannot be read
    :raises ScriptError: it holds no script
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {str(path)!r}: not a text in UTF-8") from None
    script = parse_script(text, path.name)
    if script.name:
        return script
    return replace(script, name=path.stem)


def titles() -> dict[str, str]:
    """Return the bundled workloads' titles by name."""
    return {name: load(name).title for name in bundled()}
