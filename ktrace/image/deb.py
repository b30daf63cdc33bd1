"""Debian package files: what they are, and single files out of them."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from ktrace.errors import HostError, UsageError
from ktrace.image.archive import parse_stanzas
from ktrace.image.toolchain import clean_environment, require_tool


def deb_fields(path: Path) -> dict[str, str]:
    """Read the control fields of a package file: ``Package``, ``Version``, ``Depends``, ...

    :raises UsageError: if it cannot be read, or is no package
    """
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from error
    answer = subprocess.run(
        [require_tool("dpkg-deb"), "--field", str(path)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    stanzas = parse_stanzas(answer.stdout)
    if answer.returncode != 0 or not stanzas or "Package" not in stanzas[0]:
        said = answer.stderr.strip().splitlines()
        raise UsageError(f"{str(path)!r} is no Debian package: {said[-1] if said else 'it has no name'}")
    return stanzas[0]


def extract_deb(
    path: Path, choose: Callable[[str], Path | None], enough: Callable[[], bool] | None = None
) -> list[str]:
    """Copy files out of a package.

    :param path: the package
    :param choose: given each member's name (``usr/src/...``, without ``./``), says where to copy it, ``None`` for not
    :param enough: asked after each copy whether the rest need not be read
    :returns: the names of the members copied
    :raises UsageError: for a damaged package
    :raises HostError: if a file cannot be written
    """
    copied = []
    command = [require_tool("dpkg-deb"), "--fsys-tarfile", str(path)]
    with subprocess.Popen(
        command, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    target = choose(name) if member.isfile() else None
                    data = archive.extractfile(member) if target is not None else None
                    if target is None or data is None:
                        continue
                    with target.open("wb") as stream:
                        shutil.copyfileobj(data, stream, 1 << 20)
                    copied.append(name)
                    if enough is not None and enough():
                        process.kill()
                        return copied
            # Past the end of the archive there may be padding.
            while process.stdout.read(1 << 16):
                pass
        except (tarfile.TarError, EOFError) as error:
            process.kill()
            raise UsageError(f"{str(path)!r} is damaged: {error}") from error
        except OSError as error:
            process.kill()
            raise HostError(f"cannot unpack {str(path)!r}: {error.strerror}") from error
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise UsageError(f"{str(path)!r} is damaged: {said.splitlines()[-1] if said else 'it ends too early'}")
    return copied
