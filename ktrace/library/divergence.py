"""What is raised where kernel and model disagree; its text is what ``ktrace run`` prints of it."""

from __future__ import annotations

from io import StringIO

from ktrace.errors import KtraceError
from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Verdict


class Divergence(KtraceError):
    """The kernel did what the model does not allow.

    :ivar step: the step in which it did, ``None`` where the World before the first step differs already
    :ivar verdict: what differs: every field with what was observed and what was expected, and the rules behind it
    """

    __module__ = "ktrace"
    exit_code = 1
    blame = "divergence"

    def __init__(self, text: str, verdict: Verdict, step: Step | None) -> None:
        super().__init__(text, "ktrace show SESSION prints how it came to that")
        self.verdict = verdict
        self.step = step


class Told:
    """Take a session's events, and say of a divergence what a terminal would be told."""

    def __init__(self) -> None:
        self._step: Step | None = None
        self._choices: Choices | None = None
        self.divergence: Divergence | None = None

    def header(self, header: Header) -> None:
        """Take the start."""
        self._step = self._choices = self.divergence = None

    def step(self, step: Step) -> None:
        """Take one step."""
        self._step, self._choices = step, None

    def choices(self, choices: Choices) -> None:
        """Take what the kernel chose in the last step."""
        self._choices = choices

    def verdict(self, verdict: Verdict) -> None:
        """Take a divergence."""
        # Nobody who has none needs these, and they take longer to load than a clone to start.
        from rich.console import Console

        from ktrace.report.terminal import TerminalView

        out = StringIO()
        view = TerminalView(Console(file=out, color_system=None), verbosity=-1)
        if self._step is not None:
            view.pass_by(self._step)
        if self._choices is not None:
            view.choices(self._choices)
        view.verdict(verdict)
        self.divergence = Divergence(out.getvalue().strip(), verdict, self._step)

    def end(self, end: End, place: str = "") -> None:
        """Take the end."""


def told_steps(header: Header, steps: tuple[Step, ...], last: int) -> str:
    """Return the *last* of *steps* as ``ktrace run`` prints them: each with what it changed."""
    from rich.console import Console

    from ktrace.report.terminal import TerminalView

    out = StringIO()
    view = TerminalView(Console(file=out, color_system=None))
    view.header(header)
    out.seek(0)
    out.truncate()
    for step in steps[:-last] if last else steps:
        view.pass_by(step)
    for step in steps[-last:] if last else ():
        view.step(step)
    return out.getvalue()
