"""What a program's calls came to: how many were checked, allowed, passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ktrace.state.call import Call, Completed
from ktrace.state.passed_over import NAMES, is_unknown
from ktrace.state.step import Step
from ktrace.verify.exec.stdio import NAME

NS = 1_000_000_000


@dataclass
class CallCount:
    """What was counted of one call.

    :param seconds: of the host, from its beginning to where everybody was at rest again
    """

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0
    allowed: int = 0
    passed_over: bool = False


class CallCounts:
    """Count the calls of a program, from its execve on.

    :ivar by_name: of each call
    :ivar began: the program runs
    """

    def __init__(self) -> None:
        self.by_name: dict[str, CallCount] = {}
        self.began = False

    def is_own(self, step: Step) -> bool:
        """Tell whether *step* is the program's own."""
        self.began = self.began or step.call.name == "execve"
        return self.began and step.actor not in (None, NAME)

    def add(self, step: Step) -> None:
        """Count a step of the program's."""
        count = self.by_name.setdefault(step.call.name, CallCount(passed_over=is_passed_over(step.call)))
        count.calls += 1
        count.seconds += (step.host[1] - step.host[0]) / NS
        for event in step.outcome.events:
            if isinstance(event, Completed) and event.actor == step.actor:
                count.errors += event.result.errno is not None

    def add_allowed(self, step: Step) -> None:
        """Count that something of a step was not predicted, but allowed."""
        if (count := self.by_name.get(step.call.name)) is not None:
            count.allowed += 1


def is_passed_over(call: Call) -> bool:
    """Tell whether nothing of a call is known but that it changes nothing that is modelled."""
    return call.name in NAMES or is_unknown(call.name)


def summary(counts: Mapping[str, CallCount], fields: int) -> str:
    """Say in one line what was checked and what was passed over."""
    known = [count for count in counts.values() if not count.passed_over]
    checked, allowed = sum(count.calls for count in known), sum(count.allowed for count in known)
    passed = Counter({name: count.calls for name, count in counts.items() if count.passed_over})
    text = f"{checked} calls checked, {allowed} of them in part only allowed; {fields} fields compared"
    if passed:
        most = ", ".join(f"{name} {number}" for name, number in passed.most_common())
        text += f"; passed over: {passed.total()} ({most})"
    return text


def table(counts: Mapping[str, CallCount]) -> list[str]:
    """Return lines as those of ``strace -c``, by time."""
    lines = [
        f"{'% time':>6} {'seconds':>11} {'calls':>9} {'errors':>7} {'checked':>8} {'allowed':>8} {'passed':>7}  call"
    ]
    whole = sum(count.seconds for count in counts.values()) or 1.0
    for name, count in sorted(counts.items(), key=lambda item: -item[1].seconds):
        lines.append(_row(name, count, whole))
    total = CallCount()
    passed = sum(count.calls for count in counts.values() if count.passed_over)
    for count in counts.values():
        total.calls += count.calls
        total.errors += count.errors
        total.seconds += count.seconds
        total.allowed += count.allowed if not count.passed_over else 0
    lines.append(_line("total", total, whole, total.calls - passed, total.allowed, passed))
    return lines


def _row(name: str, count: CallCount, whole: float) -> str:
    if count.passed_over:
        return _line(name, count, whole, 0, 0, count.calls)
    return _line(name, count, whole, count.calls, count.allowed, 0)


def _line(name: str, count: CallCount, whole: float, checked: int, allowed: int, passed: int) -> str:
    share = 100 * count.seconds / whole
    return (
        f"{share:6.2f} {count.seconds:11.6f} {count.calls:9} {count.errors or '':>7} {checked or '':>8} "
        f"{allowed or '':>8} {passed or '':>7}  {name}"
    )
