"""Files that a person names for output: whole or not at all, and nothing but a regular file is ever replaced."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ktrace.errors import HostError, UsageError
from ktrace.output_file import can_have_holes, check_output, output_file

_CODE = """
import sys
from pathlib import Path
from ktrace.output_file import output_file
with output_file(Path(sys.argv[1])) as file:
    file.write(b"content")
"""


def write(path: Path, data: bytes = b"content") -> None:
    """Write *data* to *path*."""
    with output_file(path) as file:
        file.write(data)


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with output_file(path) as file:
        file.write(b"content")
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def test_a_file_stays_as_it_is_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("before")
    with pytest.raises(RuntimeError), output_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_mode_and_links_of_a_file_are_kept(tmp_path: Path) -> None:
    path, other = tmp_path / "out", tmp_path / "other"
    path.write_text("before")
    path.chmod(0o640)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    os.link(path, other)
    write(path, b"again")
    assert other.read_bytes() == b"again"


@pytest.mark.parametrize("there", [True, False])
def test_symbolic_links_are_followed(tmp_path: Path, there: bool) -> None:
    target, link, chain = tmp_path / "target", tmp_path / "link", tmp_path / "chain"
    link.symlink_to("target")
    chain.symlink_to(link)
    if there:
        target.write_text("before")
    write(chain)
    assert chain.is_symlink() and link.is_symlink()
    assert target.read_bytes() == b"content"


def test_a_loop_of_links_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(HostError, match="symbolic links"):
        write(tmp_path / "a")


def test_a_fifo_stays_one_and_its_reader_gets_all(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    with output_file(path) as file:
        assert not can_have_holes(file)
        file.write(b"content")
    reader.join(10)
    assert got == [b"content"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.optional("only root makes devices, and not on every file system")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_stays_one(tmp_path: Path) -> None:
    null, full = tmp_path / "null", tmp_path / "full"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        write(null)
        with pytest.raises(HostError, match="No space left") as refused:
            write(full)
    except PermissionError:
        pytest.skip("this file system takes no devices")
    assert refused.value.hint == "free some space there"
    assert stat.S_ISCHR(null.stat().st_mode) and stat.S_ISCHR(full.stat().st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {"null", "full"}


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_what_stands_for_a_descriptor_is_that_descriptor(tmp_path: Path, name: str) -> None:
    if name == "link":
        (tmp_path / "link").symlink_to("/dev/stdout")
        name = str(tmp_path / "link")
    out = tmp_path / "out"
    with out.open("ab") as file:
        file.write(b"before ")
        file.flush()
        done = subprocess.run([sys.executable, "-c", _CODE, name], stdout=file, check=False, timeout=60)
    assert done.returncode == 0
    assert out.read_bytes() == b"before content"
    piped = subprocess.run([sys.executable, "-c", _CODE, name], capture_output=True, check=False, timeout=60)
    assert piped.stdout == b"content"


def test_a_descriptor_of_our_own_is_not_written_to(tmp_path: Path) -> None:
    with (tmp_path / "own").open("wb") as own, pytest.raises(HostError, match="Bad file descriptor"):
        write(Path(f"/dev/fd/{own.fileno()}"))


def test_what_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="directory"):
        check_output(tmp_path)
    with pytest.raises(HostError, match="No such file or directory"):
        check_output(tmp_path / "absent" / "out")
    assert not (tmp_path / "absent").exists()
    with pytest.raises(HostError, match=r"No such file or directory|Permission"):
        check_output(Path("/proc/absent/out"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
