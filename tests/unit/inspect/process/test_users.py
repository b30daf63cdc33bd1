"""Users, whose structures come and go at the same addresses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ktrace.inspect.process.user import UserReader
from ktrace.state.process.process import User
from ktrace.state.ref import Ref


def test_an_address_is_another_users_once_that_one_has_gone() -> None:
    memory: dict[int, Any] = {}
    reader = UserReader.__new__(UserReader)
    reader._seen, reader._refs = None, {}
    reader.user = SimpleNamespace(read=lambda held, address: held[address])  # type: ignore[assignment]

    def look(**users: tuple[int, int]) -> dict[Ref, Any]:
        memory.clear()
        observation = SimpleNamespace(memory=memory, objects={})
        for uid, (address, pages) in users.items():
            memory[address] = SimpleNamespace(uid_val=int(uid[1:]), pipe_bufs_counter=pages)
        for address, _ in users.values():
            reader.observe(observation, address)  # type: ignore[arg-type]
        return observation.objects

    assert look(u1000=(0x10, 16)) == {Ref("user", "1000"): User(16)}
    assert look(u1000=(0x20, 2), u1001=(0x10, 8)) == {Ref("user", "1000"): User(2), Ref("user", "1001"): User(8)}
