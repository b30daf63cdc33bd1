"""Recipes: what a lab image is made of, read from ``images/NAME.toml``."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrace.errors import HostError, UsageError
from ktrace.image.kconfig import Fragment, read_fragment
from ktrace.own_files import not_whole, own_files

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
SUITE = re.compile(r"[a-z0-9][a-z0-9.+-]*(/[a-z0-9.+-]+)*")
VERSION = re.compile(r"[0-9][A-Za-z0-9.+:~-]*")
_RECIPE = re.compile(r"^\s*(\[kernel\]|like\s*=)", re.MULTILINE)
"""What tells a recipe from other TOML."""


@dataclass(frozen=True)
class KernelRecipe:
    """How to build the kernel.

    :param package: Debian package that brings the source, ``linux-source-X.Y``
    :param suite: Debian suite to fetch it from, ``None``: it is installed on this machine
    :param version: its version there, ``None`` only where it is installed
    :param base: make target that writes the configuration to start from
    :param fragments: paths of the option files, in the order they apply
    :param make_variables: passed to make as they are, e.g. ``CFLAGS_pipe.o`` to its flags
    :param excludes: tar patterns of parts of the source that this kernel does not need
    :param objects: about how many files the build compiles; only the progress bar uses it
    """

    package: str
    base: str
    fragments: tuple[Path, ...]
    make_variables: Mapping[str, str]
    excludes: tuple[str, ...]
    objects: int
    suite: str | None = None
    version: str | None = None

    def read_fragments(self) -> list[Fragment]:
        """Read all fragments, in order."""
        return [read_fragment(path) for path in self.fragments]


@dataclass(frozen=True)
class BinaryRecipe:
    """One static program of the initramfs.

    :param name: file name
    :param path: where it lies in the initramfs, without leading slash
    :param sources: C files
    :param headers: files the sources include, part of the input
    """

    name: str
    path: str
    sources: tuple[Path, ...]
    headers: tuple[Path, ...]


@dataclass(frozen=True)
class InitramfsRecipe:
    """What lies in the initramfs.

    :param cflags: flags for every program
    :param binaries: programs
    :param directories: empty directories, as mount points
    """

    cflags: tuple[str, ...]
    binaries: tuple[BinaryRecipe, ...]
    directories: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """A whole image.

    :param name: its name, that of the file
    :param path: the TOML file
    :param summary: one line for people
    """

    name: str
    path: Path
    summary: str
    kernel: KernelRecipe
    initramfs: InitramfsRecipe


def recipe_directories() -> list[Path]:
    """Return where recipes are looked for: ktrace's own first, then those of ``$KTRACE_IMAGES``, then ``./images``."""
    named = [Path(place) for place in os.environ.get("KTRACE_IMAGES", "").split(":") if place]
    return [own_files() / "images", *named, Path("images")]


def recipe_paths() -> dict[str, Path]:
    """Return the recipes by name; of two with one name, that which is found first."""
    found: dict[str, Path] = {}
    for number, directory in enumerate(recipe_directories()):
        for path in sorted(directory.glob("*.toml")):
            # Others have TOML in a directory of that name, too.
            if NAME.fullmatch(path.stem) and (number == 0 or _is_recipe(path)):
                found.setdefault(path.stem, path.resolve())
    return found


def _is_recipe(path: Path) -> bool:
    try:
        return _RECIPE.search(path.read_text(errors="replace")) is not None
    except OSError:
        return False


def recipe_names() -> list[str]:
    """List the names of all recipes."""
    return sorted(recipe_paths())


def readable_recipes() -> Iterator[Recipe]:
    """Yield the recipes that can be read."""
    for name in recipe_names():
        with suppress(UsageError):
            yield load_recipe(name)


class _Table:
    """A TOML table that says which key is missing, of a wrong type, or unknown."""

    def __init__(self, where: str, data: object) -> None:
        if not isinstance(data, dict):
            raise UsageError(f"{where}: a table is needed")
        self.where, self.data = where, dict(data)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.data.pop(key, default)
        if not isinstance(value, str):
            raise UsageError(f"{self.where}: {key} must be a string, not {value!r}")
        return value

    def maybe(self, key: str) -> str | None:
        return self.text(key) if key in self.data else None

    def number(self, key: str) -> int:
        value = self.data.pop(key, None)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise UsageError(f"{self.where}: {key} must be a positive number, not {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UsageError(f"{self.where}: {key} must be a list of strings, not {value!r}")
        return tuple(value)

    def table(self, key: str) -> _Table:
        return _Table(f"{self.where}: [{key}]", self.data.pop(key, {}))

    def tables(self, key: str) -> list[_Table]:
        value = self.data.pop(key, None)
        if not isinstance(value, list) or not value:
            raise UsageError(f"{self.where}: at least one [[{key}]] is needed")
        return [_Table(f"{self.where}: [[{key}]]", item) for item in value]

    def files(self, key: str, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        paths: list[Path] = []
        for pattern in self.texts(key):
            for place in roots:
                found = sorted(place.glob(pattern)) if "*" in pattern else [place / pattern]
                if found and all(path.is_file() for path in found):
                    paths += found
                    break
            else:
                if roots[0] == own_files():
                    raise not_whole(f"{pattern!r} is")
                raise UsageError(f"{self.where}: {key} names {pattern!r}, which is not a file")
        return tuple(paths)

    def finish(self) -> None:
        if self.data:
            raise UsageError(f"{self.where}: unknown keys {sorted(self.data)!r}")


def _read_kernel(table: _Table, roots: tuple[Path, ...]) -> KernelRecipe:
    variables = table.table("make_variables")
    kernel = KernelRecipe(
        package=table.text("package"),
        suite=table.maybe("suite"),
        version=table.maybe("version"),
        base=table.text("base", "tinyconfig"),
        fragments=table.files("fragments", roots),
        make_variables={key: variables.text(key) for key in sorted(variables.data)},
        excludes=table.texts("excludes"),
        objects=table.number("objects"),
    )
    table.finish()
    if not PACKAGE.fullmatch(kernel.package):
        raise UsageError(f"{table.where}: {kernel.package!r} is no package name")
    if kernel.suite is not None and not SUITE.fullmatch(kernel.suite):
        raise UsageError(f"{table.where}: {kernel.suite!r} is no name of a suite")
    if kernel.version is not None and not VERSION.fullmatch(kernel.version):
        raise UsageError(f"{table.where}: {kernel.version!r} is no package version")
    if (kernel.suite is None) != (kernel.version is None):
        raise UsageError(f"{table.where}: suite and version come together: what is fetched is always the same")
    return kernel


def _read_initramfs(table: _Table, roots: tuple[Path, ...]) -> InitramfsRecipe:
    binaries = []
    for binary in table.tables("binary"):
        binaries.append(
            BinaryRecipe(
                name=binary.text("name"),
                path=binary.text("path"),
                sources=binary.files("sources", roots),
                headers=binary.files("headers", roots),
            )
        )
        binary.finish()
    initramfs = InitramfsRecipe(
        cflags=table.texts("cflags"), binaries=tuple(binaries), directories=table.texts("directories")
    )
    table.finish()
    return initramfs


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name}: {error}") from error
    except OSError as error:
        raise HostError(f"cannot read {str(path)!r}: {error.strerror}") from error


def _like(path: Path, name: object) -> Path | None:
    """Return the recipe of that *name*, which the one at *path* is like: one that everybody knows, or one beside it."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    beside = path.with_name(f"{name}.toml")
    return recipe_paths().get(name) or (beside if beside.is_file() else None)


def _complete(path: Path) -> dict[str, Any]:
    """Read a recipe and, where it says ``like = "NAME"``, what it leaves out from the recipe of that name.

    Its keys under ``[kernel]`` and ``[initramfs]`` take the place of the other's, lists and tables as a whole.
    """
    own = _read_toml(path)
    like = own.pop("like", None)
    if like is None:
        return own
    other = _like(path, like)
    if other is None:
        raise UsageError(f"{path.name}: like names {like!r}, which is no recipe")
    base = _read_toml(other)
    if "like" in base:
        raise UsageError(f"{path.name}: like names {like!r}, which is itself like another")
    for part in ("kernel", "initramfs"):
        if isinstance(base.get(part), dict) and isinstance(own.get(part, {}), dict):
            own[part] = {**base[part], **own.get(part, {})}
    return own


def read_recipe(path: Path, root: Path) -> Recipe:
    """Read one recipe file.

    :param path: TOML file
    :param root: directory that the paths in it are relative to; then its own, then that of ktrace's files
    :raises UsageError: naming what is missing, wrong or unknown in it
    """
    top = _Table(path.name, _complete(path))
    roots = (root, path.parent, own_files())
    recipe = Recipe(
        name=path.stem,
        path=path,
        summary=top.text("summary"),
        kernel=_read_kernel(top.table("kernel"), roots),
        initramfs=_read_initramfs(top.table("initramfs"), roots),
    )
    top.finish()
    return recipe


def load_recipe(name: str) -> Recipe:
    """Read the recipe of that name.

    :raises UsageError: for an unknown name, saying which there are
    """
    known = recipe_paths()
    if name not in known:
        raise UsageError(f"no recipe {name!r}", hint=f"there is: {', '.join(known) or 'none'}")
    path = known[name]
    return read_recipe(path, path.parent.parent)
