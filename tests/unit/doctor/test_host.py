"""The doctor names what is missing, and every remedy is a package that the set-up knows."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ktrace.cli.doctor import doctor
from ktrace.doctor import host
from ktrace.doctor.check import Verdict
from ktrace.image.recipe import load_recipe, recipe_names
from ktrace.image.source import is_offered
from ktrace.image.toolchain import tool_version
from ktrace.own_files import own_files


def packages() -> set[str]:
    text = (own_files() / "scripts" / "packages.txt").read_text()
    return {line.partition("#")[0].strip() for line in text.splitlines()} - {""}


def test_every_package_is_known_to_the_setup():
    named = {*host.PROGRAMS.values(), host.SHELL[1], *(package for _, package in host.FILES.values())}
    kernels = [load_recipe(name).kernel for name in recipe_names()]
    named |= {kernel.package for kernel in kernels if kernel.suite is None}
    assert named - packages() == set()


def test_a_missing_program_is_named_with_its_package(monkeypatch, tmp_path):
    for program in host.PROGRAMS:
        if program != "flex":
            (tmp_path / program).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = {check.name: check for check in host.check_programs() if check.found == "not installed"}
    assert list(missing) == ["flex"]
    assert missing["flex"].verdict is Verdict.MISSING
    assert missing["flex"].remedy == "as root: apt-get install flex"


def test_a_missing_shell_is_only_warned_of(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    check = host.check_shell()
    assert check.verdict is Verdict.WARNING
    assert check.remedy == "for ktrace console, as root: apt-get install busybox-static"
    (tmp_path / "busybox").symlink_to("/bin/true")
    assert host.check_shell().verdict is Verdict.OK


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(host.FILES, "libelf headers", (("/nowhere/gelf.h",), "libelf-dev"))
    checks = {check.name: check for check in host.check_files()}
    assert checks["libelf headers"].verdict is Verdict.MISSING
    assert checks["libelf headers"].remedy == "as root: apt-get install libelf-dev"


def test_a_store_that_cannot_be_written_is_named(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc")
    checks = {check.name: check for check in host.check_room()}
    assert checks["image store"].verdict is Verdict.MISSING
    assert "/proc/ktrace" in checks["image store"].found


def test_a_source_of_another_suite_is_fetched_when_it_is_needed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    checks = {check.name: check for check in host.check_sources()}
    assert checks["source of lab-7.3"].verdict is Verdict.OK
    assert checks["source of lab-7.3"].found.endswith("of trixie-backports, fetched when it is built")
    settings = tmp_path / "apt.conf"
    settings.write_text(f'Dir::Etc::sourceparts "{tmp_path}/none"; Dir::Etc::sourcelist "/dev/null";\n')
    monkeypatch.setenv("APT_CONFIG", str(settings))
    checks = {check.name: check for check in host.check_sources()}
    assert checks["source of lab-7.3"].verdict is Verdict.WARNING
    assert "cannot be fetched: apt on this machine is configured for no Debian" in checks["source of lab-7.3"].found


def test_a_source_that_this_debian_does_not_have_is_not_asked_of_apt(monkeypatch):
    monkeypatch.setattr(host, "package_version", lambda name: None)
    (check,) = [check for check in host.check_sources() if check.name == "source of lab-6.1"]
    assert check.verdict is Verdict.MISSING and host.missing_packages([check]) == ("linux-source-6.1",)
    assert is_offered("libc6") and not is_offered("linux-source-0.1")
    monkeypatch.setattr(host, "is_offered", lambda name: False)
    (check,) = [check for check in host.check_sources() if check.name == "source of lab-6.1"]
    assert check.verdict is Verdict.WARNING and "ktrace image pack lab-6.1" in str(check.remedy)
    assert host.missing_packages([check]) == ()


def test_an_unbuilt_image_is_a_warning_that_says_how(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    checks = {check.name: check for check in host.check_images()}
    assert checks["image lab-6.1"].verdict is Verdict.WARNING
    assert checks["image lab-6.1"].remedy == "run: ktrace image build lab-6.1"
    assert checks["accelerator"].verdict is Verdict.WARNING


@pytest.fixture
def without_qemu(monkeypatch, tmp_path) -> Path:
    """A path with everything but QEMU, and a store without an image."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for program in ("gcc", "ld", "make", "flex", "bison", "bc", "xz", "setpriv", "dpkg-query"):
            real, link = Path(directory) / program, programs / program
            if real.is_file() and not link.exists():
                link.symlink_to(real)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tool_version.cache_clear()
    return programs


def test_the_command_exits_3_when_something_is_missing(without_qemu):
    answer = CliRunner().invoke(doctor)
    assert answer.exit_code == 3
    assert "missing: qemu-system-x86_64" in answer.output.splitlines()[-1]
    assert answer.output.splitlines()[-2].startswith("as root: apt-get install qemu-system-x86")
    assert "as root: apt-get install qemu-system-x86" in answer.output


def test_json(without_qemu):
    answer = CliRunner().invoke(doctor, ["--json"])
    assert answer.exit_code == 3
    checks = {check["name"]: check for check in json.loads(answer.stdout)}
    assert checks["qemu-system-x86_64"]["verdict"] == "missing"
    assert checks["architecture"]["verdict"] == "ok"
    assert set(checks["memory"]) == {"name", "verdict", "found", "remedy"}
