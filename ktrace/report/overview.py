"""What a session was about: who did what, what there was, what was checked and by which rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

SCENES = 400
"""Comments that are listed."""
NOTABLE = 200
"""Steps that failed or slept that are listed."""


class Overview:
    """Count what a session's records tell, as they are read.

    :param world: references of the objects before the first step
    """

    def __init__(self, world: Iterable[str]) -> None:
        self._alive = set(world)
        self._now = Counter(map(_kind, self._alive))
        self._first = Counter(self._now)
        self._most = Counter(self._now)
        self._calls: dict[str, list[int]] = {}
        self._actors: dict[str, list[int]] = {}
        self._errors: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._scenes: list[tuple[int, str]] = []
        self._notable: list[tuple[int, str | None, str, str]] = []
        self._rules: Counter[str] = Counter()
        self._choices: Counter[str] = Counter()
        self._comment = ""

    def step(
        self, record: Mapping[str, Any], changed: Iterable[str], gone: Iterable[str], rules: Iterable[str]
    ) -> None:
        """Take a step.

        :param changed: references of what it changed; *gone*: of what it removed
        :param rules: kernel functions that the model's rules for it mirror
        """
        self._count(changed, gone)
        actor, answer, outcome = record["actor"], str(record["answer"]), record["outcome"]
        failed, slept = answer.startswith("-1"), actor in outcome["blocked"]["items"]
        asked, answered = record.get("host") or (0, 0)
        call = self._calls.setdefault(record["call"]["name"], [0, 0, 0])
        call[0], call[1], call[2] = call[0] + 1, call[1] + failed, call[2] + answered - asked
        if actor is not None:
            who = self._actors.setdefault(actor, [0, 0, 0])
            who[0], who[1], who[2] = who[0] + 1, who[1] + failed, who[2] + slept
        if failed:
            self._errors[answer.removeprefix("-1").strip() or "-1"] += 1
        for event in outcome["events"]:
            self._event(event, actor)
        if (failed or slept) and len(self._notable) < NOTABLE:
            self._notable.append((record["step"], actor, str(record["text"]), answer))
        comment = record.get("comment") or ""
        if comment and comment != self._comment and len(self._scenes) < SCENES:
            self._scenes.append((record["step"], comment))
        self._comment = comment
        self._rules.update(rules)

    def choices(self, rules: Iterable[Any]) -> None:
        """Take what the kernel chose in a step, by rule."""
        for source, function, what, used in rules:
            self._choices[f"{source}: {function}() {what}"] += len(used)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as the page has it."""
        kinds = sorted(self._most, key=lambda kind: (-self._most[kind], kind))
        return {
            "calls": sorted(
                ([name, *counts] for name, counts in self._calls.items()), key=lambda row: (-row[1], row[0])
            ),
            "actors": [[name, *counts] for name, counts in self._actors.items()],
            "errors": self._errors.most_common(),
            "events": self._events.most_common(),
            "scenes": self._scenes,
            "notable": self._notable,
            "kinds": [[kind, self._first[kind], self._most[kind], self._now[kind]] for kind in kinds],
            "rules": self._rules.most_common(),
            "choices": self._choices.most_common(),
        }

    def _count(self, changed: Iterable[str], gone: Iterable[str]) -> None:
        for ref in gone:
            if ref in self._alive:
                self._alive.remove(ref)
                self._now[_kind(ref)] -= 1
        for ref in changed:
            if ref not in self._alive:
                self._alive.add(ref)
                kind = _kind(ref)
                self._now[kind] += 1
                self._most[kind] = max(self._most[kind], self._now[kind])

    def _event(self, event: Mapping[str, Any], actor: str | None) -> None:
        match event["$"]:
            case "call.Completed":
                if event["actor"] != actor:
                    self._events["woken"] += 1
            case "call.Signalled":
                self._events[f"caught {event['signal']}"] += 1
            case "call.Exited":
                self._events[f"killed by {event['signal']}" if event["signal"] else "exited"] += 1
            case "call.Stopped":
                self._events[f"stopped by {event['signal']}"] += 1
            case "call.Continued":
                self._events["continued"] += 1


def _kind(ref: str) -> str:
    return ref.partition(":")[0]
