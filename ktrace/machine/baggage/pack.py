"""All that a command line needs in a guest, gathered."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ktrace.errors import UsageError
from ktrace.machine.baggage.elf import MAGIC, read_elf
from ktrace.machine.baggage.entries import OWN, Baggage, Regular, cannot_read
from ktrace.machine.baggage.languages import Language
from ktrace.machine.baggage.programs import Programs
from ktrace.machine.baggage.words import words_of

NAMED_MAX = 64 << 20
"""bytes of a file that is brought because it is named; --put has no limit"""

ETC = {
    "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "/etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    "/etc/hosts": b"127.0.0.1\tlocalhost ktrace\n::1\tlocalhost\n",
    "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}
"""What the C library reads to look up users and hosts, as far as it can be answered in a guest."""
STREAMS = {f"/dev/{name}": f"/proc/self/fd/{number}" for number, name in enumerate(("stdin", "stdout", "stderr"))}
SHELL = "/bin/sh"
"""What system(3) and popen(3) start."""
ETC_COPIED = ("/etc/services", "/etc/protocols")


@dataclass(frozen=True)
class Packed:
    """:param path: of the program, in the guest
    :param told: what is brought, for people, a line each
    :param missed: what was asked for or named, and is not brought
    :param passed_over: what might have been named, and is not brought
    :param asked: what :func:`pack` was asked for, for :func:`pack_again`
    """

    path: str
    baggage: Baggage
    told: tuple[str, ...]
    missed: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)


def pack_again(asked: Mapping[str, Any]) -> Baggage:
    """Gather what was gathered before, from the same files of this machine.

    :param asked: as :attr:`Packed.asked` was, or as JSON made it
    :raises UsageError: it was asked for elsewhere, or something is not there any more
    :raises HostError: something cannot be read
    """
    if os.getcwd() != asked["directory"]:
        raise UsageError(
            f"it was run in {asked['directory']!r}, where its words may name files", "go to that directory first"
        )
    owner = asked["owner"]
    user = None if owner is None else (int(owner[0]), int(owner[1]))
    return pack(asked["command"], asked["put"], asked["cwd"], asked["env"], user).baggage


def pack(
    command: Sequence[str],
    put: Sequence[str] = (),
    cwd: str = "",
    env: Sequence[str] = (),
    owner: tuple[int, int] | None = None,
) -> Packed:
    """Gather what *command* needs: its program with libraries, what its arguments name, and what is *put*.

    Of each word of the arguments, and of *env*, the program or the regular file of that name comes, too.

    :param put: files and directories, ``PATH`` or ``HERE:THERE``
    :param cwd: directory of the guest that it is run in; ``""`` is that of this process
    :param env: ``NAME=VALUE``
    :param owner: user and group whose is what is *put*; default root
    :raises UsageError: there is no such program or file, or the guest cannot run it
    :raises HostError: something cannot be read
    """
    baggage = Baggage(owner)
    programs = Programs(baggage)
    told: list[str] = []
    path = programs.take(command[0])
    for item in put:
        told.append(_put(baggage, programs, item))
    missed = list(baggage.skipped)
    baggage.skipped.clear()
    values = [item.partition("=")[2] for item in env]
    named = _take_named(baggage, programs, [*command[1:], *values], missed)
    named += _take_mentioned(baggage, programs, missed)
    for language in programs.languages.values():
        told += _take_language(baggage, programs, language)
    for file in [file for file in baggage.files if file.source]:
        _take_libraries(programs, file)
    taken = tuple(programs.taken)
    with suppress(UsageError):  # there may be machines without one
        programs.take(SHELL, own=False)
    _add_what_all_have(baggage)
    place = cwd or os.getcwd()
    if not os.path.isdir(place) and not baggage.has_directory(place):
        raise UsageError(f"no directory {place!r}", "--cwd takes one of this machine, or one that --put makes")
    if not _is_own(place):
        baggage.add_directories(place)
    asked = {"directory": os.getcwd(), "command": command, "put": put, "cwd": cwd, "env": env, "owner": owner}
    return Packed(path, baggage, (*taken, *named, *told), tuple(missed), tuple(baggage.skipped), asked)


def _add_what_all_have(baggage: Baggage) -> None:
    for copied in ETC_COPIED:
        if os.path.isfile(copied):
            baggage.add(copied)
    for place, data in ETC.items():
        baggage.add_data(place, data)
    for place, target in STREAMS.items():
        baggage.add_link(place, target)
    for place in ("/root", "/var/tmp"):
        baggage.add_directories(place)


def _put(baggage: Baggage, programs: Programs, item: str) -> str:
    here, to = item, None
    if not os.path.lexists(item) and ":/" in item:
        here, _, there = item.rpartition(":")
        into = there.endswith("/") and not os.path.isdir(here)
        to = os.path.normpath("/" + os.path.join(there, os.path.basename(here) if into else "").lstrip("/"))
    try:
        files = baggage.add_tree(os.path.abspath(here), to)
    except FileNotFoundError as error:
        raise UsageError(f"no file {here!r} on this machine", "--put PATH, or --put HERE:/THERE") from error
    except OSError as error:
        raise cannot_read(error.filename or here, error) from error
    size = sum(file.size for file in files)
    return f"{item}: {len(files)} files, {size / (1 << 20):.1f} MiB"


def _take_named(baggage: Baggage, programs: Programs, texts: Sequence[str], missed: list[str]) -> list[str]:
    """Take programs and files that *texts* name; return the files."""
    words = {*texts, *(word for text in texts for word in words_of(text))}
    programs.words |= words
    programs.take_named({word for word in words if word and not _is_own(os.path.abspath(word))})
    return [
        place
        for word in sorted(words)
        if (place := os.path.abspath(word)) not in programs.taken
        and _take_file(baggage, programs, word, place, missed, is_script=word == texts[0])
    ]


def _take_mentioned(baggage: Baggage, programs: Programs, missed: list[str]) -> list[str]:
    """Take the files that scripts of the person's own name, seen from this directory or from theirs."""
    named: list[str] = []
    seen: set[tuple[str, str]] = set()
    while pending := {(place, word) for place, words in programs.mentioned.items() for word in words} - seen:
        seen |= pending
        for directory, word in sorted(pending):
            for place in dict.fromkeys((os.path.abspath(word), os.path.normpath(os.path.join(directory, word)))):
                if place in programs.taken or os.path.realpath(place) in baggage:
                    continue
                if _take_file(baggage, programs, word, place, missed):
                    named.append(place)
    return named


def _take_file(
    baggage: Baggage, programs: Programs, word: str, place: str, missed: list[str], is_script: bool = False
) -> bool:
    """Take the regular file at *place*, if there is one that can be read, and what it needs if it is a program."""
    if not word or _is_own(place):
        return False
    try:
        status = os.stat(place)
        if not stat.S_ISREG(status.st_mode):
            return False
        if status.st_size > NAMED_MAX and os.path.realpath(place) not in baggage:
            missed.append(f"{word!r} is large, {status.st_size >> 20} MiB: --put {word} brings it")
            return False
        baggage.add(place)
        programs.read_text(place, is_script)
    except (OSError, ValueError):
        return False  # a word that names no file, or none that can be read
    if status.st_mode & stat.S_IXUSR:
        programs.take_named({place})
    return True


def _take_language(baggage: Baggage, programs: Programs, language: Language) -> list[str]:
    words = programs.words
    told = []
    try:
        for directory in language.own:
            files = baggage.add_tree(directory, leave_out=lambda relative: language.leaves_out(relative, words))
            told.append(f"{directory}: {len(files)} files, {sum(file.size for file in files) / (1 << 20):.1f} MiB")
        for extra in language.files:
            baggage.add(extra)
        beside = [os.getcwd(), *programs.mentioned]
        seen: set[str] = set()
        while new := set(language.modules(words, beside)) - seen:
            seen |= new
            for module in sorted(new):
                files = baggage.add_tree(module)
                told.append(module)
                if os.path.dirname(module) in beside:  # one of the person's own, which may name others
                    for file in files:
                        programs.read_text(file.source)
    except OSError as error:
        raise cannot_read(error.filename or language.executable, error) from error
    return told


def _take_libraries(programs: Programs, file: Regular) -> None:
    try:
        with open(file.source, "rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                return
        elf = read_elf(file.source)
    except OSError as error:
        raise cannot_read(file.source, error) from error
    if elf is not None and elf.runs:
        programs.libraries.take(file.source, elf, optional=True)


def _is_own(path: str) -> bool:
    return path.startswith(tuple(place + "/" for place in OWN))
