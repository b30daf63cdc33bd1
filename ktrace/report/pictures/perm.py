"""What the pictures of System V objects share: the line with name, key, owner and mode."""

from __future__ import annotations

from rich.text import Text

from ktrace.report.pictures.canvas import DIM
from ktrace.state.compare import label
from ktrace.state.ipc.namespace import KernIpcPerm
from ktrace.state.ref import Ref
from ktrace.uapi.ipc import IPC_PRIVATE


def heading(ref: Ref, perm: KernIpcPerm, *facts: str) -> Text:
    """Return the first line of a picture."""
    key = "IPC_PRIVATE" if perm.key == IPC_PRIVATE else f"{perm.key & 0xFFFFFFFF:#x}"
    return Text.assemble(
        (label(ref), "bold cyan"),
        "".join(f"  {fact}" for fact in facts),
        (f"   key {key}  uid {perm.uid}  mode {perm.mode & 0o777:04o}", DIM),
        ("  removed" if perm.deleted else "", "red"),
    )
