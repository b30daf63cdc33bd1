"""Make the words of the walk: a few lines each, that say one thing that the vocabulary can say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ktrace.agent.syscalls import constants as c
from tests.walk import calls
from tests.walk.subjects import EVERYTHING, FILES, SOCKETS


@dataclass(frozen=True)
class Word:
    """A few calls of an actor of its own.

    :param name: says what is tried, and on what
    :param lines: its calls, without the actor
    """

    name: str
    lines: tuple[str, ...]


def constants_in(words: Iterable[Word]) -> set[str]:
    """Return the constants that *words* name."""
    text = "\n".join(line for word in words for line in word.lines)
    return set(re.findall(r"\b[A-Z_][A-Z0-9_a-z]+\b", text)) & set(c.CONSTANTS)


def calls_in(words: Iterable[Word]) -> set[str]:
    """Return the calls that *words* make."""
    return {line.split("(", 1)[0] for word in words for line in word.lines}


def _on(subjects: Mapping[str, tuple[str, ...]], what: str, *lines: str) -> Iterator[Word]:
    for kind, made in subjects.items():
        yield Word(f"{what} on {kind}", (*made, *lines))


def _some(subjects: Mapping[str, tuple[str, ...]], kinds: str) -> dict[str, tuple[str, ...]]:
    return {kind: subjects[kind] for kind in kinds.split()}


def plain() -> Iterator[Word]:
    """Yield every call once, as it is meant; and with numbers that no call is meant to have."""
    for name, lines in calls.MEANT.items():
        yield Word(f"{name} as meant", lines)
    for name, count in calls.counts().items():
        for bad in ("-1", "0", "0x7fffffff", "0x8000000000000000"):
            args = ", ".join(calls.filler(name, number, bad) for number in range(count))
            yield Word(f"{name} of {bad}", (f"{name}({args})",))


def vocabularies() -> Iterator[Word]:
    """Yield every name of every vocabulary, in each call that takes it."""
    for what, (vocabulary, made, line) in calls.TAKING.items():
        for name in vocabulary.names():
            if name.isidentifier():
                yield Word(f"{what}: {name}", (*made, *(part.replace("?", name) for part in line)))


def descriptors() -> Iterator[Word]:
    """Yield every call that takes a descriptor, on every kind of file."""
    for what, line in calls.ON_DESCRIPTORS.items():
        yield from _on(EVERYTHING, what, *line)
    for name in c.FCNTL.names():
        yield from _on(EVERYTHING, f"fcntl {name}", f"fcntl(f, {name}, {calls.FCNTL_ARGUMENTS.get(name, '0')})")
    for name in c.IOCTL.names():
        yield from _on(EVERYTHING, f"ioctl {name}", f"ioctl(f, {name}{calls.IOCTL_ARGUMENTS.get(name, '')})")


def options() -> Iterator[Word]:
    """Yield every socket option, read and written, on every kind of socket."""
    for level in c.LEVEL.names():
        for kind, made in SOCKETS.items():
            yield Word(f"{level} on {kind}", (*made, f"getsockopt(f, {level}, 1)", f"setsockopt(f, {level}, 1, 1)"))
    for number, vocabulary in c.OPTIONS.items():
        level = c.LEVEL.format(number)
        for name in vocabulary.names():
            for kind, made in SOCKETS.items():
                yield Word(f"get {level} {name} on {kind}", (*made, f"getsockopt(f, {level}, {name})"))
                for value in calls.option_values(name):
                    yield Word(
                        f"set {level} {name} = {value} on {kind}",
                        (*made, f"setsockopt(f, {level}, {name}, {value})", f"getsockopt(f, {level}, {name})"),
                    )


def messages() -> Iterator[Word]:
    """Yield every MSG_ flag in every call that takes it, every control message, every family of addresses."""
    for name in c.MSG.names():
        for what, line in calls.WITH_MSG.items():
            yield from _on(SOCKETS, f"{what} {name}", line.replace("?", name))
    for level, name, data in calls.control_messages():
        message = f'{{msg_iov=["x"], msg_control=[{{{level}, {name}, {data}}}]}}'
        yield from _on(SOCKETS, f"cmsg {level} {name}", f"sendmsg(f, {message}, MSG_DONTWAIT)")
    for family in c.FAMILY.names():
        address = (
            f'{{sa_family={family}, sa_data="\\x13\\x88\\x7f\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"}}'
        )
        for what in ("bind(f, *)", "connect(f, *)", 'sendto(f, "x", MSG_DONTWAIT, *)'):
            yield from _on(SOCKETS, f"{what.split('(')[0]} {family}", what.replace("*", address))


def sockets() -> Iterator[Word]:
    """Yield every family, type and protocol."""
    for family in c.FAMILY.names():
        for kind in c.SOCKET_TYPE.choices:
            yield Word(f"socket {family} {kind}", (f"socket({family}, {kind}) -> f", "getsockname(f)", "close(f)"))
            yield Word(f"socketpair {family} {kind}", (f"socketpair({family}, {kind}, 0, [f, g])",))
    for protocol in (*c.PROTOCOL.names(), "256", "-1", "300"):
        for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_PACKET"):
            for kind in c.SOCKET_TYPE.choices:
                yield Word(f"socket {family} {kind} {protocol}", (f"socket({family}, {kind}, {protocol}) -> f",))
    for name in c.CONSTANTS:
        if (name.startswith("NETLINK_") and name not in c.NETLINK.names()) or name == "NETLINK_ROUTE":
            for kind in ("SOCK_RAW", "SOCK_DGRAM"):
                yield Word(
                    f"netlink {name} {kind}",
                    (f"socket(AF_NETLINK, {kind}, {name}) -> f", "bind(f, netlink(0, 1))", "getsockname(f)"),
                )


def others() -> Iterator[Word]:
    """Yield the constants that no parameter is printed with, where they belong."""
    for name in c.CONSTANTS:
        for prefix, lines in calls.OTHERS.items():
            if name.startswith(prefix):
                yield Word(f"{name}", tuple(line.replace("?", name) for line in lines))
                break


def changes() -> Iterator[Word]:
    """Yield sysctls and operations of the agent."""
    for path, value in calls.SYSCTLS:
        yield Word(f"sysctl {path} = {value}", (f'!sysctl("{path}", "{value}")', "getpid()"))


GROUPS = {
    "plain": plain,
    "vocabularies": vocabularies,
    "descriptors": descriptors,
    "options": options,
    "messages": messages,
    "sockets": sockets,
    "others": others,
    "changes": changes,
}


def every_word(group: str = "") -> list[Word]:
    """Return all words, or those of *group*; each once."""
    found = {}
    for name, make in GROUPS.items():
        if not group or name == group:
            found.update({word.name: word for word in make()})
    return list(found.values())


def once(words: list[Word]) -> list[Word]:
    """Return the first words that together name every call and every constant that all of *words* name."""
    seen: set[str] = set()
    chosen = []
    for word in words:
        new = (constants_in([word]) | calls_in([word])) - seen
        if new:
            chosen.append(word)
            seen |= new
    return chosen


__all__ = ["FILES", "GROUPS", "SOCKETS", "Word", "calls_in", "constants_in", "every_word", "once"]
