"""The libraries that ELF files are linked with, and those that programs load later."""

from __future__ import annotations

import os
import subprocess

from ktrace.errors import HostError, UsageError
from ktrace.machine.baggage.elf import Elf
from ktrace.machine.baggage.entries import Baggage

LISTING_SECONDS = 20
LIBC = "libc.so.6"
CACHE = "/etc/ld.so.cache"

LOADED_LATER = ("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2")
"""What the C library itself loads with dlopen(3): for pthread_exit(3), and to look up users and hosts."""


class Libraries:
    """Take libraries into *baggage*, each once.

    :ivar names: those that were taken, as programs name them
    """

    def __init__(self, baggage: Baggage) -> None:
        self._baggage = baggage
        self._loader = ""
        self.names: set[str] = set()

    def take(self, path: str, elf: Elf, optional: bool = False) -> None:
        """Take what the ELF file at *path* is linked with.

        :param optional: what this machine lacks is noted as skipped: a module that nobody may load
        :raises UsageError: this machine lacks one of them
        :raises HostError: the loader does not say which they are
        """
        if not elf.interpreter and not elf.needed:
            return
        self._loader = elf.interpreter or self._loader
        if not self._loader:
            return  # a library, brought for a program that is static
        if elf.interpreter and elf.interpreter not in self._baggage:
            self._add(elf.interpreter)
        if self.names.issuperset(elf.needed):
            return
        try:
            # What ldd does, without a shell. The loader maps the program, it does not start it.
            listed = subprocess.run(
                [self._loader, "--list", path], capture_output=True, text=True, timeout=LISTING_SECONDS, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            if optional:
                self._baggage.skipped.append(f"what {path!r} is linked with is not known: {error}")
                return
            raise HostError(f"{self._loader!r} does not say what {path!r} is linked with: {error}") from error
        if missing := [line.split()[0] for line in listed.splitlines() if "not found" in line]:
            lacks = f"{path!r} needs {', '.join(missing)}, which this machine does not have"
            if not optional:
                raise UsageError(lacks, "install it")
            self._baggage.skipped.append(lacks)
        for line in listed.splitlines():
            for place in line.split():
                if place.startswith("/"):
                    self._add(place)
                    self.names.add(line.split()[0])

    def _add(self, path: str) -> None:
        try:
            self._baggage.add(path)
        except OSError as error:
            raise HostError(f"cannot read {path!r}: {error.strerror}") from error
        if os.path.basename(path) == LIBC:
            for name in LOADED_LATER:
                later = os.path.join(os.path.dirname(path), name)
                if os.path.exists(later):
                    self._baggage.add(later)
            if os.path.exists(CACHE):
                self._baggage.add(CACHE)
