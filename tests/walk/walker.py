"""Take words to the model alone, and to the model and the kernel."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ktrace.errors import KtraceError, ModelError, NotModelled, UsageError
from ktrace.model.build import build_model
from ktrace.model.observed import Evidence
from ktrace.state.step import Step as Observed
from ktrace.verify.checker import Checker
from ktrace.verify.lab import Lab
from ktrace.verify.observe import observe_step
from ktrace.workload.environment import Environment
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Script, Step
from tests.walk.words import Word

AGREED, UNKNOWN, WRONG = "agreed", "not modelled", "wrong"


@dataclass(frozen=True)
class Found:
    """What came of a word.

    :param kind: ``agreed``, ``not modelled`` or ``wrong``
    :param text: what is not modelled, or what is wrong
    :param error: what a person is told of it
    """

    word: Word
    kind: str
    text: str = ""
    error: KtraceError | None = None


def script_of(word: Word, number: int) -> Script:
    """Return the script that *word* is; its actor is W and *number*."""
    actor = f"W{number}"
    lines = [f"## walk: {word.name.replace('?', '')}", f"spawn {actor}"]
    for line in word.lines:
        line = (
            line.replace("#", str(number)).replace("@", str(2000 + number % 30000))
            if '@"' not in line
            else (line.replace("#", str(number)))
        )
        line = _named(line, actor)
        lines.append(line[1:] if line.startswith("!") else f"{actor}: {line}")
    return parse_script("\n".join(lines) + "\n", "walk.kt")


def _named(line: str, actor: str) -> str:
    for before, after in (("(A", f"({actor}"), (" A", f" {actor}"), ("=A", f"={actor}")):
        for end in (",", ")", "}"):
            line = line.replace(before + end, after + end)
    return line


def dry(words: Iterable[Word], facts: Mapping[str, Any]) -> Iterator[Found]:
    """Have the model alone say the words, each in a model of its own: what is open in what it answers is let be."""
    for number, word in enumerate(words):
        yield _dry(word, number, facts)


_SAYS_SO = re.compile(
    r"\b(is|are) not (known|modelled)\b|\bdoes not know\b|\bunknown\b"
    r"|\bdo not fit into an actor's arena\b|^cannot set sysctl .*No such file"  # what neither actor nor kernel has
)


def _told(word: Word, error: UsageError) -> Found:
    """Return that *word* is not known, where the error says so: any other speaks of a script that is wrong."""
    return Found(word, UNKNOWN if _SAYS_SO.search(error.message) else WRONG, error.message, error)


def _dry(word: Word, number: int, facts: Mapping[str, Any]) -> Found:
    try:
        script = script_of(word, number)
    except UsageError as error:
        return Found(word, WRONG, f"no script: {error.message}", error)
    kernel, environment = build_model(facts), Environment()
    blocked: set[str] = set()
    for scripted in script.expanded():
        if scripted.actor is not None and (scripted.actor in blocked or scripted.actor not in kernel.tasks):
            continue
        try:
            call = environment.resolve(scripted)
            if call.name == "kill" and scripted.actor is None and call.args[0] not in kernel.tasks:
                continue
            outcome = kernel.act(scripted.actor, call, Evidence(clock=(1_800_000_000, 1_800_000_001)))
            kernel.world()
            environment.observe(scripted, outcome)
        except NotImplementedError as error:
            return Found(word, UNKNOWN, str(error))
        except UsageError as error:
            if "is not bound" in error.message:
                break  # a call before it failed, as it should
            return _told(word, error)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.split('ktrace/')[-1]}:{where.lineno}"
            return Found(word, WRONG, f"{type(error).__name__}: {error} ({place})")
        blocked = set(outcome.blocked)
    return Found(word, AGREED)


class Walker:
    """Say words in guests: one after the other in the same guest, as long as all agrees.

    :param new_lab: makes a lab in a fresh guest
    """

    def __init__(self, new_lab: Callable[[], Lab]) -> None:
        self._new_lab = new_lab
        self._lab: Lab | None = None
        self._checker: Checker | None = None
        self._steps = 0
        self.labs = 0

    def walk(self, words: Iterable[tuple[int, Word]], most: int = 200) -> Iterator[Found]:
        """Say *words*, no more than *most* in one guest."""
        for count, (number, word) in enumerate(words):
            if self._lab is None or count % most == 0:
                self._fresh()
            found = self.say(word, number)
            if found.kind == WRONG or isinstance(found.error, NotModelled):
                self._lab = None
            yield found

    def _fresh(self) -> None:
        self._lab = lab = self._new_lab()
        self._checker = Checker(lambda: build_model(lab.facts))
        self._steps = 0
        self.labs += 1
        assert not self._checker.initial(lab.look())

    def say(self, word: Word, number: int) -> Found:
        """Say one word and have its actors gone."""
        lab = self._lab
        assert lab is not None
        try:
            script = script_of(word, number)
            return self._say(word, script, lab)
        except NotModelled as error:
            return Found(word, UNKNOWN, error.what, error)
        except ModelError as error:
            return Found(word, WRONG, error.message, error)
        except UsageError as error:
            return _told(word, error)
        except KtraceError as error:
            return Found(word, WRONG, f"{error.blame}: {error.message}", error)
        except Exception:
            return Found(word, WRONG, traceback.format_exc())

    def _say(self, word: Word, script: Script, lab: Lab) -> Found:
        environment = Environment()
        blocked: frozenset[str] = frozenset()
        for scripted in script.expanded():
            if scripted.actor is not None and (scripted.actor in blocked or scripted.actor not in lab.inspector.tasks):
                continue
            try:
                call = environment.resolve(scripted)
            except UsageError as error:
                if "is not bound" in error.message:
                    break
                self._bury(lab, script)
                raise
            try:
                step = self._step(scripted, call, lab)
            except UsageError as error:
                if not isinstance(error, NotModelled):
                    self._bury(lab, script)
                raise
            if (wrong := self._check(step)) is not None:
                return Found(word, WRONG, wrong)
            environment.observe(scripted, step.outcome)
            blocked = step.outcome.blocked
        if (wrong := self._bury(lab, script)) is not None:
            return Found(word, WRONG, wrong)
        return Found(word, AGREED)

    def _bury(self, lab: Lab, script: Script) -> str | None:
        for name in list(lab.inspector.tasks):
            killed = parse_script(f"## bury: it\nspawn {name}\nkill({name}, SIGKILL)\n").steps[1]
            assert isinstance(killed, Step)
            environment = Environment()
            environment.actors.add(name)
            step = self._step(killed, environment.resolve(killed), lab)
            if (wrong := self._check(step)) is not None:
                return wrong
        return None

    def _step(self, scripted: Step, call: Any, lab: Lab) -> Observed:
        self._steps += 1
        try:
            return observe_step(lab, self._steps, scripted.actor, call, line=scripted.line)
        except UsageError:
            self._steps -= 1
            raise

    def _check(self, step: Observed) -> str | None:
        assert self._checker is not None
        differences = self._checker.check(step)
        if not differences:
            return None
        shown = [f"{item.path} observed {item.observed!r} expected {item.expected!r}" for item in differences[:4]]
        return f"{step.text} = {step.answer}: {'; '.join(shown)}"
