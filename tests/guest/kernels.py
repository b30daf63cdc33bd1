"""Kernels other than the lab's own, where the store has them: those of recipes, and imports of Debian's."""

from __future__ import annotations

import pytest

from ktrace.errors import HostError, UsageError
from ktrace.image.image import Image, find_image

LABS = ("lab-6.12", "lab-7.3")
#: Imports of Debian's linux-image-...-cloud-amd64.
STOCK = ("stock-6.1", "stock-6.12", "stock-7.3")

optional = pytest.mark.optional(reason="kernels other than lab-6.1 take long to build: make test-kernels")


def built(name: str) -> Image:
    """Find an image of the store; ``make kernels`` builds those of recipes."""
    try:
        return find_image(name)
    except (HostError, UsageError) as error:
        pytest.skip(error.message)
