"""Templates in which something was set up that takes long: kept beside the image's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ktrace.image.store import Store, digest_json, open_store
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import MANIFEST, kept_template
from ktrace.machine.template.template import Template

Files = Sequence[tuple[str, str]]

PATIENCE = 600.0
"""seconds for one write: a distribution's kernel has 60,000 places for the tracer to patch, which is slow under TCG"""


def prepared_template(
    template: Template,
    files: Files,
    *,
    store: Store | None = None,
    preparing: Callable[[], None] | None = None,
    damaged: Callable[[str], None] | None = None,
) -> Template:
    """Return *template* as it is after *files* were written in its guest.

    :param files: paths in the guest and what the agent writes there, in order
    :param store: default the user's own
    :param preparing: called before a template is made
    :param damaged: told why one that is there cannot be used; it is made anew
    :raises GuestFileError: the guest's kernel refused a write
    :raises HostError: the store cannot be written, no QEMU, no room
    """
    store = store or open_store()

    def make(scratch: Path, output: Path) -> None:
        if preparing is not None:
            preparing()
        with Machine.clone(template, directory=scratch) as machine:
            for path, text in files:
                machine.agent.write_file(path, text.encode(), timeout=PATIENCE)
            machine.checkpoint(output)
        # What image it belongs to, by which it is kept when the store is pruned.
        shutil.copyfile(template.directory / MANIFEST, output / MANIFEST)

    key = digest_json({"template": template.directory.name, "files": [list(item) for item in files]})
    return kept_template(store, key, make, damaged)
