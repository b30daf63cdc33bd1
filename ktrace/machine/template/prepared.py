"""Templates in which something was set up that takes long: kept beside the image's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ktrace.image.store import Store, digest_json, host_errors, open_store
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import PART
from ktrace.machine.template.template import Template, open_template

Files = Sequence[tuple[str, str]]


def prepared_template(
    template: Template, files: Files, *, store: Store | None = None, preparing: Callable[[], None] | None = None
) -> Template:
    """Return *template* as it is after *files* were written in its guest.

    :param files: paths in the guest and what the agent writes there, in order
    :param store: default the user's own
    :param preparing: called before a template is made
    :raises GuestFileError: the guest's kernel refused a write
    :raises HostError: the store cannot be written, no QEMU, no room
    """
    store = store or open_store()

    def make(scratch: Path, output: Path) -> None:
        if preparing is not None:
            preparing()
        with Machine.clone(template, directory=scratch) as machine:
            for path, text in files:
                machine.agent.write_file(path, text.encode())
            machine.checkpoint(output)

    with host_errors("make", store.root / PART):
        (store.root / PART).mkdir(mode=0o700, exist_ok=True)
    key = digest_json({"template": template.directory.name, "files": [list(item) for item in files]})
    return open_template(store.build(PART, key, make))
