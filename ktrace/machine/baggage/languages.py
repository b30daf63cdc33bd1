"""Interpreters that cannot run without files of theirs: where those lie is asked of the interpreter itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ASK_SECONDS = 20

_ASK_PYTHON = """
import json, os, sys
stdlib = os.path.dirname(os.__file__)
config = os.path.join(sys.prefix, "pyvenv.cfg")
print(json.dumps({
    "executable": sys.executable,
    "own": [stdlib, *(path for path in sys.path if path.endswith("lib-dynload"))],
    "others": [path for path in sys.path if path.endswith("-packages")],
    "files": [config] if os.path.exists(config) else [],
}))
"""
_ASK_PERL = """
use Config;
my %own = map { $_ => 1 } grep { -d } @Config{qw(privlibexp archlibexp)}, grep { m{perl-base$|^/etc/} } @INC;
sub list { join ",", map { my $text = $_; $text =~ s/([\\\\"])/\\\\$1/g; qq("$text") } @_ }
printf qq({"executable": %s, "own": [%s], "others": [%s], "files": []}\\n),
    list($^X), list(sort keys %own), list(grep { -d && !$own{$_} } @INC);
"""

_REST = {
    "python": re.compile(
        r"(test|idlelib|turtledemo|ensurepip|lib2to3|site-packages|dist-packages|config-[^/]*)|.*\.(opt-\d\.pyc|a|exe)"
    ),
    "perl": re.compile(r"(CORE|pod|unicore/(TestNorm|Name)\.p[lm])|.*\.(pod|a|h)"),
}
"""What of its own files nearly no program reads, which may be more than half."""


@dataclass(frozen=True)
class Language:
    """An interpreter of this machine.

    :param name: ``python`` or ``perl``
    :param executable: its own file, where that which was asked for only finds it
    :param own: directories of what belongs to it
    :param others: directories of modules that were installed for it
    :param files: what else it reads when it starts
    """

    name: str
    executable: str
    own: tuple[str, ...]
    others: tuple[str, ...]
    files: tuple[str, ...]

    def leaves_out(self, relative: str, words: set[str]) -> bool:
        """Tell whether a file of its own, by its path in there, is not needed by a program that has these words."""
        return _REST[self.name].fullmatch(relative) is not None and os.path.basename(relative) not in words

    def modules(self, words: set[str], beside: Sequence[str]) -> Iterator[str]:
        """Yield paths of modules that *words* name.

        :param beside: directories of programs, whose modules those find, too
        """
        if self.name == "python":
            yield from _python_modules((*self.others, *beside), words)
        else:
            yield from _perl_modules((*self.others, *beside), words)


def language_of(path: str) -> Language | None:
    """Ask the program at *path*, if it is an interpreter by its name; ``None`` if it is none, or does not say."""
    name = re.match(r"(python|perl)[\d.]*$", os.path.basename(path))
    if name is None:
        return None
    ask = [path, "-I", "-c", _ASK_PYTHON] if name[1] == "python" else [path, "-e", _ASK_PERL]
    try:
        told = subprocess.run(ask, capture_output=True, timeout=ASK_SECONDS, check=True, stdin=subprocess.DEVNULL)
        said = json.loads(told.stdout)
        own, others, files = (tuple(map(str, said[key])) for key in ("own", "others", "files"))
        own = tuple(path for path in own if not path.startswith(tuple(other + "/" for other in own)))
        return Language(name[1], os.path.abspath(str(said["executable"])), own, others, files)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None


def _python_modules(places: tuple[str, ...], words: set[str]) -> Iterator[str]:
    names = {part for word in words for part in word.split(".")[:1]}
    for directory in places:
        for item in _listed(directory):
            stem, _, suffix = item.partition(".")
            place = os.path.join(directory, item)
            # NAME.libs is where wheels have the libraries of NAME.
            is_module = suffix.endswith(("py", "so", "libs")) or os.path.exists(os.path.join(place, "__init__.py"))
            if stem in names and is_module:
                yield place


def _perl_modules(places: tuple[str, ...], words: set[str]) -> Iterator[str]:
    for directory in places:
        for word in words:
            stem = os.path.join(directory, *filter(None, word.split("::")))
            shared = os.path.join(directory, "auto", *filter(None, word.split("::")))
            if stem.startswith(directory + "/") and os.path.isfile(stem + ".pm"):
                yield from (place for place in (stem + ".pm", stem, shared) if os.path.exists(place))


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
