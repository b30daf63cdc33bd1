"""``ktrace image`` as a person meets it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ktrace.cli.building import BuildProgress
from ktrace.cli.image import image
from ktrace.cli.main import main
from ktrace.errors import KernelLacks
from ktrace.image.foreign import KernelFiles, import_image
from ktrace.image.image import Image
from ktrace.image.store import open_store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mine(kernel: Path, tmp_path: Path) -> Image:
    (tmp_path / "dot-config").write_text("CONFIG_A=y\n")
    return import_image("mine", KernelFiles(kernel, config=tmp_path / "dot-config"), store=open_store())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(image, arguments, catch_exceptions=False)


def test_list(mine):
    rows = [line.split()[:3] for line in run("list").stdout.splitlines()]
    assert ["mine", "built", mine.build_id[:12]] in rows
    assert ["lab-6.1", "not", "built"] in rows


def test_list_json(mine):
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert rows["mine"]["build_id"] == mine.build_id
    assert rows["mine"]["state"] == "built"
    assert rows["lab-6.1"] == {"name": "lab-6.1", "state": "not built"}


def test_show(mine):
    assert f"build-id   {mine.build_id}" in run("show", "mine").stdout.splitlines()
    assert run("show", "mine", "--config").stdout == "CONFIG_A=y\n"
    assert json.loads(run("show", "mine", "--manifest").stdout) == mine.manifest
    assert json.loads(run("show", "mine", "--json").stdout)["vmlinux"] == str(mine.vmlinux)


def test_import_refuses_what_cannot_be_read(kernel):
    """A file that is whole, but the kernel of nobody: no structure is in it."""
    with pytest.raises(KernelLacks, match="cannot be read: struct page is unknown"):
        run("import", "mine", "--vmlinux", str(kernel))
    assert open_store().read_ref("mine") is None


def test_import(kernel, monkeypatch):
    # What is read of it is not what this is about: tests/guest/inspect/test_readable.py.
    monkeypatch.setattr("ktrace.verify.readable.require_readable", lambda vmlinux: None)
    answer = run("import", "mine", "--vmlinux", str(kernel), "--json")
    facts = json.loads(answer.stdout)
    assert facts["origin"] == "import"
    assert Path(facts["kernel"]).is_file()
    # Progress goes to standard error, as plain lines where that is no terminal.
    assert "copying into the store" in answer.stderr
    assert "\x1b" not in answer.stderr
    assert run("import", "mine", "--vmlinux", str(kernel), "-q").output == ""


def test_config(tmp_path):
    (tmp_path / "config").write_text("CONFIG_64BIT=y\n")
    answer = run("config", "--for", str(tmp_path / "config"))
    assert "# System V IPC: else half of what is checked is not there\nCONFIG_SYSVIPC=y\n" in answer.stdout
    assert "missing: initramfs, virtio transport, virtio console, " in answer.stderr
    (tmp_path / "whole").write_text(f"CONFIG_64BIT=y\n{answer.stdout}")
    answer = run("config", "--for", str(tmp_path / "whole"))
    assert (answer.stdout, answer.stderr) == ("", "nothing is missing\n")
    facts = json.loads(run("config", "--for", str(tmp_path / "config"), "--json").stdout)
    assert {"what": "System V IPC", "why": "half of what is checked is not there", "required": True} in facts["missing"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["show", "nope"], 2, "no image 'nope'"),
        (["show", "lab-6.1"], 3, "image 'lab-6.1' is not built"),
        (["build", "nope"], 2, "no recipe 'nope'"),
        (["verify", "nope"], 2, "no image 'nope'"),
        (["import", "mine", "--vmlinux", "/nowhere"], 2, "cannot read '/nowhere'"),
        (["import", "mine"], 2, "give one of --package, --deb, --build and --vmlinux, not none"),
        (["import", "mine", "--build", "/x", "--vmlinux", "/y"], 2, "not --build and --vmlinux"),
        (["import", "mine", "--build", "/nowhere"], 2, "neither a kernel's source tree nor its build directory"),
        (["import", "mine", "--deb", "/nowhere", "/either"], 2, "cannot read '/nowhere': No such file or directory"),
        (["import", "lab-6.1", "--build", "/nowhere"], 2, "'lab-6.1' is the name of a recipe"),
        (["config", "--for", "/nowhere"], 2, "cannot read '/nowhere' as a configuration: No such file or directory\n"),
        (["import", "mine", "--build", "/x", "/y"], 2, "unexpected extra argument (/y)"),
        (["import", "mine", "--deb", "/x", "--suite", "sid"], 2, "--suite goes with --package"),
        (["import", "mine", "--deb", "/x", "--config", "/y"], 2, "--boot, --config and --modules go with --vmlinux"),
        (["import", "mine", "--package", "a b"], 2, "'a b' is no package"),
        (["import", "lab-6.1", "--package", "linux-image-6.1"], 2, "is the name of a recipe"),
        (["config"], 2, "--for is missing"),
        (["refresh", "nope"], 2, "no imported image 'nope'"),
        (["source", "nope", "/tmp"], 2, "no recipe 'nope'"),
    ],
)
def test_errors_have_their_exit_code(arguments, code, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["image", *arguments])
    assert caught.value.code == code
    assert message in capsys.readouterr().err


def test_an_import_cannot_be_verified(mine, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["image", "verify", "mine"])
    assert caught.value.code == 2
    assert "imported" in capsys.readouterr().err


def test_source_goes_into_an_empty_directory_only(tmp_path, capsys):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_text("")
    with pytest.raises(SystemExit) as caught:
        main(["image", "source", "lab-6.1", str(tmp_path / "tree")])
    assert caught.value.code == 2
    assert "is not an empty directory" in capsys.readouterr().err


def test_progress_on_a_pipe_is_a_few_plain_lines(capsys):
    with BuildProgress() as progress:
        progress.stage("compiling", total=200)
        for done in range(1, 251):
            progress.advance(done, f"{done}.o")
        progress.note("by the way")
    lines = [line.partition("s  ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines[0] == "compiling"
    assert lines[1:11] == [f"compiling: {done} of 200" for done in range(20, 201, 20)]
    assert len(lines) == 12


def test_quiet_progress_says_only_notes(capsys):
    with BuildProgress(quiet=True) as progress:
        progress.stage("compiling", total=2)
        progress.advance(1, "a.o")
        progress.note("waiting for somebody")
    assert capsys.readouterr().err == "waiting for somebody\n"
