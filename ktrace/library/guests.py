"""The guests of this process, by what they are made of: an image is found, checked and opened once."""

from __future__ import annotations

from functools import cache

from ktrace.verify.guests import Guests, prepare_guests
from ktrace.verify.options import GuestOptions


@cache
def guests_of(options: GuestOptions) -> Guests:
    """Return what makes guests as *options* ask for.

    :raises UsageError: there is no such image, or its kernel cannot record what is asked for
    :raises HostError: it is not built, or this machine cannot run it
    """
    return prepare_guests(options)
