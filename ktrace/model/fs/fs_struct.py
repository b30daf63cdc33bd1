"""Working directory and umask, which tasks may share (``fs/fs_struct.c``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ktrace.model.fs.inode import Inode


@dataclass
class FsStruct:
    """Mirror one ``struct fs_struct``; *users* counts the tasks that share it (CLONE_FS).

    :param pwd: the working directory
    """

    pwd: Inode
    umask: int = 0o022
    users: int = 1

    def copy(self) -> FsStruct:
        """Return one for a task that does not share it (``copy_fs_struct()``)."""
        return replace(self, users=1)
