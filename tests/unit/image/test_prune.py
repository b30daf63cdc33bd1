"""Pruning removes what no name leads to, and only that."""

import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from ktrace.errors import UsageError
from ktrace.image.foreign import KernelFiles, import_image
from ktrace.image.image import find_image
from ktrace.image.prune import prune_store, remove_image
from ktrace.image.recipe import load_recipe
from ktrace.image.source import source_key
from ktrace.image.store import Store, open_store, write_json

OTHER = "int _start(void) { return 7; }"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def entries(store: Store, part: str) -> list[str]:
    return sorted(path.name for path in (store.root / part).iterdir())


def template(store: Store, name: str, image: str) -> None:
    directory = store.root / "templates" / name
    directory.mkdir(parents=True)
    write_json(directory / "manifest.json", {"image": image})


def test_replaced_image_goes_and_the_new_one_stays(kernel, link, store):
    old = import_image("mine", KernelFiles(kernel), store=store)
    template(store, "old", old.key)
    new = import_image("mine", KernelFiles(link("other", "-g", "-Wl,--build-id=sha1", source=OTHER)), store=store)
    template(store, "new", new.key)
    removed = {entry.path.name for entry in prune_store(store)}
    assert removed == {old.key, old.manifest["kernel"]["key"], "old"}
    assert entries(store, "images") == [new.key]
    assert entries(store, "kernels") == [new.manifest["kernel"]["key"]]
    assert entries(store, "initramfs") == [new.manifest["initramfs"]["key"]]
    assert entries(store, "templates") == ["new"]
    assert find_image("mine", store=store) == new
    assert prune_store(store) == []


def test_kernel_shared_by_two_names_stays(kernel, store):
    import_image("one", KernelFiles(kernel), store=store)
    import_image("two", KernelFiles(kernel), store=store)
    assert prune_store(store) == []


def waits_for_a_lock(pid: int) -> bool:
    """Tell whether a process sleeps until somebody else lets go of a lock (proc_locks(5): ``->``)."""
    waiting = (line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line)
    return any(str(pid) in words for words in waiting)


def test_a_store_that_builds_is_not_pruned(kernel, store):
    import_image("mine", KernelFiles(kernel), store=store)
    program = (
        "import sys; from pathlib import Path; from ktrace.image.prune import prune_store;"
        "from ktrace.image.store import Store; print('begin', flush=True); prune_store(Store(Path(sys.argv[1])));"
        "print('pruned', flush=True)"
    )
    with (
        store.in_use(),
        subprocess.Popen([sys.executable, "-c", program, str(store.root)], stdout=subprocess.PIPE, text=True) as other,
    ):
        assert other.stdout and other.stdout.readline() == "begin\n"
        deadline = monotonic() + 60
        while not waits_for_a_lock(other.pid):
            assert other.poll() is None and monotonic() < deadline
        other.terminate()
    assert (store.root / "images").is_dir()


def test_source_that_a_recipe_names_stays(store):
    def fetch(_scratch, output):
        (output / "linux.tar.xz").write_bytes(b"source")

    named = store.build("sources", source_key(load_recipe("lab-7.3").kernel), fetch)
    other = store.build("sources", "0" * 64, fetch)
    assert [entry.path for entry in prune_store(store)] == [other]
    assert named.is_dir()


def test_an_image_is_removed_with_what_is_its_own(kernel, link, store):
    one = import_image("one", KernelFiles(kernel), store=store)
    same = import_image("same", KernelFiles(kernel), store=store)
    other = import_image("other", KernelFiles(link("other", "-g", "-Wl,--build-id=sha1", source=OTHER)), store=store)
    template(store, "ones", one.key)
    template(store, "others", other.key)
    removed = {entry.path.name for entry in remove_image(store, "other")}
    assert removed == {other.key, other.manifest["kernel"]["key"], "others"}
    assert entries(store, "initramfs") == [one.manifest["initramfs"]["key"]]
    assert {entry.path.name for entry in remove_image(store, "same")} == {same.key}  # its kernel is one's, too
    assert find_image("one", store=store) == one
    remove_image(store, "one")
    assert [entries(store, part) for part in ("images", "kernels", "initramfs", "templates", "refs")] == [[]] * 5


def test_an_image_that_is_not_there_is_not_removed(store):
    with pytest.raises(UsageError, match="no image 'nonsense'"):
        remove_image(store, "nonsense")
    with pytest.raises(UsageError, match=r"image 'lab-6.1' is not built"):
        remove_image(store, "lab-6.1")


def test_a_store_that_is_only_to_be_read_can_be_read(kernel, store):
    import_image("mine", KernelFiles(kernel), store=store)
    script = f'mount --bind {store.root} {store.root} && mount -o remount,ro,bind {store.root} && exec "$@"'
    program = (
        "import sys; from pathlib import Path; from ktrace.image.image import find_image;"
        "from ktrace.image.prune import prune_store; from ktrace.image.store import open_store;"
        "store = open_store(Path(sys.argv[1])); print(find_image('mine', store=store).name); prune_store(store)"
    )
    mounting = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    command = [*mounting, sys.executable, "-c", program, str(store.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "mine\n"
    assert "Read-only file system" in done.stderr
