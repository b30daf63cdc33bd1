"""The numbers of an object that are worth a curve: ring usage, semaphore values, bytes in queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.state.compare import label
from ktrace.state.ref import Ref

SEMAPHORES = 64
"""Curves drawn for one set at most."""


def counters(ref: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield name, unit and value of each number of an object as the session file has it.

    :param ref: ``kind:key``
    """
    kind, _, key = ref.partition(":")
    name = label(Ref(kind, key))
    if kind == "pipe":
        count = min((value["head"] - value["tail"]) & 0xFFFFFFFF, value["ring_size"])
        yield f"{name} slots", "slots", count
        used = {(value["tail"] + number) % value["ring_size"] for number in range(count)}
        buffers = value["bufs"].get("$map", ())
        yield f"{name} bytes", "bytes", sum(item["len"] for slot, item in buffers if slot in used)
    elif kind == "sem":
        for number, sem in enumerate(value["sems"][:SEMAPHORES]):
            yield f"{name} [{number}]", "semval", sem["semval"]
        waiting = len(value["pending_alter"]) + len(value["pending_const"])
        waiting += sum(len(sem["pending_alter"]) + len(sem["pending_const"]) for sem in value["sems"])
        yield f"{name} waiting", "calls", waiting
    elif kind == "msg":
        yield f"{name} bytes", "bytes", value["q_cbytes"]
        yield f"{name} messages", "messages", value["q_qnum"]
    elif kind == "shm":
        yield f"{name} attached", "mappings", value["shm_nattch"]
    elif kind == "sock":
        yield f"{name} receive queue", "bytes", sum(item["len"] for item in value["sk_receive_queue"])
