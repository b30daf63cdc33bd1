"""Read the resources that a user's processes share (``struct user_struct``)."""

from __future__ import annotations

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.state.process.process import User
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread


class UserReader:
    """Read users."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.user = layout_of(kernel.prog, "struct user_struct", "uid.val", "pipe_bufs.counter")
        self._seen: Observation | None = None
        self._refs: dict[int, Ref] = {}

    def observe(self, observation: Observation, address: int) -> Ref:
        """Add the ``user_struct`` at *address* and return its reference, whose key is the uid."""
        # Whose it is can be remembered by the address for one look: it is another's once that one has gone.
        if observation is not self._seen:
            self._seen = observation
            self._refs.clear()
        ref = self._refs.get(address)
        if ref is None:
            ref = self._refs[address] = self._read(observation, address)
        return ref

    def _read(self, observation: Observation, address: int) -> Ref:
        user = self.user.read(observation.memory, address)
        if isinstance(user.uid_val, Unread):
            observation.objects[Ref("user", address)] = user.uid_val
            return Ref("user", address)
        ref = Ref("user", str(user.uid_val))
        if ref not in observation.objects:
            observation.objects[ref] = User(pipe_bufs=user.pipe_bufs_counter)
        return ref
