"""Build an image again somewhere else, and compare every bit."""

from __future__ import annotations

from dataclasses import dataclass

from ktrace.errors import UsageError
from ktrace.image.image import find_image
from ktrace.image.initramfs import build_initramfs
from ktrace.image.kernel import build_kernel
from ktrace.image.progress import Progress, Silent
from ktrace.image.recipe import load_recipe
from ktrace.image.source import find_source
from ktrace.image.store import Store, digest_file, host_errors, open_store

#: What must be equal, bit for bit.
REPRODUCED = ("kernel", "vmlinux", "initramfs", "config")


@dataclass(frozen=True)
class Verified:
    """One file of an image, built twice.

    :param name: file name
    :param manifest: SHA-256 the manifest says
    :param stored: SHA-256 of the file in the store as it is now
    :param rebuilt: SHA-256 of the file built again
    """

    name: str
    manifest: str
    stored: str
    rebuilt: str

    @property
    def equal(self) -> bool:
        """Tell whether all three agree."""
        return self.manifest == self.stored == self.rebuilt


def verify_image(name: str, *, store: Store | None = None, progress: Progress | None = None) -> list[Verified]:
    """Build an image again, in another directory and without the store, and compare digests.

    :param name: name of a built image that has a recipe
    :returns: one row per file
    :raises UsageError: for an imported image: nobody here can build it again
    """
    store = store or open_store()
    progress = progress or Silent()
    image = find_image(name, store=store)
    if image.imported:
        raise UsageError(f"image {name!r} was imported: there is no recipe to build it again from")
    recipe = load_recipe(name)
    source = find_source(recipe.kernel, store, progress)
    lock = f"verify-{image.key[:16]}"
    with (
        store.locked(lock, lambda pid: progress.note(f"process {pid} is verifying it, too: waiting")),
        store.workplace(lock) as place,
        host_errors("build in", place),
    ):
        # The name of this directory is longer than that of a build's, and differs every time.
        scratch, output = place / "built-once-more-in-another-directory", place / "result"
        for directory in (scratch, output):
            directory.mkdir(mode=0o700)
        build_kernel(recipe.kernel, source, scratch, output, progress)
        again = place / "initramfs-once-more"
        again.mkdir(mode=0o700)
        build_initramfs(recipe.initramfs, again, output, progress)
        progress.stage("comparing")
        return [
            Verified(
                name=part,
                manifest=str(image.manifest["outputs"][part]),
                stored=digest_file(image.directory / part),
                rebuilt=digest_file(output / part),
            )
            for part in REPRODUCED
        ]
