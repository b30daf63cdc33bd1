"""A program's session on the terminal: strace's line per call, under it what it changed in the kernel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from rich.console import Console

from ktrace.agent.syscalls import format_call
from ktrace.report.terminal import TerminalView
from ktrace.state.call import Completed
from ktrace.state.fs.file import DescriptorTable
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.verify.exec.counts import NS, CallCounts


@dataclass(frozen=True)
class ProgramOptions:
    """What of a program's session is printed.

    :param only: names of the calls; ``None``: all of them
    :param times: how long each took; *names*: what descriptors are
    :param everything: the steps that make its standard files, too
    """

    only: Collection[str] | None = None
    times: bool = False
    names: bool = False
    everything: bool = False


@dataclass
class ProgramView:
    """Print a program's session as it comes, and count its calls.

    :param console: where to; ``None``: nothing but what was found wrong is printed, on *failures*
    :ivar counts: of its calls
    """

    console: Console | None
    failures: Console
    options: ProgramOptions = field(default_factory=ProgramOptions)
    verbosity: int = 0
    counts: CallCounts = field(default_factory=CallCounts)

    def __post_init__(self) -> None:
        self._view = TerminalView(self.console or self.failures, self.verbosity if self.console is not None else -1)
        self._world = World()
        self._last: Step | None = None
        self._wanted = False
        self.place = ""

    def header(self, header: Header) -> None:
        """Print what is run, and on what."""
        self._world = header.initial
        self._view.header(header)

    def step(self, step: Step) -> None:
        """Print a step that is asked for."""
        own = self.counts.is_own(step)
        if own:
            self.counts.add(step)
        named = self.options.only is None or step.call.name in self.options.only
        self._wanted = self.options.everything or (own and named)
        before, self._world, self._last = self._world, step.world, step
        if self.options.names:
            step = replace(step, text=_with_names(step, before))
        if self.options.times:
            step = replace(step, answer=f"{step.answer} <{(step.host[1] - step.host[0]) / NS:.6f}>")
        if self._wanted:
            self._view.step(step)
        else:
            self._view.pass_by(step)

    def choices(self, choices: Choices) -> None:
        """Count what was only allowed; print what is to be seen of it."""
        if self._last is not None and self.counts.began:
            self.counts.add_allowed(self._last)
        if self._wanted:
            self._view.choices(choices)

    def verdict(self, verdict: Verdict) -> None:
        """Print a divergence, and where the calls go to a file on the terminal, too."""
        self._view.verdict(verdict)
        if self.console is not None and self.console is not self.failures and self._last is not None:
            aside = TerminalView(self.failures, -1)
            aside.pass_by(self._last)
            aside.verdict(verdict)

    def end(self, end: End, place: str = "") -> None:
        """Say where the session of one that diverged lies; how the program ended is told by whoever ran it."""
        self.place = place


def _with_names(step: Step, before: World) -> str:
    """Write a call with what its descriptors are, before it or after it."""
    names: dict[int, str] = {}
    for world in (step.world, before):
        names |= _descriptors(world, step.actor)
    answer = next(
        (event.result for event in step.outcome.events if isinstance(event, Completed) and event.actor == step.actor),
        None,
    )
    return format_call(step.call, names, answer)


def _descriptors(world: World, actor: str | None) -> Mapping[int, str]:
    process = next((value for ref, value in world.objects.items() if ref.kind == "process" and ref.key == actor), None)
    table = world.objects.get(process.files) if process is not None and process.files is not None else None
    if not isinstance(table, DescriptorTable):
        return {}
    found: dict[int, str] = {}
    for fd, slot in table.fds.items():
        file = world.objects.get(slot.file) if slot.file is not None else None
        target = getattr(file, "target", None)
        found[fd] = str(target if target is not None else slot.file)
    return found
