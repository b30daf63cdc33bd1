"""A session as a series: one picture a step, with the pictures of what it touched."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from ktrace.report.changed import LABEL, change_lines, folded
from ktrace.report.pictures import gone, involved, picture, subject
from ktrace.report.terminal import divergence_lines
from ktrace.report.untrusted_text import printable_text
from ktrace.state.call import Completed, Continued, Exited, Signalled, Stopped
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.session import Verdict
from ktrace.trace.value import short

HISTORY = 1000
"""Steps that one can go back."""

LISTED = 7
"""Steps around the current one that are listed above the pictures."""

_EVENTS = 8
"""Events of ftrace that are listed."""

_KEPT = 4
"""Pictures that stay while steps touch something else."""


@dataclass(slots=True)
class StepPicture:
    """What one step showed.

    :param refs: what is drawn, the step's own first
    """

    step: Step
    before: World
    refs: tuple[Ref, ...]
    verdict: Verdict | None = None


class PictureSeries:
    """Keep the pictures of a session, and draw one of them.

    :param total: how many steps there will be, if that is known
    """

    def __init__(self, title: str, initial: World, total: int | None = None) -> None:
        self._title = title
        self._total = total
        self._world = initial
        self._recent: tuple[Ref, ...] = ()
        self.pictures: deque[StepPicture] = deque(maxlen=HISTORY)

    def step(self, step: Step) -> None:
        """Take the next step."""
        before, self._world = self._world, step.world
        own = tuple(involved(step, before))
        alive = [ref for ref in self._recent if ref not in own and subject(step.world, ref) == ref]
        self._recent = (*own, *alive)[: max(_KEPT, len(own))]
        self.pictures.append(StepPicture(step, before, self._recent))

    def verdict(self, verdict: Verdict) -> None:
        """Take the verdict on the last step."""
        if self.pictures:
            self.pictures[-1].verdict = verdict

    def draw(self, place: int, width: int, height: int, footer: str = "") -> list[Text]:
        """Return the lines of the picture at *place*.

        :param place: index into :attr:`pictures`
        :param width: columns there are
        :param height: lines there are
        """
        shown = self.pictures[place]
        rows = list(_told(shown))
        for ref in shown.refs:
            rows.append(Text())
            rows += picture(shown.step.world, ref, shown.before)
        lost = gone(shown.step.world, shown.before)
        if lost:
            rows += [Text(), Text(f"gone: {', '.join(lost)}", "dim")]
        if changed := list(change_lines(shown.before, shown.step.world)):
            rows.append(Text())
            rows += [part for line in changed for part in folded(line, width, LABEL)]
        room = max(1, height - 1)
        # What the step itself leaves free shows more of the steps around it.
        listed = max(LISTED, room - len(rows) - 2)
        of = f" of {self._total}" if self._total else ""
        where = Text.assemble((f"step {shown.step.number}{of}   ", "cyan"), (self._title, "bold"))
        rows = [where, *self._list(place, listed), Text("─" * width, "dim"), *rows]
        if len(rows) > room:
            more = len(rows) - room + 1
            rows = [*rows[: room - 1], Text(f"⋮ {more} more lines, for a taller terminal", "dim")]
        rows += [Text()] * (room - len(rows))
        rows.append(Text(footer, "reverse dim"))
        lines = [printable_text(row) for row in rows]
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return lines

    def find(self, text: str, place: int, by: int) -> int | None:
        """Return the place of the next picture after *place* whose step has *text* in what is said of it.

        :param by: 1 looks forward, -1 back
        """
        index = place + by
        while 0 <= index < len(self.pictures):
            if matches(self.pictures[index], text):
                return index
            index += by
        return None

    def place_of(self, number: int) -> int | None:
        """Return the place of step *number*, or of the first that is kept, if that is later; ``None``: not yet."""
        if not self.pictures or number > self.pictures[-1].step.number:
            return None
        return max(0, number - self.pictures[0].step.number)

    def _list(self, place: int, listed: int) -> Iterator[Text]:
        first = max(0, min(place - listed // 2, len(self.pictures) - listed))
        for index in range(first, min(len(self.pictures), first + listed)):
            step = self.pictures[index].step
            row = line_of(step)
            if index == place:
                row.stylize("reverse")
            yield row


def matches(shown: StepPicture, text: str) -> bool:
    """Tell whether a step's call, answer, comment, or what it changed has *text* in it, in whatever case."""
    step, wanted = shown.step, text.lower()
    said = f"{step.actor or '-'} {step.text} = {step.answer}\n{step.comment}"
    return wanted in said.lower() or any(
        wanted in line.plain.lower() for line in change_lines(shown.before, step.world)
    )


def line_of(step: Step) -> Text:
    """Return a step on one line."""
    blocked = step.actor is not None and step.actor in step.outcome.blocked
    style = "yellow" if blocked else "red" if step.answer.startswith("-1") else "green"
    return Text.assemble(
        (f"{step.number:5} ", "dim"), (f"{step.actor or '-':<3}", "magenta"), f"{step.text} = ", (step.answer, style)
    )


def _told(shown: StepPicture) -> Iterator[Text]:
    """Yield what is to be said of a step beside its picture."""
    step = shown.step
    for line in step.comment.splitlines():
        yield Text(f"# {line}", "dim italic")
    for actor in sorted(step.outcome.blocked):
        where = " < ".join(step.sleeps.get(actor, ()))
        yield Text(f"{actor} sleeps" + (f" in {where}" if where else ""), "yellow" if actor == step.actor else "dim")
    for event in step.outcome.events:
        if isinstance(event, Signalled):
            yield Text(f"{event.actor} caught {event.signal}", "magenta")
        elif isinstance(event, Exited):
            yield Text(f"{event.actor} {f'killed by {event.signal}' if event.signal else 'exited'}", "magenta")
        elif isinstance(event, Stopped):
            yield Text(f"{event.actor} stopped by {event.signal}", "magenta")
        elif isinstance(event, Continued):
            yield Text(f"{event.actor} continued", "magenta")
        elif isinstance(event, Completed) and event.actor != step.actor:
            out = "".join(f" {name} {short(value)}" for name, value in event.result.out.items())
            answer = event.result.errno or event.result.value
            yield Text(f"{event.actor} woken: its call returned {answer}{out}", "magenta")
    for hit in step.probes:
        yield Text(
            f"{hit.actor} in {hit.function}({', '.join(f'{name}={value}' for name, value in hit.arguments.items())})"
        )
        for text, value in hit.shown.items():
            yield Text(f"  {text} = {value.splitlines()[0] if value else ''}", "cyan")
    traced = step.events.events if step.events is not None else ()
    for item in traced[:_EVENTS]:
        fields = ", ".join(f"{name}={value}" for name, value in item.fields.items())
        yield Text(f"{item.actor} {item.name} {fields}", "dim")
    if len(traced) > _EVENTS:
        yield Text(f"and {len(traced) - _EVENTS} more events", "dim")
    for line in step.console:
        yield Text(f"console: {line}", "red")
    if shown.verdict is not None:
        yield Text("the kernel and the model disagree", "bold red")
        for line in (*divergence_lines(shown.verdict.differences), *shown.verdict.complaints):
            yield Text(f"  {line}", "red")
