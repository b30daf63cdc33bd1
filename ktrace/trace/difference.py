"""Compare two sessions of one workload: calls, results, structures, function trees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from ktrace.state.call import Completed, Result
from ktrace.state.compare import Difference, compare, differ
from ktrace.state.step import Step
from ktrace.state.trace.functions import FunctionTrace, Node, tree
from ktrace.trace.session import Header
from ktrace.trace.session_reader import SessionReader

INCIDENTAL = ("time", "tim", "time_nsec", ".pid")
"""How members end that differ from run to run: the second at which something happened (``sem_otime``, ``shm_atim``)."""

MOMENTS = ("tv_sec", "tv_usec", "tv_nsec")
"""Likewise in what calls give back: what is left of a timer, or when a packet came."""

OPAQUE = (
    "kmem_cache_", "kmalloc", "__kmalloc", "kvmalloc", "kfree", "kvfree", "__alloc_pages", "__free_pages", "schedule",
    "handle_mm_fault", "try_to_wake_up", "call_rcu", "mod_node_page_state", "exit_mm", "mmput", "exc_page_fault",
    "mod_timer", "get_random_", "_get_random_", "blake2s_", "chacha_",
)  # fmt: skip
"""What these call depends on the state of the allocator, the page cache, the scheduler, the timers or the pool of
entropy: it is not compared."""
PASSING = (
    "_raw_", "__cond_resched", "rcu_", "lock_mm_and_find_vma", "up_read", "__rcu_",
    "enter_lazy_tlb", "save_fpregs_to_fpstate", "schedule_timeout", "tcp_add_backlog", "idle_cpu",
    "__kthread_should_park",
)  # fmt: skip
"""What comes and goes with preemption and page faults, and with who is first: the packet, or who waits for it."""

_SOFTIRQS = (
    "do_softirq", "__do_softirq", "handle_softirqs", "__local_bh_enable_ip", "irq_exit_rcu", "__release_sock",
)  # fmt: skip
"""Where what was sent may arrive, or elsewhere: it is compared by itself."""
_ARRIVAL = "net_rx_action"
_RECEIVED = ("tcp_v4_do_rcv", "tcp_v6_do_rcv")
"""Likewise: a packet for a sock that is in use just then waits on its backlog."""

NOT_CALLED = "not called"
"""Said of a function in the session that does not go through it."""

_PORTS = (".inet_num", ".inet_sport", ".inet_dport", ".sin_port", ".sin6_port")


@dataclass(frozen=True, slots=True)
class Differing:
    """One thing in which two sessions differ.

    :param kind: ``call``, ``result``, ``structure`` or ``functions``
    :param what: such as ``pipe1.head``; :param one: in the first session, *other* in the second
    """

    step: int
    kind: str
    what: str
    one: str
    other: str


def compare_sessions(one: SessionReader, other: SessionReader, functions: bool = True) -> Iterator[Differing]:
    """Yield where two sessions differ, see :func:`differences`.

    :raises UsageError: one of them cannot be read
    """
    yield from differences(one.steps(), other.steps(), functions, _chosen_ports(one.header, other.header))


def _chosen_ports(*headers: Header) -> range:
    """Return the ports that the kernels chose from, as far as they are the same."""
    settings = [getattr(header.facts.get("socket"), "sysctl", {}) for header in headers]
    name = "ipv4/ip_local_port_range/"
    low, high = (
        max(item.get(name + "low", 1) for item in settings),
        min(item.get(name + "high", 0) for item in settings),
    )
    return range(low, high + 1)


def differences(
    one: Iterable[Step], other: Iterable[Step], functions: bool = True, ports: range = range(0)
) -> Iterator[Differing]:
    """Yield where two series of steps differ, in order; after the first different call, nothing more.

    A structure's difference that stays is named at its first step.

    :param functions: compare the function trees, too, where both have them
    :param ports: those that the kernel chooses from (``ip_local_port_range``); another choice is no difference
    """
    chosen = _Chosen(ports)
    staying: set[tuple[str, str, str]] = set()
    for left, right in zip_longest(one, other):
        if left is None or right is None:
            present = left or right
            missing = "absent", f"{present.text} = {present.answer}"
            yield Differing(present.number, "call", "step", *(missing if left is None else missing[::-1]))
            return
        if (left.actor, left.call.name) != (right.actor, right.call.name):
            yield Differing(left.number, "call", "step", f"{left.actor}: {left.text}", f"{right.actor}: {right.text}")
            return
        for item in differ("arguments", left.call.args, right.call.args):
            yield Differing(left.number, "call", f"{left.text}: {item.path}", str(item.observed), str(item.expected))
        if left.answer != right.answer or left.outcome.blocked != right.outcome.blocked:
            yield Differing(left.number, "result", left.text, _result(left), _result(right))
        for item in _outs(left, right):
            if not chosen.same(item):
                place = f"{left.text}: {item.path}"
                yield Differing(left.number, "result", place, str(item.observed), str(item.expected))
        found: set[tuple[str, str, str]] = set()
        for item in compare(left.world, right.world):
            if item.path.endswith(INCIDENTAL) or chosen.same(item):
                continue
            what = (item.path, str(item.observed), str(item.expected))
            found.add(what)
            if what not in staying:
                yield Differing(left.number, "structure", *what)
        staying = found
        if functions and left.functions is not None and right.functions is not None:
            yield from _functions(left.number, left.functions, right.functions)


def _outs(left: Step, right: Step) -> Iterator[Difference]:
    """Yield where the out values of calls that returned differ, but for what differs from run to run."""
    answers: dict[str, list[Result]] = {}
    for event in right.outcome.events:
        if isinstance(event, Completed):
            answers.setdefault(event.actor, []).append(event.result)
    for event in left.outcome.events:
        if isinstance(event, Completed) and answers.get(event.actor):
            for item in differ(event.actor, event.result.out, answers[event.actor].pop(0).out):
                path = item.path.replace("[", ".").replace("]", "")
                if not path.endswith((*INCIDENTAL, *MOMENTS)) and ".tcpi_" not in path:
                    yield replace(item, path=path)


class _Chosen:
    """Which port of one session stands for which of the other."""

    def __init__(self, ports: range) -> None:
        self._ports = ports
        self._there: dict[int, int] = {}
        self._here: dict[int, int] = {}

    def same(self, item: Difference) -> bool:
        """Tell whether both are ports that the kernel chose for the same socket."""
        one, other = item.observed, item.expected
        if not (isinstance(one, int) and isinstance(other, int) and item.path.endswith(_PORTS)):
            return False
        if one not in self._ports or other not in self._ports:
            return False
        return self._there.setdefault(one, other) == other and self._here.setdefault(other, one) == one


def _result(step: Step) -> str:
    blocked = ", ".join(sorted(step.outcome.blocked))
    return step.answer + (f" (blocked: {blocked})" if blocked else "")


def _functions(number: int, one: FunctionTrace, other: FunctionTrace) -> Iterator[Differing]:
    left, right = (
        Counter(call for actor, spans in trace.spans.items() for call in _calls(tree(spans), actor, ""))
        for trace in (one, other)
    )
    for call in dict.fromkeys((*left, *right)):
        if (left[call] > 0) != (right[call] > 0):
            yield Differing(number, "functions", ": ".join(call), _times(left[call]), _times(right[call]))


def _calls(nodes: tuple[Node, ...], actor: str, caller: str) -> Iterator[tuple[str, str]]:
    """Yield who called what from where, for each call that says something of the kernel and the workload alone."""
    for node in nodes:
        name = node.span.function
        if name == _ARRIVAL or name in _RECEIVED:
            yield from _calls(node.children, "softirq", name)
        elif name.startswith(_SOFTIRQS):
            arrivals = [below for below in node.walk() if below.span.function in (_ARRIVAL, *_RECEIVED)]
            yield from _calls(tuple(arrivals), actor, caller)
        elif not name.startswith(PASSING):
            yield actor, f"{caller} > {name}" if caller else name
            if not name.startswith(OPAQUE):
                yield from _calls(node.children, actor, name)


def _times(count: int) -> str:
    return NOT_CALLED if not count else "called" if count == 1 else f"called {count} times"
