"""Which Debian archive this machine is configured for is read from apt's own words, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.errors import HostError
from ktrace.image.archive import Archive, archive_for, configured_archives, debian_archives, parse_stanzas

# What apt-get 2.6 indextargets prints on a Debian 12 machine with another vendor's packages, hosts and paths changed.
TARGETS = """\
MetaKey: main/binary-amd64/Packages
Description: http://debian.example/debian bookworm/main amd64 Packages
Codename: bookworm
Label: Debian
Origin: Debian
Suite: oldstable
Component: main
Release: bookworm
Repo-URI: http://debian.example/debian/
Sourcesentry: {sources}:1

Codename: bookworm-updates
Origin: Debian
Component: main
Release: bookworm-updates
Repo-URI: http://debian.example/debian/
Sourcesentry: {sources}:1

Codename: bookworm-security
Label: Debian-Security
Origin: Debian
Component: main
Release: bookworm-security
Repo-URI: http://debian.example/debian-security/
Sourcesentry: {list}:2

Origin: . nodistro
Component: main
Release: nodistro
Repo-URI: http://vendor.example/
Sourcesentry: {list}:1

Origin: Debian
Component: contrib
Release: bookworm
Repo-URI: http://other.example/debian/
Sourcesentry: {sources}:1
"""
SOURCES = """\
# the main archive
Types: deb
URIs: http://debian.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg
"""
LIST = """\
deb [arch=amd64 signed-by=/etc/vendor.gpg] http://vendor.example/ nodistro main
deb [arch=amd64 signed-by=/usr/share/keyrings/security.gpg trusted=yes] http://debian.example/debian-security bookworm-security main
"""  # noqa: E501


@pytest.fixture
def targets(tmp_path: Path) -> str:
    (tmp_path / "debian.sources").write_text(SOURCES)
    (tmp_path / "more.list").write_text(LIST)
    return TARGETS.format(sources=tmp_path / "debian.sources", list=tmp_path / "more.list")


MAIN = Archive("http://debian.example/debian/", ("bookworm", "bookworm-updates"), "/usr/share/keyrings/debian.gpg")
SECURITY = Archive(
    "http://debian.example/debian-security/", ("bookworm-security",), "/usr/share/keyrings/security.gpg", trusted=True
)


def test_debian_is_found_among_other_archives_with_its_keyrings(targets: str) -> None:
    assert debian_archives(parse_stanzas(targets), "") == [MAIN, SECURITY]


def test_before_any_list_was_fetched_the_release_tells(targets: str) -> None:
    bare = "\n".join(line for line in targets.splitlines() if not line.startswith(("Origin", "Label", "Codename")))
    found = debian_archives(parse_stanzas(bare), "bookworm")
    assert found == [MAIN, SECURITY]
    assert debian_archives(parse_stanzas(bare), "noble") == []
    assert debian_archives(parse_stanzas(bare), "") == []


def test_a_key_in_the_sources_file_is_no_path(tmp_path: Path, targets: str) -> None:
    text = SOURCES.replace(" /usr/share/keyrings/debian.gpg", "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME")
    (tmp_path / "debian.sources").write_text(text)
    assert debian_archives(parse_stanzas(targets), "")[0].signed_by is None


@pytest.mark.parametrize(
    ("suite", "archive"),
    [
        ("bookworm", MAIN),
        ("trixie", MAIN),
        ("trixie-backports", MAIN),
        ("trixie-security", SECURITY),
        ("bookworm-security", SECURITY),
        ("buster/updates", SECURITY),
    ],
)
def test_security_updates_have_an_archive_of_their_own(suite: str, archive: Archive) -> None:
    assert archive_for(suite, [MAIN, SECURITY]) == archive


def test_a_suite_that_no_archive_can_have_is_refused() -> None:
    with pytest.raises(HostError, match="no archive for suite 'trixie-security': this machine takes bookworm, bookw"):
        archive_for("trixie-security", [MAIN])


def test_a_machine_without_debian_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "apt.conf"
    settings.write_text(f'Dir::Etc::sourceparts "{tmp_path}/none"; Dir::Etc::sourcelist "/dev/null";\n')
    # Of the real apt: its settings file is read before all others, so the rest is cut off by an empty directory.
    monkeypatch.setenv("APT_CONFIG", str(settings))
    with pytest.raises(HostError, match="configured for no Debian archive") as caught:
        configured_archives()
    assert "--deb FILE" in (caught.value.hint or "")
