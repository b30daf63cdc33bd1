"""Recipes: what a lab image is made of, read from ``images/NAME.toml``."""

from __future__ import annotations

import re
import sysconfig
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrace.errors import HostError, UsageError
from ktrace.image.kconfig import Fragment, read_fragment

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
SUITE = re.compile(r"[a-z0-9][a-z0-9.+-]*(/[a-z0-9.+-]+)*")
VERSION = re.compile(r"[0-9][A-Za-z0-9.+:~-]*")


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


def project_root() -> Path:
    """Find what holds ``images/`` and ``guest/``: the checkout, or once installed a directory of the environment's.

    :raises HostError: if the package was installed without them
    """
    checkout = Path(__file__).resolve().parents[2]
    installed = Path(sysconfig.get_path("data")) / "share" / "ktrace"
    for root in (checkout, installed):
        if (root / "images").is_dir() and (root / "guest").is_dir():
            return root
    raise HostError(
        f"no images/ and guest/ beside the package in {str(checkout)!r}, nor in {str(installed)!r}",
        hint="install ktrace again, or from its checkout with: pip install -e .",
    )


def recipe_names() -> list[str]:
    """List the names of all recipes."""
    return sorted(path.stem for path in (project_root() / "images").glob("*.toml"))


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

    def files(self, key: str, root: Path) -> tuple[Path, ...]:
        paths: list[Path] = []
        for pattern in self.texts(key):
            found = sorted(root.glob(pattern)) if "*" in pattern else [root / pattern]
            if not found or not all(path.is_file() for path in found):
                raise UsageError(f"{self.where}: {key} names {pattern!r}, which is not a file")
            paths += found
        return tuple(paths)

    def finish(self) -> None:
        if self.data:
            raise UsageError(f"{self.where}: unknown keys {sorted(self.data)!r}")


def _read_kernel(table: _Table, root: Path) -> KernelRecipe:
    variables = table.table("make_variables")
    kernel = KernelRecipe(
        package=table.text("package"),
        suite=table.maybe("suite"),
        version=table.maybe("version"),
        base=table.text("base", "tinyconfig"),
        fragments=table.files("fragments", root),
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


def _read_initramfs(table: _Table, root: Path) -> InitramfsRecipe:
    binaries = []
    for binary in table.tables("binary"):
        binaries.append(
            BinaryRecipe(
                name=binary.text("name"),
                path=binary.text("path"),
                sources=binary.files("sources", root),
                headers=binary.files("headers", root),
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


def _complete(path: Path) -> dict[str, Any]:
    """Read a recipe and, where it says ``like = "NAME"``, what it leaves out from the recipe of that name.

    Its keys under ``[kernel]`` and ``[initramfs]`` take the place of the other's, lists and tables as a whole.
    """
    own = _read_toml(path)
    like = own.pop("like", None)
    if like is None:
        return own
    known = isinstance(like, str) and NAME.fullmatch(like) and path.with_name(f"{like}.toml").is_file()
    if not known:
        raise UsageError(f"{path.name}: like names {like!r}, which is no recipe")
    base = _read_toml(path.with_name(f"{like}.toml"))
    if "like" in base:
        raise UsageError(f"{path.name}: like names {like!r}, which is itself like another")
    for part in ("kernel", "initramfs"):
        if isinstance(base.get(part), dict) and isinstance(own.get(part, {}), dict):
            own[part] = {**base[part], **own.get(part, {})}
    return own


def read_recipe(path: Path, root: Path) -> Recipe:
    """Read one recipe file.

    :param path: TOML file
    :param root: directory that the paths in it are relative to
    :raises UsageError: naming what is missing, wrong or unknown in it
    """
    top = _Table(path.name, _complete(path))
    recipe = Recipe(
        name=path.stem,
        path=path,
        summary=top.text("summary"),
        kernel=_read_kernel(top.table("kernel"), root),
        initramfs=_read_initramfs(top.table("initramfs"), root),
    )
    top.finish()
    return recipe


def load_recipe(name: str) -> Recipe:
    """Read the recipe of that name.

    :raises UsageError: for an unknown name, saying which there are
    """
    root = project_root()
    path = root / "images" / f"{name}.toml"
    if not NAME.fullmatch(name) or not path.is_file():
        raise UsageError(f"no recipe {name!r}", hint=f"there is: {', '.join(recipe_names()) or 'none'}")
    return read_recipe(path, root)
