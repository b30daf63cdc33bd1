"""The archive is what cpio(1) reads, and the same bytes every time."""

import stat
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrace.image.cpio import CpioEntry, character_device, directory, regular_file, write_cpio

NAMES = st.text(alphabet="abcXYZ019._-", min_size=1, max_size=12).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=300), max_size=8)


def parse(archive: bytes) -> list[tuple[str, dict[str, int], bytes]]:
    """Read an archive back, by the letter of buffer-format.rst."""
    fields = [
        "ino",
        "mode",
        "uid",
        "gid",
        "nlink",
        "mtime",
        "filesize",
        "devmajor",
        "devminor",
        "rdevmajor",
        "rdevminor",
        "namesize",
        "check",
    ]
    members, at = [], 0
    while True:
        assert archive[at : at + 6] == b"070701"
        values = {field: int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i, field in enumerate(fields)}
        name_at = at + 110
        name = archive[name_at : name_at + values["namesize"] - 1].decode()
        data_at = (name_at + values["namesize"] + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert data_at == len(archive)
            return members
        members.append((name, values, archive[data_at : data_at + values["filesize"]]))
        at = (data_at + values["filesize"] + 3) // 4 * 4


def without_clashes(files: dict[str, bytes]) -> dict[str, bytes]:
    """Drop files that another one needs as a directory."""
    return {path: data for path, data in files.items() if not any(p.startswith(path + "/") for p in files)}


@given(FILES, st.randoms())
def test_same_bytes_in_any_order(files, random):
    entries = [regular_file(path, data) for path, data in without_clashes(files).items()]
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert write_cpio(entries) == write_cpio(shuffled)


@given(FILES)
def test_reads_back(files):
    files = without_clashes(files)
    members = parse(write_cpio([regular_file(path, data, 0o640) for path, data in files.items()]))
    names = [name for name, _, _ in members]
    assert names == sorted(names)
    assert {name: data for name, values, data in members if stat.S_ISREG(values["mode"])} == files
    for name, values, _ in members:
        assert values["uid"] == values["gid"] == values["mtime"] == 0
        assert "/" not in name or name.rpartition("/")[0] in names
    inodes = [values["ino"] for _, values, _ in members]
    assert inodes == list(range(1, len(members) + 1))


def test_cpio_lists_the_same():
    archive = write_cpio(
        [
            regular_file("init", b"x" * 4097, 0o755),
            character_device("dev/console", 5, 1),
            directory("proc", 0o555),
            CpioEntry("bin/sh", stat.S_IFLNK | 0o777, b"../init"),
        ]
    )
    listing = subprocess.run(
        ["cpio", "-itv", "--numeric-uid-gid", "--quiet"], input=archive, capture_output=True, check=True
    ).stdout.decode()
    rows = [line.split() for line in listing.splitlines()]
    assert [row[-1] for row in rows] == ["bin", "../init", "dev", "dev/console", "init", "proc"]
    assert [row[0] for row in rows] == [
        "drwxr-xr-x",
        "lrwxrwxrwx",
        "drwxr-xr-x",
        "crw-------",
        "-rwxr-xr-x",
        "dr-xr-xr-x",
    ]
    assert rows[3][4:6] == ["5,", "1"]
    assert rows[4][4] == "4097"


@pytest.mark.parametrize("path", ["/init", "", "a//b", "../x", "a/./b", "TRAILER!!!"])
def test_bad_path_is_refused(path):
    with pytest.raises(ValueError, match="bad path"):
        write_cpio([regular_file(path, b"")])


def test_path_named_twice_is_refused():
    with pytest.raises(ValueError, match="named twice"):
        write_cpio([regular_file("a", b"1"), regular_file("a", b"2")])
