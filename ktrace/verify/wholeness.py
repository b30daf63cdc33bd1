"""Nothing is said of a kernel whose guest was made of damaged files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ktrace.errors import HostError, UsageError
from ktrace.image.damage import damaged_files
from ktrace.image.image import Image
from ktrace.machine.template.template import DamagedTemplate, Template


def require_whole(image: Image, template: Template | None = None) -> None:
    """See that every bit that a guest was made of, or is read by, is as it was built (0.15 s).

    :param template: what the guest was cloned from
    :raises HostError: one is not
    """
    if damaged := damaged_files(image):
        again = "import it again" if image.imported else f"run: ktrace image build {image.name}"
        raise HostError(f"image {image.name!r} is damaged: {', '.join(damaged)} in {str(image.directory)!r}", again)
    if template is not None:
        try:
            template.check()
        except DamagedTemplate as error:
            raise HostError(
                f"{error.message}; what its guest did says nothing of the kernel", "run it again"
            ) from error


@contextmanager
def blamed_rightly(image: Image, template: Template | None = None) -> Iterator[None]:
    """Look, where something fails, whether that is for want of whole files.

    :raises HostError: it is
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        try:
            require_whole(image, template)
        except HostError as reason:
            raise reason from error
        raise
