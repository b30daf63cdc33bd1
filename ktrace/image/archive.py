"""The Debian archive that this machine is configured for, as its own apt configuration names it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import HostError
from ktrace.image.toolchain import clean_environment, require_tool

OS_RELEASE = Path("/etc/os-release")
#: What else than its files tells apt what it is configured for.
SETTINGS = ("APT_CONFIG",)
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_OPTIONS = {
    ".sources": re.compile(r"^(signed-by|trusted):[ \t]*(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE),
    ".list": re.compile(r"[\s\[](signed-by|trusted)=([^\s\]]+)", re.IGNORECASE),
}


@dataclass(frozen=True)
class Archive:
    """One archive and the suites that this machine takes from it.

    :param uri: where it is, as apt has it
    :param suites: suites configured, as they are written there: ``bookworm``, ``bookworm-updates``
    :param signed_by: path of its keyring, ``None`` for apt's own
    :param trusted: whether this machine believes it without a signature
    """

    uri: str
    suites: tuple[str, ...]
    signed_by: str | None = None
    trusted: bool = False


def parse_stanzas(text: str) -> list[dict[str, str]]:
    """Parse paragraphs of ``Field: value`` lines, as apt and dpkg print them; continuations are joined."""
    stanzas = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        last = ""
        for line in paragraph.splitlines():
            if line[:1].isspace():
                if last:
                    fields[last] += "\n" + line.strip()
            else:
                last, colon, value = line.partition(":")
                if not colon:
                    last = ""
                    continue
                fields[last] = value.strip()
        if fields:
            stanzas.append(fields)
    return stanzas


def _options(entry: str, uri: str) -> dict[str, str]:
    """Look up which keyring a sources file names for an archive, and whether it trusts it; apt does not tell.

    :param entry: ``FILE:NUMBER``, as apt's index targets name where they come from
    :returns: ``signed-by`` and ``trusted``, where they are there
    """
    path = Path(entry.rpartition(":")[0])
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        return {}
    parts = re.split(r"\n\s*\n", text) if path.suffix == ".sources" else text.splitlines()
    pattern = _OPTIONS.get(path.suffix, _OPTIONS[".list"])
    for part in parts:
        if uri.rstrip("/") in part:
            return {key.lower(): value for key, value in pattern.findall(part)}
    return {}


def debian_archives(targets: Iterable[Mapping[str, str]], codename: str) -> list[Archive]:
    """Choose Debian's own archives among the index targets of apt's configuration.

    :param targets: stanzas of ``apt-get indextargets``
    :param codename: of the release that is installed; it tells the archive where no list has been fetched yet
    """
    suites: dict[str, list[str]] = {}
    entries: dict[str, str] = {}
    for target in targets:
        uri, suite = target.get("Repo-URI", ""), target.get("Release", "")
        ours = codename != "" and (suite == codename or suite.startswith(f"{codename}-"))
        if not uri or not suite or target.get("Component") != "main" or target.get("Origin", "Debian") != "Debian":
            continue
        if "Origin" not in target and not ours:
            continue
        known = suites.setdefault(uri, [])
        if suite not in known:
            known.append(suite)
        entries.setdefault(uri, target.get("Sourcesentry", ""))
    archives = []
    for uri, names in suites.items():
        options = _options(entries[uri], uri)
        keyring = options.get("signed-by", "")
        # Without a slash it is a key's number, or the key itself: such an archive is read with apt's own keyrings.
        signed_by = keyring if keyring.startswith("/") else None
        archives.append(Archive(uri, tuple(names), signed_by, options.get("trusted", "").lower() == "yes"))
    return archives


def apt_environment() -> dict[str, str]:
    """Make the environment that apt runs in: clean but for proxies and the machine's own settings of apt."""
    passed = [*SETTINGS, *PROXIES, *(name.upper() for name in PROXIES)]
    return clean_environment({name: os.environ[name] for name in passed if name in os.environ})


def _codename() -> str:
    try:
        text = OS_RELEASE.read_text()
    except OSError:
        return ""
    match = re.search(r'^VERSION_CODENAME="?([a-z0-9-]+)"?$', text, re.MULTILINE)
    return match[1] if match else ""


def configured_archives() -> list[Archive]:
    """Ask apt which Debian archives this machine is configured for.

    :raises HostError: if there is no apt, or no Debian archive in its configuration
    """
    archives: list[Archive] = []
    # Without lists, as on a fresh machine, apt only tells of targets when it is not asked for their releases' words.
    for words in ([], ["--no-release-info"]):
        argv = [require_tool("apt-get"), "indextargets", *words, "Identifier: Packages"]
        answer = subprocess.run(argv, env=apt_environment(), capture_output=True, text=True, timeout=60, check=False)
        archives = archives or debian_archives(parse_stanzas(answer.stdout), _codename())
    if not archives:
        raise HostError(
            "apt on this machine is configured for no Debian archive: packages cannot be fetched",
            hint="name one in /etc/apt/sources.list.d, or give files: ktrace image import NAME --deb FILE...",
        )
    return archives


def archive_for(suite: str, archives: Iterable[Archive]) -> Archive:
    """Choose the archive in which a suite must be: security updates have one of their own.

    :raises HostError: if none of that kind is configured
    """
    archives = list(archives)
    for archive in archives:
        if suite in archive.suites:
            return archive
    secure = _is_security(suite)
    for archive in archives:
        if secure == any(_is_security(name) for name in archive.suites):
            return archive
    raise HostError(
        f"no archive for suite {suite!r}: this machine takes "
        + ", ".join(name for archive in archives for name in archive.suites),
        hint="name one with it in /etc/apt/sources.list.d",
    )


def _is_security(suite: str) -> bool:
    return suite.endswith(("-security", "/updates"))
