"""Debian packages from any suite, through apt lists of our own: what the machine has configured stays as it is."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ktrace.errors import HostError, UsageError
from ktrace.image.archive import Archive, apt_environment, archive_for, configured_archives, parse_stanzas
from ktrace.image.store import Store, digest_bytes, host_errors
from ktrace.image.toolchain import require_tool

#: Part of the store with the lists: fetched again when they are missed.
PLACE = "apt"
#: Seconds: lists, a look at them, a package of some hundred megabytes.
UPDATE_SECONDS = 300.0
LOOK_SECONDS = 60.0
DOWNLOAD_SECONDS = 3600.0
# What the machine's own configuration does after its own updates is not done after ours.
_HOOKS = ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")
SHOWN = 6


@dataclass(frozen=True)
class Offer:
    """A version of a package that a suite has.

    :param package: its name
    :param version: its version
    :param suite: the suite, as apt prints it
    """

    package: str
    version: str
    suite: str


def write_sources(suites: Iterable[str], archives: Sequence[Archive]) -> str:
    """Write apt sources for suites, each from the archive in which it must be, with the keyring of that.

    :raises HostError: for a suite that no archive configured can have
    """
    stanzas = []
    for suite in suites:
        archive = archive_for(suite, archives)
        lines = ["Types: deb", f"URIs: {archive.uri}", f"Suites: {suite}", "Components: main", "Architectures: amd64"]
        lines += ["Targets: Packages", "Languages: none"]
        if archive.signed_by:
            lines.append(f"Signed-By: {archive.signed_by}")
        if archive.trusted:
            lines.append("Trusted: yes")
        stanzas.append("".join(f"{line}\n" for line in lines))
    return "\n".join(stanzas)


def write_settings(place: Path) -> str:
    """Write the apt settings that keep everything below one directory."""
    return "".join(
        [
            f'Dir::State::Lists "{place}/lists";\n',
            f'Dir::Cache "{place}/cache";\n',
            # Containers switch them off; without them each look reads all lists anew.
            'Dir::Cache::pkgcache "pkgcache.bin";\n',
            'Dir::Cache::srcpkgcache "srcpkgcache.bin";\n',
            # What is installed here is no offer of a suite.
            'Dir::State::status "/dev/null";\n',
            f'Dir::Etc::SourceList "{place}/own.sources";\n',
            'Dir::Etc::SourceParts "/dev/null";\n',
            'Dir::Etc::Preferences "/dev/null";\n',
            'Dir::Etc::PreferencesParts "/dev/null";\n',
            # apt's own user could not enter a private directory.
            'APT::Sandbox::User "root";\n',
            'APT::Update::Error-Mode "any";\n',
            'Acquire::http::Timeout "30";\n',
            *(f"#clear APT::Update::{hook};\n" for hook in _HOOKS),
        ]
    )


def parse_madison(text: str) -> list[Offer]:
    """Parse what ``apt-cache madison`` prints: package, version and source of each, newest first."""
    offers = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        where = parts[2].split() if len(parts) == 3 else []
        if len(where) >= 2:
            offers.append(Offer(parts[0], parts[1], where[1].rpartition("/")[0] or where[1]))
    return offers


@dataclass
class Apt:
    """Lists of some suites, kept below the store.

    :param store: where
    :param suites: names of Debian suites, e.g. ``trixie-backports``
    :raises HostError: if this machine has no apt, or is configured for no Debian archive
    """

    store: Store
    suites: tuple[str, ...]
    _updated: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        sources = write_sources(self.suites, configured_archives())
        self.place = self.store.root / PLACE / digest_bytes(sources.encode())[:16]
        self.settings = self.place / "apt.conf"
        with host_errors("make", self.place):
            for part in ("lists/partial", "cache/archives/partial"):
                (self.place / part).mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.place / "own.sources").write_text(sources)
            self.settings.write_text(write_settings(self.place))

    def _run(self, words: Sequence[str], seconds: float, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        argv = [require_tool("setpriv"), "--pdeathsig", "TERM", "--", require_tool(words[0]), "-c", str(self.settings)]
        try:
            return subprocess.run(
                [*argv, *words[1:]],
                cwd=cwd or self.place,
                env=apt_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HostError(
                f"{' '.join(words)!r} did not end within {seconds:.0f} s", hint="is the archive reached?"
            ) from error

    def update(self) -> None:
        """Fetch the lists anew.

        :raises UsageError: if the archive has no such suite
        :raises HostError: if it cannot be reached or believed
        """
        with self.store.locked(f"apt-{self.place.name}"):
            answer = self._run(["apt-get", "update", "-q"], UPDATE_SECONDS)
        self._updated = True
        if answer.returncode == 0:
            return
        said = [line[2:].strip() for line in answer.stderr.splitlines() if line.startswith(("E:", "W:"))]
        for suite in self.suites:
            if any(_says_gone(line, suite) for line in said):
                raise UsageError(
                    f"no suite {suite!r} in the archive that this machine is configured for",
                    hint="name a suite such as trixie or trixie-backports",
                )
        raise HostError(f"apt cannot fetch the lists of {', '.join(self.suites)}: {_one_line(said)}")

    def offers(self, package: str) -> list[Offer]:
        """List the versions of a package, newest first; empty if there is none."""
        if not any((self.place / "lists").glob("*Packages*")):
            self.update()
        return parse_madison(self._run(["apt-cache", "madison", package], LOOK_SECONDS).stdout)

    def find(self, package: str, version: str | None = None) -> Offer:
        """Find a package, looking for newer lists before saying that there is none.

        :param version: the one wanted; default the newest
        :raises UsageError: if there is no such package or version, saying which there are
        :raises HostError: if lists cannot be fetched
        """
        while True:
            offers = self.offers(package)
            for offer in offers:
                if version in (None, offer.version):
                    return offer
            if self._updated:
                break
            self.update()
        where = ", ".join(self.suites)
        if offers:
            there = ", ".join(dict.fromkeys(offer.version for offer in offers))
            raise UsageError(f"no version {version!r} of {package!r} in {where}", hint=f"there is: {there}")
        near = self.near(package)
        hint = f"there is: {', '.join(near)}" if near else "name another suite with --suite"
        raise UsageError(f"no package {package!r} in {where}", hint=hint)

    def near(self, package: str) -> list[str]:
        """List packages with names like this one."""
        stem = package.rstrip("0123456789.+-~")[:11]
        names = self._run(["apt-cache", "pkgnames", stem], LOOK_SECONDS).stdout.split()
        names = [name for name in names if not name.endswith(("-dbg", "-unsigned"))]
        return difflib.get_close_matches(package, sorted(names), n=SHOWN, cutoff=0.7)

    def dependencies(self, offer: Offer) -> str:
        """Return what a package depends on, as its ``Depends`` field says."""
        answer = self._run(["apt-cache", "show", f"{offer.package}={offer.version}"], LOOK_SECONDS)
        stanzas = parse_stanzas(answer.stdout)
        return stanzas[0].get("Depends", "") if stanzas else ""

    def download(self, offer: Offer, directory: Path) -> Path:
        """Fetch a package; apt checks it against its signed lists.

        :param directory: an existing directory to put it in
        :returns: the file
        :raises HostError: if it cannot be fetched
        """
        place = directory / offer.package
        with host_errors("make", place):
            place.mkdir()
        wanted = f"{offer.package}={offer.version}"
        answer = self._run(["apt-get", "download", "-q", wanted], DOWNLOAD_SECONDS, cwd=place)
        found = list(place.glob("*.deb"))
        if answer.returncode != 0 and not self._updated:
            # The archive may have moved on since the lists were fetched.
            self.update()
            return self.download(self.find(offer.package, offer.version), _fresh(directory))
        if answer.returncode != 0 or len(found) != 1:
            said = [line[2:].strip() for line in answer.stderr.splitlines() if line.startswith("E:")]
            raise HostError(f"apt cannot fetch {wanted!r}: {_one_line(said)}")
        return found[0]


def _says_gone(line: str, suite: str) -> bool:
    """Tell whether a line of apt's means that the archive was reached and has no such suite."""
    absent = f"/dists/{suite}/" in line and ("404" in line or "File not found" in line)
    return absent or f" {suite} Release' does not have a Release file" in line


def _fresh(directory: Path) -> Path:
    again = directory / "again"
    again.mkdir()
    return again


def _one_line(said: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(said)) or "it does not say why"
