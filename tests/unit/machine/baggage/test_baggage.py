"""What is brought for a command line: read off this machine's own files."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from ktrace.errors import HostError, KtraceError, UsageError
from ktrace.machine.baggage.elf import read_elf
from ktrace.machine.baggage.entries import Baggage, Directory, Link, Regular
from ktrace.machine.baggage.errors import CannotExecute, NoProgram
from ktrace.machine.baggage.languages import language_of
from ktrace.machine.baggage.pack import Packed, pack
from ktrace.machine.baggage.words import words_of


def files(packed: Packed) -> set[str]:
    return {file.source for file in packed.baggage.files if file.source}


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("path", ["/bin/sh", sys.executable, "/usr/bin/gcc"])
def test_an_elf_file_is_read_as_others_read_it(path: str) -> None:
    elf = read_elf(path)
    with open(path, "rb") as stream:
        other = ELFFile(stream)
        dynamic = other.get_section_by_name(".dynamic")
        assert isinstance(dynamic, DynamicSection)
        tags: list[Any] = list(dynamic.iter_tags("DT_NEEDED"))
        parts: list[Any] = list(other.iter_segments("PT_INTERP"))
        needed, loader = [tag.needed for tag in tags], parts[0].get_interp_name()
    assert elf is not None
    assert (elf.runs, elf.interpreter, list(elf.needed)) == (True, loader, needed)


def test_what_is_no_elf_file_of_ours_is_told(tmp_path: Path) -> None:
    whole = Path("/bin/sh").read_bytes()
    file = tmp_path / "file"
    file.write_bytes(b"\x7fELF\1\1" + whole[6:18] + struct.pack("<H", 3) + whole[20:])
    elf = read_elf(str(file))
    assert elf is not None
    assert (elf.what, elf.runs) == ("32-bit executable for i386", False)
    file.write_bytes(whole[:100])
    elf = read_elf(str(file))
    assert elf is not None
    assert (elf.what, elf.runs) == ("damaged executable for x86-64", False)
    file.write_bytes(b"#!/bin/sh\n")
    assert read_elf(str(file)) is None


def test_a_tree_keeps_links_and_modes_and_leaves_sockets_here(tmp_path: Path) -> None:
    tree, beside = tmp_path / "tree", tmp_path / "beside"
    (tree / "deep").mkdir(parents=True)
    beside.write_bytes(b"1234")
    (tree / "deep" / "run").write_bytes(b"x")
    (tree / "deep" / "run").chmod(0o4751)
    (tree / "to-file").symlink_to("../beside")
    (tree / "to-nothing").symlink_to("nowhere")
    (tree / "to-itself").symlink_to(".")
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tree / "socket"))
        baggage = Baggage()
        found = baggage.add_tree(str(tree))
    assert {(file.path, file.mode, file.size) for file in found} == {
        (f"{tree}/deep/run", 0o4751, 1),
        (str(beside), 0o644, 4),
    }
    assert {(link.path, link.target) for link in baggage.links} >= {
        (f"{tree}/to-file", "../beside"),
        (f"{tree}/to-nothing", "nowhere"),
        (f"{tree}/to-itself", "."),
    }
    assert Directory(f"{tree}/deep", 0o755) in baggage.directories
    assert sorted(baggage.skipped) == [f"'{tree}/fifo' is a FIFO", f"'{tree}/socket' is a socket"]


def test_here_and_there_may_differ(tmp_path: Path) -> None:
    (tmp_path / "a:b").write_text("1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("2")
    into = f"{tmp_path}/data/file:/srv/into/"
    packed = pack(["true"], [f"{tmp_path}/data:/srv/there/", f"{tmp_path}/a:b", into], "/")
    places = {file.path: file.source for file in packed.baggage.files}
    assert places["/srv/there/file"] == f"{tmp_path}/data/file"
    assert places["/srv/into/file"] == f"{tmp_path}/data/file"
    assert f"{tmp_path}/a:b" in places
    assert Directory("/srv", 0o755) in packed.baggage.directories
    assert f"{tmp_path}/data/file" not in places


def test_links_on_the_way_come_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("")
    (tmp_path / "way").symlink_to("real")
    (tmp_path / "name").symlink_to(tmp_path / "way" / "file")
    baggage = Baggage()
    assert baggage.add(f"{tmp_path}/name") == f"{tmp_path}/real/file"
    assert Link(f"{tmp_path}/way", "real") in baggage.links
    assert [file.path for file in baggage.files] == [f"{tmp_path}/real/file"]
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        baggage.add(f"{tmp_path}/loop")


def test_programs_and_files_that_words_name_are_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.txt").write_text("1\n")
    run = script(tmp_path / "run", "#!/bin/sh\n# sort is not meant\nhead -1 data.txt | od\n")
    packed = pack(["bash", "-c", "cat <data.txt|wc -l; ./run >/dev/null"])
    names = {os.path.basename(file) for file in files(packed)}
    assert names >= {"bash", "cat", "wc", "data.txt", "run", "head", "od", "libc.so.6", "libgcc_s.so.1"}
    assert "sort" not in names
    assert not any(file.startswith(("/dev", "/proc")) for file in files(packed))
    assert run in packed.told
    assert packed.path == "/usr/bin/bash" or packed.path == "/bin/bash"


def test_who_looks_up_users_finds_some() -> None:
    packed = pack(["true"], (), "/")
    made = {file.path: file.data for file in packed.baggage.files if not file.source}
    assert set(made) == {"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf"}
    kept = pack(["true"], ["/etc/passwd"], "/")
    assert Regular("/etc/passwd", "/etc/passwd", 0o644, Path("/etc/passwd").stat().st_size) == next(
        Regular(file.path, file.source, file.mode, file.size) for file in kept.baggage.files if "passwd" in file.path
    )


def test_an_interpreter_comes_with_its_library_and_named_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    language = language_of(sys.executable)
    assert language is not None
    assert os.path.dirname(os.__file__) in language.own
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "main.py").write_text("import beside, click, test.support\n")
    found = files(pack([sys.executable, "main.py"]))
    assert {f"{tmp_path}/main.py", f"{tmp_path}/beside.py", pytest.importorskip("click").__file__} <= found
    assert f"{os.path.dirname(os.__file__)}/multiprocessing/pool.py" in found
    assert not any("/rich/" in file for file in found)
    bare = files(pack([sys.executable, "-c", "pass"]))
    assert not any("/site-packages/" in file or "/python3.11/test/" in file for file in bare)


def test_what_only_finds_an_interpreter_is_a_link_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    packed = pack(["python3", "-c", "pass"], (), "/")
    assert packed.path == sys.executable
    assert Link(f"{tmp_path}/python3", sys.executable) in packed.baggage.links


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("echo\n", CannotExecute, "is neither an ELF program nor a script"),
        ("#!/nowhere/sh\n", CannotExecute, "asks for the interpreter '/nowhere/sh', which this machine does not have"),
        ("#!/usr/bin/env nowhere\n", CannotExecute, "asks for the interpreter 'nowhere'"),
        ("#!\n", CannotExecute, "is neither"),
        ("#!/bin/sh\r\necho\r\n", CannotExecute, "the kernel takes the"),
    ],
)
def test_scripts_that_cannot_be_run(tmp_path: Path, text: str, error: type[KtraceError], message: str) -> None:
    with pytest.raises(error, match=message):
        pack([script(tmp_path / "script", text)], (), "/")


def test_what_is_not_there_or_not_brought(tmp_path: Path) -> None:
    with pytest.raises(NoProgram):
        pack(["nonsense"], (), "/")
    with pytest.raises(CannotExecute, match="is not executable"):
        pack(["/etc/passwd"], (), "/")
    with pytest.raises(UsageError, match="no file '/nowhere' on this machine"):
        pack(["true"], ["/nowhere"], "/")
    with pytest.raises(UsageError, match="a guest has a /proc of its own"):
        pack(["true"], ["/proc/cpuinfo"], "/")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="fifo' is a FIFO"):
        pack(["true"], [f"{tmp_path}/fifo"], "/")
    if os.getuid():
        (tmp_path / "secret").touch(mode=0)
        with pytest.raises(HostError, match="cannot read"):
            pack(["true"], [f"{tmp_path}/secret"], "/")


def test_scripts_of_others_name_programs_in_quotes_and_texts_name_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.py").write_text("import subprocess  # sort\nsubprocess.run(['uniq', 'book'])\nwc = 1\n")
    (tmp_path / "book").write_text("who will cut, sort and find 'uniq' things\n")
    found = {os.path.basename(file) for file in files(pack([sys.executable, "main.py"]))}
    assert {"uniq", "book"} <= found
    assert not {"wc", "sort", "who"} & found
    found = {os.path.basename(file) for file in files(pack(["bash", "-c", "wc book"]))}
    assert {"wc", "book"} <= found
    assert not {"who", "cut", "sort", "find", "uniq"} & found
    assert "uniq" in {os.path.basename(file) for file in files(pack(["bash", "book"]))}


def test_scripts_of_ones_own_name_files_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    tests = tmp_path / "tests"
    tests.mkdir()
    script(tests / "run", "#!/bin/sh\n. ./common\nexec ./helper <data/in\n")
    (tests / "common").write_text("x=1\n")
    script(tests / "helper", "#!/usr/bin/env bash\nuniq other.sh\n")
    (tests / "other.sh").write_text("cat last\n")
    (tests / "last").write_text("paste\n")
    (tests / "data").mkdir()
    (tests / "data" / "in").write_text("")
    found = files(pack([str(tests / "run")]))
    assert {str(tests / name) for name in ("run", "common", "helper", "other.sh", "last", "data/in")} <= found
    assert {"bash", "uniq"} <= {os.path.basename(file) for file in found}
    assert "paste" not in {os.path.basename(file) for file in found}
    (tests / "main.py").write_text("import one\n")
    (tests / "one.py").write_text("import two, click\n")
    (tests / "two.py").write_text("open('last')\n")
    found = files(pack([sys.executable, str(tests / "main.py")]))
    assert {str(tests / name) for name in ("main.py", "one.py", "two.py")} <= found
    assert pytest.importorskip("click").__file__ in found


def test_what_is_long_goes_no_further_than_its_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "short", "#!/bin/sh\nexec uniq -c\n")
    script(tmp_path / "long", "#!/bin/sh\nexec comm\n" + "# text\n" * 1000)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    packed = pack(["bash", "-c", "short; long"], (), "/")
    found = {os.path.basename(file) for file in files(packed)}
    assert {"short", "long", "uniq"} <= found
    assert "comm" not in found
    assert "comm" in {os.path.basename(file) for file in files(pack(["long"], (), "/"))}


def test_what_is_missed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open("large", "wb") as large:
        large.truncate(65 << 20)
    os.mkdir("tree")
    os.mkfifo("tree/fifo")
    (tmp_path / "hook.so").write_text("")
    assert pack(["md5sum", "large"], ["tree"], "/").missed == (
        f"'{tmp_path}/tree/fifo' is a FIFO",
        "'large' is large, 65 MiB: --put large brings it",
    )
    assert pack(["md5sum", "large"], ["large"], "/").missed == ()
    bare = pack(["true"], (), "/", ["LD_PRELOAD=./hook.so"])
    assert f"{tmp_path}/hook.so" in files(bare)


def test_words() -> None:
    assert words_of("a='x y'; use IPC::SysV; 12 -n /bin/ls. --to=/etc/f") == {
        *("a", "x", "y", "use", "IPC::SysV", "IPC", "SysV", "/bin/ls.", "/bin/ls", "/etc/f"),
    }
