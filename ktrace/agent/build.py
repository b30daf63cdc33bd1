"""How the guest's two programs are compiled: freestanding, static, the same bytes each time."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ktrace.errors import HostError

CFLAGS = (
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-nostdlib",
    "-static",
    "-no-pie",
    "-fno-pie",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables",
    "-Wl,--build-id=none",
    "-Wl,-z,noexecstack",
    "-s",
)


def sources(guest: Path, program: str) -> list[Path]:
    """List what is compiled into a program, ``agent`` or ``init``, in order."""
    return sorted(guest.glob(f"{program}*.c"))


def inputs(guest: Path) -> list[Path]:
    """List every file that the two programs are made of, for digests."""
    return sorted([*sources(guest, "agent"), *sources(guest, "init"), *guest.glob("*.h")])


def build(guest: Path, program: str, out: Path, cc: str = "gcc", flags: tuple[str, ...] = CFLAGS) -> Path:
    """Compile ``agent`` or ``init`` from the directory ``guest`` into the file ``out``.

    :raises HostError: the compiler is missing or complains
    """
    command = [cc, *flags, "-o", str(out.absolute()), *(path.name for path in sources(guest, program))]
    try:
        subprocess.run(command, cwd=guest, check=True, capture_output=True, text=True, timeout=120)
    except FileNotFoundError as error:
        raise HostError(f"no compiler {cc!r}", "install gcc and linux-libc-dev") from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(error.stderr or "").strip().splitlines()
        raise HostError(f"cannot compile {program}: {said[0] if said else error}") from error
    return out
