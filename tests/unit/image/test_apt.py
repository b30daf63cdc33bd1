"""Packages of suites that are not configured: the real apt, an archive in a directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ktrace.errors import HostError, UsageError
from ktrace.image.apt import Apt, Offer, parse_madison, write_settings, write_sources
from ktrace.image.archive import Archive
from ktrace.image.deb import deb_fields, extract_deb
from ktrace.image.progress import Silent
from ktrace.image.prune import prune_store
from ktrace.image.recipe import KernelRecipe
from ktrace.image.source import find_source
from ktrace.image.store import Store, digest_file, open_store
from tests.unit.image.debian import build_deb, configure, publish, source_deb

SUITE, OTHER = "bookworm", "trixie"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive with a suite that apt is configured for, and another that it is not."""
    root, work = tmp_path / "archive", tmp_path / "work"
    work.mkdir()
    publish(root, SUITE, [build_deb(work, "linux-image-1-cloud", "1.0", {"boot/config-1": b"CONFIG_A=y\n"})])
    old = source_deb(work, "linux-source-9.9", "9.9.1-1", {"Makefile": "old\n"})
    new = source_deb(work, "linux-source-9.9", "9.9.2-1~bpo1+1", {"Makefile": "new\n"})
    publish(root, OTHER, [old, new])
    machine = tmp_path / "machine"
    machine.mkdir()
    monkeypatch.setenv("APT_CONFIG", str(configure(machine, root, SUITE)))
    # Codename of the release before any list was fetched.
    release = machine / "os-release"
    release.write_text(f'ID=debian\nVERSION_CODENAME="{SUITE}"\n')
    monkeypatch.setattr("ktrace.image.archive.OS_RELEASE", release)
    return root


def test_a_version_of_a_suite_that_is_not_configured_is_fetched(archive: Path, store: Store, tmp_path: Path) -> None:
    apt = Apt(store, (OTHER,))
    assert apt.find("linux-source-9.9") == Offer("linux-source-9.9", "9.9.2-1~bpo1+1", OTHER)
    deb = apt.download(apt.find("linux-source-9.9", "9.9.1-1"), tmp_path)
    assert deb_fields(deb)["Version"] == "9.9.1-1"
    assert extract_deb(deb, lambda name: tmp_path / "out" if name.endswith(".tar.xz") else None) == [
        "usr/src/linux-source-9.9.tar.xz"
    ]
    # Nothing of it went where the machine keeps its own.
    assert list((tmp_path / "machine" / "lists").glob("*Packages*")) == []


def test_suites_are_looked_at_together(archive: Path, store: Store) -> None:
    apt = Apt(store, (SUITE, OTHER))
    assert apt.find("linux-image-1-cloud").suite == SUITE
    assert apt.find("linux-source-9.9").suite == OTHER


def test_a_suite_that_is_not_there(archive: Path, store: Store) -> None:
    with pytest.raises(
        UsageError, match=r"^no suite 'sarge' in the archive that this machine is configured for(?:\n|$)"
    ):
        Apt(store, ("sarge",)).find("linux-source-9.9")


def test_a_package_that_is_not_there_names_its_neighbours(archive: Path, store: Store) -> None:
    with pytest.raises(UsageError, match=r"^no package 'linux-source-9.8' in trixie(?:\n|$)") as caught:
        Apt(store, (OTHER,)).find("linux-source-9.8")
    assert caught.value.hint == "there is: linux-source-9.9"


def test_a_version_that_went_away_names_those_that_are_there(archive: Path, store: Store) -> None:
    with pytest.raises(UsageError, match=r"^no version '9.9.0-1' of 'linux-source-9.9' in trixie(?:\n|$)") as caught:
        Apt(store, (OTHER,)).find("linux-source-9.9", "9.9.0-1")
    assert caught.value.hint == "there is: 9.9.2-1~bpo1+1, 9.9.1-1"


def test_lists_that_have_aged_are_fetched_anew(archive: Path, store: Store, tmp_path: Path) -> None:
    assert Apt(store, (OTHER,)).find("linux-source-9.9", "9.9.1-1")
    newer = source_deb(tmp_path / "work", "linux-source-9.9", "9.9.3-1", {"Makefile": "newer\n"})
    publish(archive, OTHER, [newer])
    (archive / "pool" / "linux-source-9.9_9.9.1-1_amd64.deb").unlink()
    assert Apt(store, (OTHER,)).find("linux-source-9.9", "9.9.3-1")
    with pytest.raises(UsageError, match=r"no version '9.9.1-1'"):
        Apt(store, (OTHER,)).find("linux-source-9.9", "9.9.1-1")


def test_a_package_that_went_while_its_list_is_still_here(archive: Path, store: Store, tmp_path: Path) -> None:
    offer = Apt(store, (OTHER,)).find("linux-source-9.9", "9.9.1-1")
    publish(archive, OTHER, [source_deb(tmp_path / "work", "linux-source-9.9", "9.9.3-1", {"Makefile": ""})])
    (archive / "pool" / "linux-source-9.9_9.9.1-1_amd64.deb").unlink()
    (tmp_path / "into").mkdir()
    with pytest.raises(UsageError, match=r"no version '9.9.1-1'"):
        Apt(store, (OTHER,)).download(offer, tmp_path / "into")


def test_a_package_that_is_not_what_the_list_says(archive: Path, store: Store, tmp_path: Path) -> None:
    offer = Apt(store, (OTHER,)).find("linux-source-9.9", "9.9.1-1")
    deb = archive / "pool" / "linux-source-9.9_9.9.1-1_amd64.deb"
    data = bytearray(deb.read_bytes())
    data[-600] ^= 1
    deb.write_bytes(data)
    (tmp_path / "into").mkdir()
    with pytest.raises(HostError, match=r"apt cannot fetch 'linux-source-9.9=9.9.1-1': "):
        Apt(store, (OTHER,)).download(offer, tmp_path / "into")


def test_an_archive_that_is_not_reached(archive: Path, store: Store) -> None:
    archive.rename(archive.with_name("gone"))
    with pytest.raises((HostError, UsageError)):
        Apt(store, (OTHER,)).find("linux-source-9.9")


def recipe(version: str, suite: str | None = OTHER) -> KernelRecipe:
    return KernelRecipe(
        package="linux-source-9.9",
        base="tinyconfig",
        fragments=(),
        make_variables={},
        excludes=(),
        objects=1,
        suite=suite,
        version=version,
    )


def test_the_source_of_a_recipe_is_fetched_once(archive: Path, store: Store) -> None:
    source = find_source(recipe("9.9.1-1"), store, Silent())
    assert (source.name, source.version, source.digest) == ("linux-source-9.9", "9.9.1-1", digest_file(source.tarball))
    archive.rename(archive.with_name("gone"))
    assert find_source(recipe("9.9.1-1"), store, Silent()) == source


def test_a_source_that_no_recipe_names_any_more_is_pruned(archive: Path, store: Store) -> None:
    source = find_source(recipe("9.9.1-1"), store, Silent())
    lists = Apt(store, (OTHER,)).place
    assert {entry.path for entry in prune_store(store)} == {source.tarball.parent, lists}
    # They are fetched again when they are missed.
    assert Apt(store, (OTHER,)).find("linux-source-9.9", "9.9.1-1")


def test_a_package_without_a_source_is_refused(archive: Path, store: Store, tmp_path: Path) -> None:
    publish(archive, OTHER, [build_deb(tmp_path / "work", "linux-source-9.9", "9.9.4-1", {"usr/src/x": b""})])
    with pytest.raises(UsageError, match=r"has no usr/src/linux-source-9.9.tar.xz: it is no kernel source"):
        find_source(recipe("9.9.4-1"), store, Silent())


def test_what_is_no_package_and_what_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(b"junk" * 100)
    with pytest.raises(UsageError, match=r"x.deb' is no Debian package: "):
        deb_fields(tmp_path / "x.deb")
    deb = build_deb(tmp_path, "a", "1", {"big": os.urandom(100_000)})
    (tmp_path / "cut.deb").write_bytes(deb.read_bytes()[:60_000])
    with pytest.raises(UsageError, match=r"cut.deb' is damaged: "):
        extract_deb(tmp_path / "cut.deb", lambda name: tmp_path / "out")


def test_sources_carry_keyring_and_trust_of_their_archive() -> None:
    text = write_sources(
        ["a", "a-security"], [Archive("u:1", ("b",), "/k.gpg"), Archive("u:2", ("b-security",), None, True)]
    )
    assert text == (
        "Types: deb\nURIs: u:1\nSuites: a\nComponents: main\nArchitectures: amd64\nTargets: Packages\nLanguages: none\n"
        "Signed-By: /k.gpg\n\n"
        "Types: deb\nURIs: u:2\nSuites: a-security\nComponents: main\nArchitectures: amd64\nTargets: Packages\n"
        "Languages: none\nTrusted: yes\n"
    )


def test_everything_that_apt_writes_is_below_the_store(tmp_path: Path) -> None:
    settings = write_settings(tmp_path)
    assert f'Dir::State::Lists "{tmp_path}/lists"' in settings
    assert f'Dir::Cache "{tmp_path}/cache"' in settings
    assert 'Dir::Cache::pkgcache "pkgcache.bin"' in settings
    assert 'Dir::Etc::SourceParts "/dev/null"' in settings


def test_madison_is_read_as_apt_prints_it() -> None:
    # apt 2.6, the host changed
    text = (
        " linux-source-6.1 |  6.1.192-3 | http://debian.example/debian-security bookworm-security/main amd64 Packages\n"
        "linux-source-6.1 |  6.1.176-1 | http://debian.example/debian bookworm/main amd64 Packages\nN: nothing\n"
    )
    assert parse_madison(text) == [
        Offer("linux-source-6.1", "6.1.192-3", "bookworm-security"),
        Offer("linux-source-6.1", "6.1.176-1", "bookworm"),
    ]
