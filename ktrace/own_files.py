"""What comes with ktrace beside its modules: ``guest/``, ``images/`` and ``traces/``."""

from __future__ import annotations

from pathlib import Path

from ktrace.errors import HostError

_PACKAGE = Path(__file__).resolve().parent


def own_files() -> Path:
    """Return the directory that holds them: the package's own once it is installed, else the checkout.

    :raises HostError: the package was installed without them
    """
    for root in (_PACKAGE / "data", _PACKAGE.parent):
        if all((root / part).is_dir() for part in ("guest", "images", "traces")):
            return root
    raise not_whole("guest/, images/ and traces/")


def not_whole(what: str) -> HostError:
    """Return what to say where *what* is missing of that."""
    return HostError(
        f"ktrace is not installed whole: {what} missing in {str(_PACKAGE)!r}",
        "install ktrace again, or from its checkout with: pip install -e .",
    )
