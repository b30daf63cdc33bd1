"""Struct layouts and constants against the C compiler and the system's headers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.agent.syscalls import CONSTANTS, SIGNATURES, structs
from ktrace.agent.syscalls.layout import Struct
from ktrace.agent.syscalls.vectors import IOVEC

HEADERS = """
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <asm/termbits.h>
#include <linux/serial.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/close_range.h>
#include <linux/sockios.h>
#include <asm/sembuf.h>
"""
KERNEL = """
#include <stddef.h>
#include <stdio.h>
#include <linux/sem.h>
#include <linux/msg.h>
#include <linux/shm.h>
#include <asm/stat.h>
"""
FROM_LIBC = {
    "timespec": structs.TIMESPEC,
    "timeval": structs.TIMEVAL,
    "itimerval": structs.ITIMERVAL,
    "rlimit": structs.RLIMIT,
    "pollfd": structs.POLLFD,
    "epoll_event": structs.EPOLL_EVENT,
    "f_owner_ex": structs.F_OWNER_EX,
    "sembuf": structs.SEMBUF,
    "ucred": structs.UCRED,
    "linger": structs.LINGER,
    "msghdr": structs.MSGHDR,
    "mmsghdr": structs.MMSGHDR,
    "cmsghdr": structs.CMSGHDR,
    "iovec": IOVEC,
}
FROM_KERNEL = {
    "stat": structs.STAT,
    "ipc64_perm": structs.IPC_PERM,
    "semid64_ds": structs.SEMID_DS,
    "msqid64_ds": structs.MSQID_DS,
    "shmid64_ds": structs.SHMID_DS,
    "seminfo": structs.SEMINFO,
    "msginfo": structs.MSGINFO,
    "shminfo64": structs.SHMINFO,
    "shm_info": structs.SHM_INFO,
}


def compiled(source: str, place: Path) -> dict[str, int]:
    """Return what a C program prints: a name and a number on each line."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    (place / "probe.c").write_text(source)
    subprocess.run(["gcc", "-w", "-o", place / "probe", place / "probe.c"], check=True)
    output = subprocess.run([place / "probe"], check=True, capture_output=True, text=True).stdout
    pairs = (line.split() for line in output.splitlines())
    return {name: int(value) for name, value in pairs}


def offsets(layout: Struct) -> Iterator[tuple[str, int]]:
    """Yield the members' offsets as the layout packs them: set one to all ones and look where they come out."""
    for name in layout.fields:
        kind = layout.fields[name]
        value = _ones(kind) if isinstance(kind, Struct) else -1
        yield name, next(at for at, byte in enumerate(layout.pack({name: value})) if byte)


def _ones(layout: Struct) -> dict[str, object]:
    return {name: _ones(kind) if isinstance(kind, Struct) else -1 for name, kind in layout.fields.items()}


@pytest.mark.parametrize(("headers", "layouts"), [(HEADERS, FROM_LIBC), (KERNEL, FROM_KERNEL)])
def test_layouts_are_the_compilers(headers: str, layouts: dict[str, Struct], tmp_path: Path) -> None:
    lines = []
    for name, layout in layouts.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        for member in layout.fields:
            # glibc makes st_atime a macro; what follows the seconds has a name of its own in each header.
            lines.append(f'printf("{name}.{member} %zu\\n", offsetof(struct {name}, {member}));')
    found = compiled(f"{headers}\nint main(void) {{ {' '.join(lines)} return 0; }}", tmp_path)
    ours = {name: layout.size for name, layout in layouts.items()} | {
        f"{name}.{member}": at for name, layout in layouts.items() for member, at in offsets(layout)
    }
    assert found == ours


def test_constants_are_the_headers(tmp_path: Path) -> None:
    probes = [f'#ifdef {name}\nprintf("{name} %lld\\n", (long long){name});\n#endif' for name in CONSTANTS]
    calls = [f'#ifdef SYS_{name}\nprintf("SYS_{name} %d\\n", SYS_{name});\n#endif' for name in SIGNATURES]
    body = "\n".join([*probes, *calls])
    found = compiled(f"{HEADERS}\nint main(void) {{\n{body}\nreturn 0; }}", tmp_path)
    # glibc's own idea, not the kernel's: O_LARGEFILE is 0 in its headers, two limits are its own.
    for name in ("O_LARGEFILE", "SHMLBA", "SIGRTMIN", "SIGRTMAX", "RLIM_INFINITY", "PAGE_SIZE"):
        found.pop(name, None)
    ours = CONSTANTS | {f"SYS_{name}": entry.nr for name, entry in SIGNATURES.items()}
    assert {name: ours[name] for name in found} == found
    assert len(found) > 400
    assert [name for name in SIGNATURES if f"SYS_{name}" not in found] == ["mkfifo"]  # the library's word for mknod
