"""The guests of this process, by what they are made of: an image is found, checked and opened once."""

from __future__ import annotations

from functools import cache

from ktrace.errors import UsageError
from ktrace.image.image import known_names
from ktrace.image.store import open_store
from ktrace.suggest import did_you_mean
from ktrace.verify.guests import Guests, prepare_guests
from ktrace.verify.options import GuestOptions


def require_image(name: str) -> None:
    """See that there is an image of that *name*, or what it can be built from.

    :raises UsageError: there is none
    """
    if name not in (known := known_names(open_store())):
        raise UsageError(f"no image {name!r}", did_you_mean(name, known, f"there is: {', '.join(known) or 'none'}"))


@cache
def guests_of(options: GuestOptions) -> Guests:
    """Return what makes guests as *options* ask for.

    :raises UsageError: there is no such image, or its kernel cannot record what is asked for
    :raises HostError: it is not built, or this machine cannot run it
    """
    return prepare_guests(options)
