"""References between the objects of a World."""

from __future__ import annotations

from typing import NamedTuple


class Ref(NamedTuple):
    """Name one object of a World.

    :param kind: what it is: ``process``, ``file``, ``pipe``, ``sem``, ``sock``, ...
    :param key: its name. A ``str`` is final (an actor's name, ``"ns1/32769"``); an ``int`` is
        raw (a kernel address, a model's serial number) until ``naming`` replaces it
    """

    kind: str
    key: str | int

    def __str__(self) -> str:
        return self.key if isinstance(self.key, str) else f"{self.kind}@{self.key:#x}"


def process(name: str) -> Ref:
    """Name the process of actor *name*."""
    return Ref("process", name)
