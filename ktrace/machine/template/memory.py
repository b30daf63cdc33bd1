"""The RAM of a template, as it is put into a new guest, or held against one that runs."""

from __future__ import annotations

import os

from ktrace.machine.memory import GuestMemory
from ktrace.machine.template.template import Template


def fill_ram(memory: GuestMemory, template: Template) -> None:
    """Make *memory* what it was when *template* was saved.

    :raises HostError: a file is too short, or there is no memory
    :raises OSError: a file is gone
    """
    if template.base is not None:
        fill_ram(memory, template.base)
    ram = os.open(template.ram, os.O_RDONLY | os.O_CLOEXEC)
    try:
        memory.fill(ram, template.extents)
    finally:
        os.close(ram)


class TemplateMemory:
    """A template's RAM, to tell what a guest has changed since.

    :raises HostError: there is no memory for it
    :raises OSError: its file is gone
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        self.memory = GuestMemory(template.spec.memory_bytes)
        fill_ram(self.memory, template)

    def close(self) -> None:
        """Give the memory back."""
        self.memory.close()
