"""Prepare a kernel's source for a person who wants to change it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.image.kernel import make_command, prepare_tree
from ktrace.image.progress import Progress, Silent
from ktrace.image.recipe import load_recipe
from ktrace.image.source import find_source
from ktrace.image.store import Store, host_errors, open_store
from ktrace.image.workspace import Workspace


@dataclass(frozen=True)
class PreparedSource:
    """A configured source tree.

    :param directory: where it lies
    :param make: shell command that builds ``vmlinux`` in it
    :param import_: shell command that makes an image of the result
    """

    directory: Path
    make: str
    import_: str


def prepare_source(
    name: str, directory: Path, *, store: Store | None = None, progress: Progress | None = None
) -> PreparedSource:
    """Unpack and configure the source of a recipe's kernel.

    :param name: name of a recipe
    :param directory: new or empty directory to unpack into
    :raises UsageError: for an unknown name, or a directory with something in it
    :raises HostError: if the source is not installed or the directory cannot be written
    """
    recipe = load_recipe(name)
    store = store or open_store()
    progress = progress or Silent()
    source = find_source(recipe.kernel, store, progress)
    directory = directory.absolute()
    with host_errors("make", directory):
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise UsageError(f"{str(directory)!r} is not an empty directory", hint="name a new one")
        directory.mkdir(parents=True, exist_ok=True)
        log = directory.with_name(f"{directory.name}.log")
        prepare_tree(recipe.kernel, source, Workspace(directory, (), directory), log, progress)
        log.unlink()
    tree = shlex.quote(str(directory))
    return PreparedSource(
        directory=directory,
        make=make_command(recipe.kernel, directory),
        import_=f"ktrace image import mine --build {tree}",
    )
