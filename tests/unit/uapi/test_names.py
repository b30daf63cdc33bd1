"""Error and signal names against the C compiler's headers, the C library and the shell."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ktrace.uapi.errno import ERRNO_ALIASES, ERRNO_NAMES, ERRNO_NUMBERS, INTERNAL_ERRNO_NAMES, errno_name
from ktrace.uapi.signal import (
    LIBC_SIGRTMIN,
    SIGNAL_NAMES,
    SIGNAL_NUMBERS,
    SIGRTMAX,
    SIGRTMIN,
    signal_name,
    signal_number,
)


def macros(header: str) -> dict[str, int]:
    """Return every macro of a kernel header that is a number, as the preprocessor has it."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    text = subprocess.run(
        ["gcc", "-dM", "-E", "-include", header, "-"], input="", check=True, capture_output=True, text=True
    ).stdout
    found = dict(re.findall(r"^#define (\w+) (\S+)$", text, re.M))
    return {name: int(value) for name, value in found.items() if value.isdigit()}


def test_every_errno_of_the_header_has_its_number() -> None:
    found = {name: number for name, number in macros("asm/errno.h").items() if re.fullmatch(r"E[0-9A-Z]+", name)}
    # EWOULDBLOCK and EDEADLOCK are no numbers there, ENOTSUP is the C library's.
    assert {name: number for name, number in ERRNO_NUMBERS.items() if name not in ERRNO_ALIASES} == found
    assert {name: getattr(errno, name) for name in ERRNO_ALIASES} == dict(ERRNO_ALIASES)
    assert len(found) > 130


def test_every_signal_of_the_header_has_its_number() -> None:
    found = {name: number for name, number in macros("asm/signal.h").items() if re.fullmatch(r"SIG[A-Z0-9]+", name)}
    assert found.pop("SIGRTMIN") == SIGRTMIN
    for other, name in (("SIGIOT", "SIGABRT"), ("SIGUNUSED", "SIGSYS")):
        assert found.pop(other) == signal_number(name)
    del found["SIGSTKSZ"]  # a size
    assert found == {name: number for number, name in SIGNAL_NAMES.items() if number < SIGRTMIN}


def test_the_c_library_agrees_on_real_time_signals(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    (tmp_path / "ask.c").write_text(
        "#include <signal.h>\n#include <stdio.h>\n"
        'int main(void) { printf("%d %d %d", SIGRTMIN, SIGRTMAX, _NSIG - 1); return 0; }\n'
    )
    subprocess.run(["gcc", "-o", tmp_path / "ask", tmp_path / "ask.c"], check=True)
    said = subprocess.run([tmp_path / "ask"], check=True, capture_output=True, text=True).stdout
    assert said == f"{LIBC_SIGRTMIN} {SIGRTMAX} {SIGRTMAX}"


def test_names_are_those_of_kill_l() -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    text = subprocess.run(["bash", "-c", "kill -l"], check=True, capture_output=True, text=True).stdout
    found = {int(number): name for number, name in re.findall(r"(\d+)\) (\S+)", text)}
    assert found == {number: name for number, name in SIGNAL_NAMES.items() if number not in (32, 33)}


def test_every_number_has_a_name_that_means_it() -> None:
    assert list(SIGNAL_NAMES) == list(range(1, SIGRTMAX + 1))
    assert all(signal_number(signal_name(number)) == number for number in SIGNAL_NAMES)
    assert all(ERRNO_NUMBERS[errno_name(number)] == number for number in ERRNO_NAMES)


def test_other_spellings_are_understood() -> None:
    assert [SIGNAL_NUMBERS[name] for name in ("SIGRTMIN+30", "SIGRTMAX-30", "SIG35", "SIG32")] == [64, 34, 35, 32]
    with pytest.raises(KeyError):
        signal_number("SIGNOTHING")


def test_what_has_no_name_is_told_by_number() -> None:
    assert [signal_name(number) for number in (0, 65, 127)] == ["SIG0", "SIG65", "SIG127"]
    assert [errno_name(number) for number in (41, 600, 4095)] == ["errno 41", "errno 600", "errno 4095"]


def test_what_the_kernel_keeps_to_itself_has_its_name() -> None:
    assert [errno_name(number) for number in (512, 516, 524, 531)] == [
        "ERESTARTSYS",
        "ERESTART_RESTARTBLOCK",
        "ENOTSUPP",
        "ENOGRACE",
    ]
    assert not INTERNAL_ERRNO_NAMES.keys() & ERRNO_NAMES.keys()
