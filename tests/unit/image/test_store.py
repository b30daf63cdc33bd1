"""The store: private, atomic, shared by processes that may die at any moment."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ktrace.errors import HostError
from ktrace.image.store import Store, digest_json, host_errors, open_store

# A builder in a process of its own. It says "building", then waits for a line before it finishes.
BUILDER = """
import sys
from pathlib import Path
from ktrace.image.store import open_store

def build(scratch, output):
    (output / "half").write_text("half")
    (scratch / "tree").mkdir()
    print("building", flush=True)
    if not sys.stdin.readline():
        sys.exit(9)
    (output / "whole").write_text("by " + sys.argv[2])

store = open_store(Path(sys.argv[1]))
entry = store.build("kernels", "k", build, lambda pid: print("waiting for", pid, flush=True))
print("done", (entry / "whole").read_text(), flush=True)
"""


def start_builder(root: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(root), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def make(text: str):
    def build(scratch: Path, output: Path) -> None:
        (scratch / "rubbish").write_text("x")
        (output / "file").write_text(text)

    return build


def test_everything_is_private(store):
    store.build("kernels", "k", make("1"))
    directories = [path for path in [store.root, *store.root.rglob("*")] if path.is_dir()]
    assert len(directories) > 6
    for path in directories:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_an_entry_is_built_once(store):
    entry = store.build("kernels", "k", make("1"))
    assert store.build("kernels", "k", make("2")) == entry
    assert (entry / "file").read_text() == "1"
    assert list((store.root / "tmp").iterdir()) == []


def test_a_failing_builder_leaves_nothing(store):
    def build(scratch: Path, output: Path) -> None:
        (output / "half").write_text("x")
        raise HostError("no luck")

    with pytest.raises(HostError, match="no luck"):
        store.build("kernels", "k", build)
    assert not store.entry("kernels", "k").exists()
    assert list((store.root / "tmp").iterdir()) == []


def test_a_killed_builder_leaves_no_entry_and_its_rubbish_is_removed(store):
    with start_builder(store.root, "victim") as victim:
        assert victim.stdout and victim.stdout.readline() == "building\n"
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(timeout=20)
    assert not store.entry("kernels", "k").exists()
    leftovers = list((store.root / "tmp").iterdir())
    assert len(leftovers) == 1
    assert (leftovers[0] / "out" / "half").is_file()
    entry = store.build("kernels", "other", make("1"))
    assert entry.is_dir()
    assert list((store.root / "tmp").iterdir()) == []


def test_a_living_builder_is_left_alone(store):
    with start_builder(store.root, "worker") as worker:
        assert worker.stdout and worker.stdin and worker.stdout.readline() == "building\n"
        assert store.remove_stale() == []
        store.build("kernels", "other", make("1"))
        worker.stdin.write("\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == "done by worker\n"
        assert worker.wait(timeout=20) == 0


def test_the_second_of_two_builders_waits_and_builds_nothing(store):
    with start_builder(store.root, "first") as first:
        assert first.stdout and first.stdin and first.stdout.readline() == "building\n"
        with start_builder(store.root, "second") as second:
            assert second.stdout
            assert second.stdout.readline() == f"waiting for {first.pid}\n"
            first.stdin.write("\n")
            first.stdin.flush()
            assert first.stdout.readline() == "done by first\n"
            assert second.stdout.readline() == "done by first\n"
            assert second.wait(timeout=20) == 0
        assert first.wait(timeout=20) == 0


def test_the_second_builder_takes_over_from_a_dead_one(store):
    with start_builder(store.root, "first") as first:
        assert first.stdout and first.stdout.readline() == "building\n"
        with start_builder(store.root, "second") as second:
            assert second.stdout and second.stdin
            assert second.stdout.readline() == f"waiting for {first.pid}\n"
            os.kill(first.pid, signal.SIGKILL)
            assert second.stdout.readline() == "building\n"
            second.stdin.write("\n")
            second.stdin.flush()
            assert second.stdout.readline() == "done by second\n"
            assert second.wait(timeout=20) == 0
        first.wait(timeout=20)


def test_refs(store):
    assert store.read_ref("a") is None
    store.write_ref("a", {"image": "1"})
    store.write_ref("a", {"image": "2"})
    assert store.read_ref("a") == {"image": "2"}
    assert store.ref_names() == ["a"]
    (store.root / "refs" / "a.json").write_text('{"image": ')
    with pytest.raises(HostError, match="damaged"):
        store.read_ref("a")


def test_a_store_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="file/ktrace"):
        open_store(tmp_path / "file" / "ktrace")


def test_a_store_on_a_read_only_file_system_is_named():
    with pytest.raises(HostError, match="/proc/ktrace"):
        open_store(Path("/proc/ktrace"))


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "make it writable"), (errno.EIO, None)]
)
def test_host_errors_name_path_and_remedy(number, hint):
    with pytest.raises(HostError) as caught, host_errors("write", Path("/a/b")):
        raise OSError(number, os.strerror(number))
    assert caught.value.message == f"cannot write '/a/b': {os.strerror(number)}"
    assert (caught.value.hint is None) == (hint is None)
    assert hint is None or hint in (caught.value.hint or "")


def test_a_full_disk_is_a_host_error(store):
    def build(scratch: Path, output: Path) -> None:
        with open("/dev/full", "w") as full:
            full.write("x")
            full.flush()

    with pytest.raises(HostError, match="No space left on device"):
        store.build("kernels", "k", build)
    assert list((store.root / "tmp").iterdir()) == []


def test_the_cache_directory_is_xdgs(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert open_store().root == tmp_path / "ktrace"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert open_store().root == tmp_path / "home" / ".cache" / "ktrace"


def test_digest_does_not_depend_on_order():
    assert digest_json({"a": 1, "b": [2]}) == digest_json({"b": [2], "a": 1})
    assert digest_json({"a": 1}) != digest_json({"a": 2})


def test_a_failed_copy_names_what_could_not_be_written():
    # What shutil.copyfile raises: both names.
    error = OSError(errno.ENOSPC, "full", "/source", None, "/target")
    with pytest.raises(HostError, match="cannot copy '/target'"), host_errors("copy", Path("/")):
        raise error
