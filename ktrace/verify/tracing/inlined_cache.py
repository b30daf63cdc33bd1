"""What is inlined in a kernel, read from its DWARF once and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from ktrace.image.store import Store, host_errors, open_store, write_json
from ktrace.inspect.trace.inlined import Inlined, by_function, is_telling, read_inlined

PART = "inlined"
#: Raised whenever other things are kept, or read otherwise.
PROCEDURE = 1


def inlined_functions(
    vmlinux: Path, build_id: str, *, store: Store | None = None, reading: Callable[[], None] | None = None
) -> Mapping[str, Mapping[str, Inlined]]:
    """Return, by the function that holds them, the telling functions that gcc inlined there.

    :param reading: called before DWARF is read, which takes some seconds
    :raises HostError: the store cannot be written
    """
    store = store or open_store()

    def make(_scratch: Path, output: Path) -> None:
        if reading is not None:
            reading()
        write_json(output / "inlined.json", [asdict(item) for item in read_inlined(vmlinux) if is_telling(item)])

    with host_errors("make", store.root / PART):
        (store.root / PART).mkdir(mode=0o700, exist_ok=True)
    directory = store.build(PART, f"{build_id}-{PROCEDURE}", make)
    return by_function(tuple(Inlined(**item) for item in json.loads((directory / "inlined.json").read_text())))
