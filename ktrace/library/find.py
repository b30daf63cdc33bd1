"""Find one object of a World by what a program knows of it: an actor, a descriptor, an identifier."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TypeVar, cast

from ktrace.errors import UsageError
from ktrace.state.compare import label
from ktrace.state.fs.file import DescriptorTable, File
from ktrace.state.ipc.msg import MsgQueue
from ktrace.state.ipc.namespace import KernIpcPerm
from ktrace.state.ipc.sem import SemArray
from ktrace.state.ipc.shm import ShmidKernel
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref, process
from ktrace.state.unread import Unread
from ktrace.state.world import World

_Object = TypeVar("_Object")


def at(world: World, ref: Ref | None, what: str) -> object:
    """Return the object that *ref* names.

    :param what: it is, for the message
    :raises UsageError: there is none
    """
    if ref is None or ref not in world.objects:
        raise UsageError(f"there is no {what}" + ("" if ref is None else f" {str(ref)!r}"), "it may be gone already")
    value = world.objects[ref]
    if isinstance(value, Unread):
        raise UsageError(f"{label(ref)} could not be read: {value.name} is not in this kernel's debug information")
    return value


def process_of(world: World, actor: str) -> Process:
    """Return an actor's process.

    :raises UsageError: no such actor lives
    """
    if process(actor) not in world.objects:
        alive = ", ".join(str(ref) for ref in world.of_kind("process")) or "none"
        raise UsageError(f"no actor {actor!r} lives", f"there are {alive}")
    return cast(Process, at(world, process(actor), "process"))


def file_of(world: World, actor: str, fd: int) -> File:
    """Return what an actor's descriptor opens.

    :raises UsageError: the actor does not live, or has no such descriptor
    """
    opened = _descriptors(world, actor)
    if opened is None or fd not in opened.fds:
        known = ", ".join(map(str, sorted(opened.fds))) if opened is not None and opened.fds else "none"
        raise UsageError(f"{actor} has no descriptor {fd}", f"it has {known}")
    return cast(File, at(world, opened.fds[fd].file, "open file"))


def behind(world: World, actor: str, fd: int, kind: str) -> object:
    """Return the object of a *kind* that an actor's descriptor leads to.

    :raises UsageError: it leads to something else, or is not open
    """
    return require_kind(world, file_of(world, actor, fd).target, kind, actor, fd)


def require_kind(world: World, target: Ref, kind: str, actor: str, fd: int) -> object:
    """Return the object that *target* names, to which descriptor *fd* of *actor* leads.

    :raises UsageError: it is of another kind
    """
    if target.kind != kind:
        raise UsageError(f"descriptor {fd} of {actor} is {_article(target.kind)}, not {_article(kind)}")
    return at(world, target, kind)


def behind_any(world: World, fd: int, kind: str) -> object:
    """Return the object of a *kind* that descriptor *fd* leads to, whoever has it.

    :raises UsageError: nobody has it, it leads to something else, or to several
    """
    found: dict[Ref, str] = {}
    for ref in world.of_kind("process"):
        opened = _descriptors(world, str(ref))
        descriptor = opened.fds.get(fd) if opened is not None else None
        if descriptor is not None and descriptor.file is not None:
            found.setdefault(file_of(world, str(ref), fd).target, str(ref))
    if not found:
        raise UsageError(f"no actor has a descriptor {fd}")
    of_kind = [ref for ref in found if ref.kind == kind]
    if len(of_kind) > 1:
        several = " and ".join(f"{ref} in {found[ref]}" for ref in of_kind)
        raise UsageError(f"descriptor {fd} is {several}", f"say whose: {kind}({fd}, actor)")
    if not of_kind:
        ref, actor = next(iter(found.items()))
        raise UsageError(f"descriptor {fd} of {actor} is {_article(ref.kind)}, not {_article(kind)}")
    return at(world, of_kind[0], kind)


def with_id(world: World, kind: type[_Object], number: int, ipc_ns: Ref | None) -> _Object:
    """Return the System V object of a *kind* whose identifier *number* is.

    :param ipc_ns: the namespace that it is in, ``None`` for any
    :raises UsageError: there is none, or one in each of several namespaces
    """
    name = _IPC[kind]
    found = {ref: value for ref, value in world.of_kind(name).items() if _is_called(value, number)}
    if ipc_ns is not None:
        found = {ref: value for ref, value in found.items() if str(ref).startswith(f"{ipc_ns}/")}
    if len(found) > 1:
        raise UsageError(f"{name} {number} is {' and '.join(map(str, found))}", f"say whose: {name}({number}, actor)")
    if not found:
        known = ", ".join(str(_perm(value).id) for value in world.of_kind(name).values()) or "none"
        raise UsageError(f"there is no {name} {number}", f"there is {known}")
    return cast(_Object, next(iter(found.values())))


_IPC: dict[type, str] = {SemArray: "sem", MsgQueue: "msg", ShmidKernel: "shm"}


def _perm(value: object) -> KernIpcPerm:
    match value:
        case SemArray():
            return value.sem_perm
        case MsgQueue():
            return value.q_perm
        case ShmidKernel():
            return value.shm_perm
    raise UsageError("a System V object could not be read", "this kernel's debug information lacks a member")


def _is_called(value: object, number: int) -> bool:
    perm = _perm(value)
    return perm.id == number and not perm.deleted


def _descriptors(world: World, actor: str) -> DescriptorTable | None:
    files = process_of(world, actor).files
    return None if files is None else cast(DescriptorTable, at(world, files, "descriptor table"))


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def note_members(error: BaseException | None) -> None:
    """Have an error that says that an object of a World lacks a member say what it has.

    Asking the objects themselves would cost time wherever a member is read.
    """
    if not isinstance(error, AttributeError) or not dataclasses.is_dataclass(found := error.obj):
        return
    if type(found).__module__.startswith("ktrace.state."):
        note = f"{type(found).__name__} has {', '.join(member.name for member in dataclasses.fields(found))}"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)


def living(world: World) -> Iterator[str]:
    """Yield the names of the actors that live."""
    yield from (str(ref) for ref, value in world.of_kind("process").items() if isinstance(value, Process))
