"""The sound kernel beside the one that is fuzzed: what it does, too, is a fault of the model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ktrace.errors import KtraceError
from ktrace.fuzz.pool import Pool
from ktrace.fuzz.trial import Source, Trial, attempt
from ktrace.image.bzimage import banner_version
from ktrace.image.image import Image, find_image, known_names
from ktrace.image.recipe import recipe_names
from ktrace.image.store import open_store
from ktrace.verify.guests import Guests
from ktrace.verify.lab import KernelCache


class SoundKernel:
    """Make trials in guests of the sound image; the first one boots it.

    :param prepare: finds the image and boots it
    :param scratch: gets a directory for each guest
    """

    def __init__(self, prepare: Callable[[], Guests], scratch: Path) -> None:
        self._prepare = prepare
        self._scratch = scratch
        self._kernels = KernelCache()
        self._stack = ExitStack()
        self._ready: tuple[Pool, Image] | None = None

    def __enter__(self) -> SoundKernel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def attempt(self, source: Source, limit: int) -> Trial:
        """Make one trial in a fresh guest.

        :raises HostError: the sound image is not built, or a guest of it could not be made
        """
        if self._ready is None:
            guests = self._prepare()
            self._ready = self._stack.enter_context(Pool(guests.template, self._scratch)), guests.image
        pool, image = self._ready
        return attempt(pool, image, self._kernels, source, limit)


def sound_image(image: Image) -> str | None:
    """Return the name of the built image whose kernel an imported one is a variant of; ``None`` if there is none.

    That is the recipe's whose release has the same first two numbers: other releases do other things rightly.
    """
    if not image.imported or (release := _release(image)) is None:
        return None
    built = [str(image.manifest.get("recipe")), *recipe_names()]
    for name in dict.fromkeys(name for name in built if name in known_names(open_store())):
        try:
            other = find_image(name)
        except KtraceError:
            continue
        if not other.imported and other.build_id != image.build_id and _release(other) == release:
            return name
    return None


def _release(image: Image) -> tuple[str, ...] | None:
    """Return the first two numbers of an image's release, as its ``linux_banner`` says."""
    version = banner_version(image.vmlinux)
    return None if version is None else tuple(version[0].split(".")[:2])
