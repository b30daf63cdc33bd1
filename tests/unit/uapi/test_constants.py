"""Constants of the kernel's interface against the C compiler, with the kernel's headers and the C library's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from ktrace.uapi import fcntl, shm, socket
from ktrace.uapi.named import by_number, family, numbers
from tests.unit.uapi.owned import Header, headers

LIBRARY = (
    *("fcntl.h", "limits.h", "unistd.h", "sys/shm.h", "sys/socket.h", "sys/un.h", "sys/mman.h", "sys/eventfd.h"),
    *("netinet/in.h", "netinet/ip.h", "netinet/tcp.h", "netinet/udp.h"),
)
"""Headers of the C library that know what no installed header of the kernel does."""

NEEDED = {
    "ktrace.uapi.errqueue": ("time.h",),
    "ktrace.uapi.net": ("sys/socket.h",),
    "ktrace.uapi.if_": ("sys/socket.h",),
    "ktrace.uapi.fs": ("stddef.h", "linux/fiemap.h"),
    "ktrace.uapi.inotify": ("linux/ioctl.h", "linux/types.h"),
    "ktrace.uapi.ioctls": ("asm/termbits.h", "linux/serial.h"),
    "ktrace.uapi.poll": ("linux/types.h",),
    "ktrace.uapi.shm": ("limits.h",),
}
"""Headers that must stand before those that a module cites."""

EXPRESSIONS = {
    "SIZEOF_SOCKADDR_STORAGE": "sizeof(struct __kernel_sockaddr_storage)",
    "SUN_PATH": "__builtin_offsetof(struct sockaddr_un, sun_path)",
    # Since Linux 6.2 it is longer.
    "SIZEOF_TCP_INFO": "__builtin_offsetof(struct tcp_info, tcpi_snd_wnd) + 4",
}

NOWHERE = {
    **dict.fromkeys(
        ("SOL_UDPLITE", "SCM_SECURITY", "MSG_PROBE"), "the C library lacks it; test_source.py reads the kernel's source"
    ),
    "LIBC_SIGRTMIN": "test_names.py asks the C library at run time",
    "SIGRTMAX": "the header defines it by what only the kernel has; test_names.py asks the C library",
}
"""What no header here can tell, and why."""

HEADERS = headers("uapi")


def expression(name: str) -> str:
    """Return what is *name* in C."""
    size = f"sizeof(struct {name[7:].lower()})" if name.startswith("SIZEOF_") else name
    return EXPRESSIONS.get(name, size)


def ask(names: Iterable[str], includes: Iterable[str], place: Path) -> dict[str, int]:
    """Return what *names* are after *includes*; those that the compiler does not know are left out."""
    wanted = list(names)
    while wanted:
        lines = [f"#include <{name}>" for name in includes]
        lines += ["int printf(const char *, ...);", "int main(void) {"]
        begin = len(lines) + 1
        lines += [f'printf("{name} %lld\\n", (long long)({expression(name)}));' for name in wanted]
        (place / "ask.c").write_text("\n".join([*lines, "return 0; }\n"]))
        command = ["gcc", "-w", "-D_GNU_SOURCE", "-o", "ask", "ask.c"]
        done = subprocess.run(
            command, cwd=place, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, timeout=60
        )
        if done.returncode == 0:
            output = subprocess.run([place / "ask"], check=True, capture_output=True, text=True).stdout
            return {name: int(value) for name, value in (line.split() for line in output.splitlines())}
        # An unknown name is an error on its own line, only on the first that uses it.
        unknown = {int(line) - begin for line in re.findall(r"^ask\.c:(\d+):\d+: error:", done.stderr, re.M)}
        assert unknown and min(unknown) >= 0, done.stderr
        wanted = [name for index, name in enumerate(wanted) if index not in unknown]
    return {}


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.module.rpartition(".")[2])
def test_constants_are_the_compilers(header: Header, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    kernel = [found[1] for name in header.cites if (found := re.search(r"include/uapi/(.*)", name))]
    answers = ask(header.constants, [*NEEDED.get(header.module, ()), *kernel], tmp_path)
    answers |= ask([name for name in header.constants if name not in answers], LIBRARY, tmp_path)
    ours = {name: value % 2**64 for name, value in header.constants.items()}
    assert {name: value % 2**64 for name, value in answers.items()} == {name: ours[name] for name in answers}
    assert [name for name in ours if name not in answers and name not in NOWHERE] == []


def test_the_compiler_is_asked(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    names = ("O_EXCL", "O_NOSUCH", "O_TRUNC", "O_NOSUCH_EITHER", "SIZEOF_FLOCK", "SIZEOF_NOSUCH")
    assert ask(names, ("fcntl.h",), tmp_path) == {"O_EXCL": 0o200, "O_TRUNC": 0o1000, "SIZEOF_FLOCK": 32}


def test_every_constant_stands_once() -> None:
    owners: dict[str, list[str]] = {}
    for header in (*HEADERS, *headers("include")):
        for name in header.constants:
            owners.setdefault(name, []).append(header.module)
    assert {name: modules for name, modules in owners.items() if len(modules) > 1} == {}
    assert len(owners) > 900


def test_every_module_says_which_header_it_is() -> None:
    without = [header.module for header in (*HEADERS, *headers("include")) if not header.cites]
    assert without == ["ktrace.uapi.splice"] or without == []


def test_tables_are_made_of_headers() -> None:
    assert numbers(fcntl, "O_EXCL O_CREAT") == {"O_EXCL": 0o200, "O_CREAT": 0o100}
    assert list(family(socket, "SHUT_")) == ["SHUT_RD", "SHUT_WR", "SHUT_RDWR"]
    assert list(family(fcntl, "F_", but="F_SEAL_ F_GET F_SET F_DUP F_OWNER_ F_ADD_ F_LINUX_ F_OFD_")) == [
        *("F_RDLCK", "F_WRLCK", "F_UNLCK", "F_EXLCK", "F_SHLCK", "F_NOTIFY", "F_CANCELLK")
    ]
    assert by_number(numbers(shm, "SHM_DEST SHM_LOCKED"), strip="SHM_") == {0o1000: "DEST", 0o2000: "LOCKED"}
    with pytest.raises(AttributeError):
        numbers(fcntl, "O_NOSUCH")
    with pytest.raises(ValueError, match="two of"):
        by_number(numbers(socket, "AF_UNIX AF_LOCAL"))
