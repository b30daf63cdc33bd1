"""Constants of the kernel's own headers against these headers, as the preprocessor reads them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.uapi.owned import Header, headers

SOURCE = Path("/usr/src/linux-source-6.1.tar.xz")
CONFIGURED = (
    *("__KERNEL__", "BITS_PER_LONG=64", "CONFIG_64BIT", "CONFIG_X86_64", "CONFIG_COMPAT", "CONFIG_MMU"),
    *("CONFIG_WATCH_QUEUE", "PAGE_SIZE=4096", "IS_ENABLED(option)=0", "IS_BUILTIN(option)=0"),
)
"""What the configuration says that matters to these headers."""

PAGES = "arch/x86/include/asm/page_types.h"
"""What others count in."""

PRELUDE = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <linux/const.h>
#include <linux/types.h>
#define __force
#define BIT(number) (1UL << (number))
#define loff_t long long
#define cpu_to_be32(number) (number)
typedef unsigned int fmode_t;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef unsigned short umode_t;
"""
"""What the headers, without those that they include, still need; numbers in network order are taken in ours."""

ELSEWHERE = {
    "TASK_SIZE_MAX": "a function that looks at the CPU (arch/x86/include/asm/page_64.h: task_size_max())",
    "SOCK_CUSTOM_SOCKOPT": "not in Linux 6.1, but in 6.12",
    "SHMEM_F_NORESERVE": "not in Linux 6.1, but in 7.3",
    "I_CTIME_QUERIED": "not in Linux 6.1, but in 7.3",
    "SOCK_CONNECT_BIND": "not in Linux 6.1, but in 7.3",
    "SIZEOF_INT": "a C type",
    "SIZEOF_LONG": "a C type",
}
"""What no header says as a constant, and why."""

INTERNAL = [*headers("include"), *(h for h in headers("uapi") if any("/uapi/" not in name for name in h.cites))]
"""The modules that cite headers which are not installed."""


@pytest.fixture(scope="module")
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the cited headers are, taken out of the kernel's source once (10 s)."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    if not SOURCE.exists():
        pytest.skip("the package linux-source-6.1 is missing")
    cache = getattr(request.config, "cache", None)  # none with -p no:cacheprovider
    place = tmp_path_factory.mktemp("headers") if cache is None else cache.mkdir(f"headers-{SOURCE.stat().st_mtime_ns}")
    wanted = sorted({name for header in INTERNAL for name in (PAGES, *header.cites)})
    if not all((place / name).exists() for name in wanted):
        command = ["tar", "-xJf", SOURCE, "-C", place, "--strip-components=1", "--wildcards"]
        subprocess.run([*command, *(f"*/{name}" for name in wanted)], check=True, timeout=110)
    return Path(place)


def preprocess(header: Path, *options: str) -> str:
    """Return what the preprocessor makes of a header alone."""
    text = re.sub(r"^\s*#\s*include.*$", "", header.read_text(), flags=re.M)
    command = ["gcc", "-E", "-P", *options, *(f"-D{name}" for name in CONFIGURED), "-x", "c", "-"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def definitions(header: Path) -> tuple[dict[str, str], list[str]]:
    """Return a header's macros without parameters, and its enumerations."""
    macros = dict(re.findall(r"^#define (\w+) (.+)$", preprocess(header, "-dM"), re.M))
    return macros, re.findall(r"enum\s*\w*\s*\{[^{}]*\}", preprocess(header))


def evaluated(names: list[str], tree: Path, cites: tuple[str, ...], place: Path) -> dict[str, int]:
    """Return what *names* are in the headers that *cites* names; those that none of them defines are left out."""
    macros: dict[str, str] = {}
    enums: dict[str, str] = {}
    for cite in cites:
        more, lists = definitions(tree / cite)
        macros |= more
        enums |= {name: text for text in lists for name in re.findall(r"[{,]\s*(\w+)", text)}
    known = [name for name in names if name in macros or name in enums]
    needed: dict[str, str] = {}
    ask = list(known)
    while ask:
        name = ask.pop()
        text = macros.get(name) or enums.get(name)
        if text is not None and name not in needed:
            needed[name] = text
            ask += re.findall(r"[A-Za-z_]\w*", text)
    undefine = "\n".join(f"#undef {name}\n#define {name} {text}" for name, text in needed.items() if name in macros)
    lists = [text for text in dict.fromkeys(enums.values()) if text in needed.values()]
    prints = "\n".join(f'printf("{name} %lld\\n", (long long)({name}));' for name in known)
    text = "\n".join(
        [PRELUDE, undefine, *(f"{one};" for one in lists), f"int main(void) {{\n{prints}\nreturn 0;\n}}\n"]
    )
    (place / "ask.c").write_text(text)
    done = subprocess.run(
        ["gcc", "-w", "-o", "ask", "ask.c"],
        cwd=place,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    output = subprocess.run([place / "ask"], check=True, capture_output=True, text=True).stdout
    return {name: int(value) for name, value in (line.split() for line in output.splitlines())}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("header", INTERNAL, ids=lambda header: header.module.removeprefix("ktrace."))
def test_constants_are_the_headers(header: Header, tree: Path, tmp_path: Path) -> None:
    names = [name for name in header.constants if not name.startswith("SIZEOF_") and name not in ELSEWHERE]
    found = evaluated(names, tree, (PAGES, *header.cites), tmp_path)
    assert {name: value % 2**64 for name, value in found.items()} == {
        name: header.constants[name] % 2**64 for name in found
    }
    if "include" in header.module:
        assert [name for name in names if name not in found] == []


def test_the_headers_are_read(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    (tmp_path / "some.h").write_text(
        "#include <linux/nothing.h>\n#ifdef CONFIG_64BIT\n#define ONE BASE\n#else\n#define ONE 7\n#endif\n"
        "#define BASE 1UL\nenum { NONE, SOME = 3, MORE };\nstruct some { int all[ONE]; };\n"
    )
    assert evaluated(["ONE", "MORE", "LESS"], tmp_path, ("some.h",), tmp_path) == {"ONE": 1, "MORE": 4}
