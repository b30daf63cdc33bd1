"""Programs of this machine: found as a shell finds them, taken with all that running them needs."""

from __future__ import annotations

import os
import shutil

from ktrace.errors import KtraceError
from ktrace.machine.baggage.elf import read_elf
from ktrace.machine.baggage.entries import Baggage
from ktrace.machine.baggage.errors import CannotExecute, NoProgram
from ktrace.machine.baggage.languages import Language, language_of
from ktrace.machine.baggage.libraries import Libraries
from ktrace.machine.baggage.words import code_of, quoted_in, words_of

SCRIPT_HEAD = 256
"""``include/uapi/linux/binfmts.h``: BINPRM_BUF_SIZE"""
TEXT_MAX = 1 << 20
"""bytes of a script in which words are looked for"""
WRAPPER_MAX = 1 << 12
"""bytes of a script, found by its name alone, in which they are: egrep(1) needs grep(1), but not so xdg-open(1)"""
SUFFIXES = (".sh", ".bash", ".py", ".pl", ".t")
SHELLS = ("sh", "bash", "dash", "ksh", "mksh", "zsh", "busybox")


class Programs:
    """Take programs into *baggage*.

    :ivar words: what stands in the scripts that were taken
    :ivar mentioned: what those name that are the person's own, by the directory that they lie in
    :ivar languages: the interpreters that were
    :ivar taken: paths of all, as they were found
    """

    def __init__(self, baggage: Baggage) -> None:
        self._baggage = baggage
        self.libraries = Libraries(baggage)
        self.words: set[str] = set()
        self.mentioned: dict[str, set[str]] = {}
        self.languages: dict[str, Language] = {}
        self.taken: dict[str, None] = {}

    def take(self, name: str, own: bool = True) -> str:
        """Take the program that a shell runs as *name*, and return its path.

        :param own: what it names itself, if it is a script, is needed, too; else of what is short
        :raises NoProgram: there is none
        :raises CannotExecute: the guest cannot run it
        :raises UsageError: it needs what this machine does not have
        """
        found = shutil.which(name)
        if found is None:
            if "/" in name and os.path.isdir(name):
                raise CannotExecute(f"{name!r} is a directory", "name a program in it")
            if "/" in name and os.path.exists(name):
                raise CannotExecute(f"{name!r} is not executable", f"is it a program? chmod +x {name}")
            raise NoProgram(f"no program {name!r} on this machine", "give its path; it is copied into the guest")
        path = os.path.abspath(found)
        if path in self.taken:
            return path
        self.taken[path] = None
        language = language_of(path)
        if language is None:
            self._take(path, own)
            return path
        self.languages[language.executable] = language
        if read_elf(path) is None:  # it only finds the interpreter, as those of version managers do
            self._take(language.executable, own)
            self._baggage.add_link(path, language.executable)
            return language.executable
        self._take(path, own)
        return path

    def take_named(self, words: set[str]) -> None:
        """Take the programs that *words* name, and pass over what the guest could not run."""
        for word in sorted(words):
            if shutil.which(word) is None:
                continue
            try:
                self.take(word, own="/" in word)
            except KtraceError as error:
                self._baggage.skipped.append(error.message)

    def read_text(self, path: str, is_script: bool = False, own: bool = True) -> None:
        """Look in a file for what it names: modules, and, if it is a script, programs.

        :param is_script: it is one, whatever it looks like
        :param own: it is the person's own, and may name files
        :raises OSError: it cannot be read
        """
        with open(path, "rb") as file:
            data = file.read(TEXT_MAX)
        if b"\0" in data:
            return
        code = code_of(data.decode("utf-8", "replace"))
        self.words |= words_of(code)
        if is_script or data.startswith(b"#!") or path.endswith(SUFFIXES):
            shell = any(os.path.basename(taken) in SHELLS for taken in self.taken)
            words = words_of(code if shell else quoted_in(code))
            self.take_named({word for word in words if "/" not in word or word.startswith("/")})
            if own:
                self.mentioned.setdefault(os.path.dirname(path), set()).update(words)

    def _take(self, path: str, own: bool) -> None:
        try:
            place = self._baggage.add(path)
            elf = read_elf(place)
            if elf is None:
                self._take_script(path, place, own)
                return
        except OSError as error:
            raise CannotExecute(f"cannot read {path!r}: {error.strerror}") from error
        if not elf.runs:
            raise CannotExecute(
                f"{path!r} is no program for the guest: {elf.what}", "the guest runs x86-64 executables"
            )
        self.libraries.take(place, elf)

    def _take_script(self, path: str, place: str, own: bool) -> None:
        with open(place, "rb") as file:
            head = file.read(SCRIPT_HEAD)
        line = head.partition(b"\n")[0].decode("utf-8", "surrogateescape")
        if line.startswith("#!") and line.endswith("\r"):
            raise CannotExecute(
                f"the lines of {path!r} end with \\r\\n: the kernel takes the \\r of {line!r} for a part of the name",
                f"sed -i 's/\\r$//' {path}",
            )
        words = line[2:].split()
        if not head.startswith(b"#!") or not words:
            raise CannotExecute(f"{path!r} is neither an ELF program nor a script", "a script begins with #!")
        interpreter = words[0]
        name = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
        try:
            self.take(interpreter, own=False)
            if os.path.basename(interpreter) == "env" and name:
                interpreter = name
                self.take(name, own=False)
        except NoProgram as error:
            raise CannotExecute(
                f"{path!r} asks for the interpreter {interpreter!r}, which this machine does not have"
            ) from error
        if own or os.path.getsize(place) <= WRAPPER_MAX:
            self.read_text(path, is_script=True, own=own)
