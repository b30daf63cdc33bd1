"""A program of this machine, brought into a guest with everything that it is linked with."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from ktrace.agent.client import Agent
from ktrace.agent.own_actor import OwnActor
from ktrace.agent.syscalls import make_call
from ktrace.errors import GuestFileError, GuestGarbage, HostError, UsageError

LISTING_SECONDS = 20


class NoProgram(UsageError):
    """There is no such program; shells end with this code, too."""

    exit_code = 127


class CannotExecute(UsageError):
    """It is no program, or none for the guest; shells end with this code, too."""

    exit_code = 126


@dataclass(frozen=True)
class Program:
    """An executable and what the dynamic loader maps for it.

    :param path: absolute, the same here and in the guest
    :param files: absolute paths of it, of its interpreter and of its libraries
    """

    path: str
    files: tuple[str, ...]


def find_program(name: str) -> Program:
    """Look *name* up as a shell would, and what it is linked with.

    :raises UsageError: there is no such program, or the guest cannot run it
    :raises HostError: its loader does not say what it needs
    """
    found = shutil.which(name)
    if found is None:
        if "/" in name and Path(name).exists():
            raise CannotExecute(f"{name!r} is not executable", f"is it a program? chmod +x {name}")
        raise NoProgram(f"no program {name!r} on this machine", "give its path; it is copied into the guest")
    path = str(Path(found).absolute())
    return Program(path, (path, *_linked_with(path)))


def _linked_with(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            elf = ELFFile(file)
            machine, kind = elf.get_machine_arch(), elf.header["e_type"]
            loaders = [
                segment.get_interp_name() for segment in elf.iter_segments() if isinstance(segment, InterpSegment)
            ]
    except (OSError, ELFError) as error:
        raise CannotExecute(
            f"{path!r} is not an ELF program: {error}", "give the interpreter of a script first"
        ) from None
    if machine != "x64" or kind not in ("ET_EXEC", "ET_DYN"):
        raise CannotExecute(f"{path!r} is {kind} for {machine}", "the guest runs x86-64 executables")
    if not loaders:
        return []
    try:
        # What ldd does, without a shell. The loader maps the program, it does not start it.
        listed = subprocess.run(
            [loaders[0], "--list", path], capture_output=True, text=True, timeout=LISTING_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise HostError(f"{loaders[0]!r} does not say what {path!r} is linked with: {error}") from error
    if missing := [line.split()[0] for line in listed.splitlines() if "not found" in line]:
        raise UsageError(f"{path!r} needs {', '.join(missing)}, which this machine does not have", "install it")
    places = [place for line in listed.splitlines() for place in line.split() if place.startswith("/")]
    return list(dict.fromkeys([loaders[0], *places]))


def bring(agent: Agent, files: Iterable[str]) -> None:
    """Copy *files* of this machine into the guest, to the same paths.

    :raises HostError: one cannot be read here
    :raises GuestGarbage: the guest cannot take one
    """
    paths = list(files)
    make_directories(agent, [Path(path).parent for path in paths])
    for path in paths:
        try:
            data, mode = Path(path).read_bytes(), Path(path).stat().st_mode & 0o777
        except OSError as error:
            raise HostError(f"cannot read {path!r}: {error.strerror}") from error
        try:
            agent.write_file(path, data, create=True, mode=mode)
        except GuestFileError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise HostError(f"{path!r} does not fit into the guest's memory", "it has 64 MiB; bring less") from error


def make_directories(agent: Agent, directories: Iterable[Path]) -> None:
    """Make *directories* of the guest, and those above them.

    :raises GuestGarbage: the guest refuses
    """
    wanted = sorted({place for directory in directories for place in (directory, *directory.parents)})
    with OwnActor(agent) as actor:
        for place in wanted:
            done = actor.call(make_call("mkdir", bytes(place), 0o755))
            if done.errno not in (None, "EEXIST"):
                raise GuestGarbage(f"the guest does not make the directory {str(place)!r}: {done.errno}")
