"""A session on the terminal: a line per step, under it what the step changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rich.console import Console
from rich.text import Text

from ktrace.report.changed import LABEL, change_lines, folded
from ktrace.report.function_tree import call_path_lines, function_lines
from ktrace.report.pictures import involved, picture
from ktrace.report.untrusted import one_line, printable
from ktrace.report.untrusted_text import printable_text
from ktrace.state.call import Completed, Continued, Exited, Signalled, Stopped
from ktrace.state.compare import Difference
from ktrace.state.rule import Choice
from ktrace.state.step import Step, has_returned
from ktrace.state.world import World
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.trace.value import short

_INDENT = " " * 8


class TerminalView:
    """Print a session's events as they come.

    :param console: where to
    :param verbosity: -1 prints the verdict only, 0 what changed, 1 also the zeros of new objects, and the pictures of
        what changed
    """

    def __init__(self, console: Console, verbosity: int = 0) -> None:
        self._console = console
        self._verbosity = verbosity
        self._world = World()
        self._last: Step | None = None
        self._refused: list[Choice] = []
        self._named: Mapping[str, Collection[str]] | None = None

    def header(self, header: Header) -> None:
        """Print what is run, and on what."""
        self._world = header.initial
        self._named = header.manifest.get("call_path", header.manifest.get("way"))  # as sessions of before call it
        if unread := header.manifest.get("partly_read"):
            self._line(Text(f"partly read: {', '.join(unread)}", "yellow"))
        if untold := header.manifest.get("untold"):
            self._line(Text(f"cannot be told of this kernel: {', '.join(untold)}", "yellow"))
        if self._verbosity < 0:
            return
        image = header.manifest.get("image", "")
        release = header.manifest.get("release", "")
        accelerator = header.manifest.get("accelerator", "")
        title = header.title or str(header.manifest.get("workload") or "(no title)")
        self._line(Text(one_line(title), "bold"), Text(f"   {image}, Linux {release}, {accelerator}", "dim"))

    def step(self, step: Step) -> None:
        """Print one step and what it changed."""
        before, self._world = self._world, step.world
        self._last = step
        self._refused = []
        if self._verbosity < 0:
            return
        if step.comment:
            for line in step.comment.splitlines():
                self._line(Text(f"{_INDENT}# {line}", "dim italic"))
        who = step.actor or "-"
        blocked = step.actor is not None and step.actor in step.outcome.blocked
        failed = step.answer.startswith("-1")
        answer = Text(step.answer, "yellow" if blocked else "red" if failed else "green")
        self._line(Text(f"{step.number:4} ", "dim"), Text(f"{who:<2} ", _colour(who)), Text(f"{step.text} = "), answer)
        self._events(step)
        for changed in change_lines(before, step.world, zeros=self._verbosity > 0):
            self._line(Text(_INDENT), changed, hang=len(_INDENT) + LABEL)
        self._probes(step)
        for text in step.console:
            self._line(Text(f"{_INDENT}console    ", "red"), Text(text))
        self._traced(step)
        self._functions(step)
        if self._verbosity > 0:
            for ref in involved(step, before):
                self._line()
                for row in picture(step.world, ref, before):
                    self._line(Text(_INDENT), row, hang=None)
                self._line()

    def pass_by(self, step: Step) -> None:
        """Take a step that is not to be seen."""
        self._world, self._last, self._refused = step.world, step, []

    def choices(self, choices: Choices) -> None:
        """Print, with -v, what the kernel chose and by which rule; what is not allowed comes with the verdict."""
        self._refused = [choice for choice in choices.choices if not choice.allowed and not choice.path]
        for name in dict.fromkeys(rule.known_bug for rule in choices.by_rule() if rule.known_bug):
            self._line(Text(f"{_INDENT}known bug {name}", "yellow"), Text(f"  docs/kernel-bugs/{name}.md", "dim"))
        if self._verbosity <= 0:
            return
        for rule, used in choices.by_rule().items():
            if rule.known_bug:
                continue
            allowed = [choice.path or short(choice.taken) for choice in used if choice.allowed]
            if allowed:
                what = Text(", ".join(allowed))
                self._line(Text(f"{_INDENT}allowed    ", "dim"), what, Text(f"  by {rule}, {rule.source}", "dim"))

    def verdict(self, verdict: Verdict) -> None:
        """Print where a step diverged: what was observed, what was allowed, and by which rule."""
        step = self._last
        self._line(Text(f"\ndivergence at step {verdict.number}", "bold red"), Text(f": {_of(step)}" if step else ""))
        for text in divergence_lines(verdict.differences):
            self._line(Text(f"  {text}"))
        for choice in self._refused:
            rule = choice.rule
            self._line(Text(f"  not allowed: {short(choice.taken)}"), Text(f"  by {rule}, {rule.source}", "dim"))
        for complaint in verdict.complaints:
            self._line(Text(f"  {complaint}"))
        if verdict.rules:
            self._line(Text("  model rule mirrors ", "dim"), Text(", ".join(verdict.rules)))

    def end(self, end: End, place: str = "") -> None:
        """Print what was checked, and where the session lies."""
        style = "bold green" if end.status == "agreed" else "bold red"
        self._line(Text(end.status, style), Text(f": {end.totals}"))
        if end.message:
            self._line(Text(end.message))
        if place:
            self._line(Text(f"session {place}", "dim"))

    def _events(self, step: Step) -> None:
        for actor in sorted(step.outcome.blocked):
            where = step.sleeps.get(actor)
            if where and actor == step.actor and not has_returned(where):
                self._line(Text(f"{_INDENT}{actor} sleeps in {' < '.join(where)}", "yellow"))
        for event in step.outcome.events:
            if isinstance(event, Signalled):
                self._line(Text(f"{_INDENT}{event.actor} caught {event.signal}", "magenta"))
            elif isinstance(event, Exited):
                how = f"killed by {event.signal}" if event.signal else f"exited {event.status}"
                self._line(Text(f"{_INDENT}{event.actor} {how}", "magenta"))
            elif isinstance(event, Stopped):
                self._line(Text(f"{_INDENT}{event.actor} stopped by {event.signal}", "magenta"))
            elif isinstance(event, Continued):
                self._line(Text(f"{_INDENT}{event.actor} continued", "magenta"))
            elif isinstance(event, Completed) and event.actor != step.actor:
                result = event.result
                answer = result.errno or str(result.value)
                more = "".join(f" {name} {short(value)}" for name, value in result.out.items())
                self._line(Text(f"{_INDENT}{event.actor} woken: its call returned {answer}{more}", "magenta"))

    def _probes(self, step: Step) -> None:
        for hit in step.probes:
            arguments = ", ".join(f"{name}={value}" for name, value in hit.arguments.items())
            self._line(Text(f"{_INDENT}{hit.actor:<2} ", _colour(hit.actor)), Text(f"in {hit.function}({arguments})"))
            for text, value in hit.shown.items():
                several = value.replace("\n", f"\n{_INDENT}         ")
                self._line(Text(f"{_INDENT}     {text} = ", "cyan"), Text(several))
            if self._verbosity > 0 and hit.stack:
                self._line(Text(f"{_INDENT}     called by {' < '.join(hit.stack)}", "dim"))

    def _traced(self, step: Step) -> None:
        """Print what tracepoints and kprobes recorded."""
        if step.events is None:
            return
        for event in step.events.events:
            fields = ", ".join(f"{name}={value}" for name, value in event.fields.items())
            who = Text(f"{_INDENT}{event.actor:<2} ", _colour(event.actor))
            self._line(who, Text(f"{event.name} {fields}"))
        if step.events.lost:
            self._line(Text(f"{_INDENT}{step.events.lost} events lost", "red"))

    def _functions(self, step: Step) -> None:
        """Print the kernel functions that the step went through: those on the session's way, all of them with -v."""
        if step.functions is None:
            return
        if self._named is not None and self._verbosity == 0:
            # An actor that slept is in a call of its own; ksoftirqd works for who makes this one.
            own, woken = self._named.get(step.call.name, ()), self._named.get("woken", ())
            actors = {actor: woken for actor in step.functions.spans if actor[:1].isupper() and actor != step.actor}
            lines = call_path_lines(step.functions, {**actors, "": own})
        else:
            lines = function_lines(step.functions, whole=self._verbosity > 0)
        for who, function, remark in lines:
            self._line(Text(f"{_INDENT}{who:<2} ", _colour(who or "-")), Text(function), Text(f"  {remark}", "dim"))

    def _line(self, *parts: Text, hang: int | None = len(_INDENT) + 2) -> None:
        """Print a line; on a terminal one that is too long goes on *hang* columns in (``None``: as it is)."""
        text = Text.assemble(*parts)
        if self._console.is_terminal:
            fold = hang is not None and self._console.file.isatty()
            for line in folded(printable_text(text), self._console.width, hang or 0) if fold else (text,):
                self._console.print(line, soft_wrap=True, highlight=False)
        else:  # the same characters, four times as fast
            self._console.file.write(printable(text.plain) + "\n")
            self._console.file.flush()


def divergence_lines(differences: tuple[Difference, ...]) -> list[str]:
    """Return the differences as aligned lines, observed above allowed, equal parts elided."""
    if not differences:
        return []
    width = max(len(item.path) for item in differences)
    lines: list[str] = []
    for item in differences:
        observed, allowed = elide(_text(item.observed), _text(item.expected))
        lines.append(f"{item.path:<{width}}  observed {observed}")
        lines.append(f"{'':<{width}}  allowed  {allowed}")
    return lines


def elide(left: str, right: str, keep: int = 16) -> tuple[str, str]:
    """Return both texts with long parts that they share at either end replaced by ``…``."""
    limit = min(len(left), len(right))
    start = next((index for index in range(limit) if left[index] != right[index]), limit)
    rest = limit - start
    end = next((index for index in range(rest) if left[-1 - index] != right[-1 - index]), rest)
    cut_start = start - keep if start > 2 * keep else 0
    cut_end = end - keep if end > 2 * keep else 0

    def cut(text: str) -> str:
        middle = text[cut_start : len(text) - cut_end]
        return ("…" if cut_start else "") + middle + ("…" if cut_end else "")

    return cut(left), cut(right)


def _text(value: object) -> str:
    return value if isinstance(value, str) else short(value)


def _of(step: Step) -> str:
    return f"{step.actor + ': ' if step.actor else ''}{step.text} = {step.answer}"


_COLOURS = ("blue", "magenta", "cyan", "green", "yellow", "red")


def _colour(actor: str) -> str:
    return _COLOURS[sum(map(ord, actor)) % len(_COLOURS)]
