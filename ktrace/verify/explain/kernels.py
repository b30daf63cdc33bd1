"""The kernels of two sessions: what each has by name, where their images are still in the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ktrace.errors import KtraceError
from ktrace.image.image import find_image
from ktrace.inspect.names_of_kernel import KernelNames, read_names
from ktrace.inspect.optional import OPTIONAL
from ktrace.trace.difference import Differing
from ktrace.trace.session import Header
from ktrace.verify.explain.facts import Fact


@dataclass(frozen=True)
class LackedMember:
    """A member that only one of two kernels has.

    :param structure: such as ``struct pipe_inode_info``
    :param member: its path there
    :param first: it is the first kernel that has it
    :param why: since when or until when, and what is in its place
    """

    structure: str
    member: str
    first: bool
    why: str


def kernel_names(header: Header) -> KernelNames | None:
    """Return the names in the kernel of a session; ``None`` where its image has gone or was made anew."""
    try:
        image = find_image(str(header.manifest.get("image")), check_inputs=False)
        return read_names(image.vmlinux) if image.build_id == header.manifest.get("build_id") else None
    except KtraceError:
        return None


def lacked_members(one: KernelNames, other: KernelNames) -> Iterator[LackedMember]:
    """Yield the members, of those that ktrace reads, that only one of two kernels has."""
    for name in OPTIONAL:
        if (name in one.members) != (name in other.members):
            structure, _, member = name.partition(".")
            yield LackedMember(structure, member, name in one.members, OPTIONAL[name])


def why_functions(
    item: Differing, facts: Iterable[Fact], names: Sequence[KernelNames | None]
) -> tuple[tuple[Fact, ...], str]:
    """Return what explains that a function is called in one session only: changes of it, and whether a kernel lacks it.

    :param item: a difference of kind ``functions``
    :param names: of both kernels, as far as they are known
    """
    _, _, way = item.what.partition(": ")
    functions = way.split(" > ")
    cited = tuple(fact for fact in facts if fact.change is not None and fact.change.function in functions)
    for function in reversed(functions):
        for known, which in zip(names, ("first", "second"), strict=True):
            if known is not None and function not in known.functions:
                return cited, f"the {which} kernel has no function {function}() of its own"
    return cited, ""
