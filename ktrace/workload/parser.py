"""Read scripts (docs/grammar.md): steps and annotations; expressions are in :mod:`ktrace.workload.reader`."""

from __future__ import annotations

from dataclasses import replace

from ktrace.state.conditions import condition_names
from ktrace.suggest import did_you_mean
from ktrace.uapi.errno import ERRNO_NAMES, ERRNO_NUMBERS
from ktrace.uapi.signal import SIGNAL_NUMBERS, signal_name
from ktrace.workload.check import check_script
from ktrace.workload.reader import DEPTH_LIMIT, Reader, number_of
from ktrace.workload.script import (
    Condition,
    Expectation,
    Expression,
    Name,
    Repeat,
    Script,
    Step,
    number_of_steps,
)
from ktrace.workload.tokens import Place, Token, unquote

TIMES_LIMIT = 100_000
STEPS_LIMIT = 1_000_000
"""Of one ``repeat`` with all that is repeated in it."""
CONDITIONAL = ("if", "else")
"""Words that end a part of an annotation."""


def parse_script(text: str, source: str = "", values: bool = True) -> Script:
    """Return the script that *text* is.

    :param values: values of the wrong kind are refused, as far as that is known before a call has returned
    :param source: its name, for messages
    :raises ScriptError: it is none; says where
    """
    script = replace(_Parser(text, source).script(), lines=tuple(text.split("\n")))
    check_script(script, values)
    return script


def parse_expectations(text: str) -> tuple[Expectation, ...]:
    """Return what an annotation, without its ``#``, says.

    :raises ScriptError: it says nothing that is known
    """
    parser = _Parser(text, "annotation")
    found = parser.expectations()
    parser.expect("newline", "the end of the annotation")
    return found


class _Parser(Reader):
    # -- script and steps ------------------------------------------------------------------------

    def script(self) -> Script:
        comments: list[str] = []
        title, name = None, ""
        steps: list[Step | Repeat] = []
        functions, probes = False, []
        while self.token.kind != "end":
            if self.accept("newline"):
                continue
            if self.token.kind == "name" and self.token.text == "with" and self.ahead().kind != ":":
                if steps:
                    self.fail("'with' stands behind a step", self.token.place, "it belongs above the first one")
                probe = self.wish()
                functions = functions or probe is None
                probes += [probe] if probe is not None else []
                continue
            if self.token.kind == "comment":
                text = _comment(self.take())
                if title is None and not steps and not comments:
                    name, title = _title(text)
                else:
                    comments.append(text)
                continue
            steps.append(self.statement(tuple(comments)))
            comments = []
        if title is None:
            if not steps:
                self.fail("the script is empty", Place(1, 1), "its first line is its title: ## name: title")
            title = ""
        if not steps:
            self.fail("the script has no step", Place(1, 1), "write one behind the title, such as A: pipe2([r, w], 0)")
        return Script(title, tuple(steps), name, tuple(comments), functions, tuple(probes), source=self.source)

    def wish(self) -> str | None:
        """Read what is wanted to be shown: a probe's text, ``None`` for functions."""
        self.take()
        what = self.expect("name", "'functions' or 'probe'")
        probe = None
        if what.text == "probe":
            text = self.expect("string", 'the probe, as in "tcp_push sk->sk_write_queue.qlen"')
            try:
                probe = unquote(text.text).decode()
            except ValueError as error:
                self.fail(f"unknown escape {str(error)!r}", text.place)
        elif what.text != "functions":
            self.fail(f"cannot run with {what.text!r}", what.place, "write 'with functions' or 'with probe \"...\"'")
        self.expect("newline", "the end of the line")
        return probe

    def statement(self, comments: tuple[str, ...]) -> Step | Repeat:
        token = self.token
        if token.kind != "name":
            self.unexpected("a step such as 'A: pipe2([r, w], 0)'")
        if self.ahead().kind == ":":
            return self.step(comments)
        if token.text == "repeat":
            return self.repeat(comments)
        if token.text == "when" and self.ahead().kind == "name":
            return self.when(comments)
        if token.text == "spawn":
            return self.spawn(comments)
        if token.text in ("kill", "sysctl", "wait") and self.ahead().kind == "(":
            return self.call(None, token.place, comments)
        return self.fail(
            f"expected a step, not {token.text!r}", token.place, "write the actor first, such as A: read(r, 10)"
        )

    def step(self, comments: tuple[str, ...]) -> Step:
        actor = self.take()
        self.expect(":")
        if self.token.kind != "name":
            self.unexpected("a call")
        return self.call(actor.text, actor.place, comments)

    def call(self, actor: str | None, place: Place, comments: tuple[str, ...]) -> Step:
        name = self.expect("name", "a call")
        self.expect("(")
        args: list[Expression] = []
        keywords: list[tuple[str, Expression]] = []
        while self.token.kind != ")":
            if self.token.kind == "name" and self.ahead().kind == "=":
                key = self.take()
                self.take()
                keywords.append((key.text, self.expression()))
            elif keywords:
                self.fail("an argument without a name follows one with a name", self.token.place)
            else:
                args.append(self.expression())
            if not self.accept(","):
                break
        self.expect(")", "',' or ')'")
        value, outs = self.binds() if self.accept("->") else (None, ())
        times = self.times() if self.accept("*") else 1
        expectations, remark = self.tail()
        return Step(
            actor,
            name.text,
            tuple(args),
            tuple(keywords),
            value,
            outs,
            times,
            expectations,
            comments,
            remark,
            place=place if actor is None else Place(name.place.line, name.place.column, name.place.width),
        )

    def spawn(self, comments: tuple[str, ...]) -> Step:
        place = self.take().place
        actor = self.expect("name", "an actor's name")
        keywords: list[tuple[str, Expression]] = []
        while self.token.kind == "name":
            key = self.take()
            self.expect("=")
            keywords.append((key.text, self.expression()))
        expectations, remark = self.tail()
        return Step(
            None,
            "spawn",
            (Name(actor.text, place=actor.place),),
            tuple(keywords),
            expectations=expectations,
            comments=comments,
            remark=remark,
            place=place,
        )

    def repeat(self, comments: tuple[str, ...]) -> Repeat:
        place = self.take().place
        count = self.times()
        counter = None
        if self.token.kind == "name" and self.token.text == "as":
            self.take()
            counter = self.expect("name", "a name for the number").text
        steps, inner = self.block(place, "repeat")
        whole = Repeat(count, steps, counter, comments, inner, place=place)
        if number_of_steps((whole,)) > STEPS_LIMIT:
            self.fail("the repeat makes too many steps", place, f"{STEPS_LIMIT} at most, with those repeated in it")
        return whole

    def when(self, comments: tuple[str, ...]) -> Repeat:
        """Read steps that are made only on kernels of which a condition holds."""
        place = self.take().place
        condition = self.condition()
        steps, inner = self.block(place, "when")
        return Repeat(1, steps, None, comments, inner, condition, place=place)

    def block(self, place: Place, what: str) -> tuple[tuple[Step | Repeat, ...], tuple[str, ...]]:
        """Read the steps between braces, and the comments behind the last one."""
        outer = self.depth
        if outer >= DEPTH_LIMIT:
            self.fail(f"too many blocks stand inside each other, {DEPTH_LIMIT} at most", place)
        self.depth += 1
        self.expect("{")
        self.expect("newline", "the end of the line")
        steps: list[Step | Repeat] = []
        inner: list[str] = []
        while not self.accept("}"):
            if self.token.kind == "end":
                self.fail(f"the {what} is not closed", place, "close it with } on a line of its own")
            if self.accept("newline"):
                continue
            if self.token.kind == "comment":
                inner.append(_comment(self.take()))
                continue
            steps.append(self.statement(tuple(inner)))
            inner = []
        self.expect("newline", "the end of the line")
        self.depth = outer
        return tuple(steps), tuple(inner)

    def times(self) -> int:
        token = self.expect("number", "a number")
        count = number_of(token.text)[0]
        if not 1 <= count <= TIMES_LIMIT:
            self.fail(f"cannot repeat {count!r} times", token.place, f"give a number from 1 to {TIMES_LIMIT}")
        return count

    def binds(self) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        value: str | None = None
        outs: list[tuple[str, str]] = []
        first = True
        while True:
            name = self.expect("name", "a name")
            if self.accept("="):
                outs.append((name.text, self.expect("name", "a name").text))
            elif first:
                value = None if name.text == "_" else name.text
            else:
                self.fail("only the first name is for the value", name.place, "write out=name for an out value")
            first = False
            if not self.accept(","):
                return value, tuple(outs)

    def tail(self) -> tuple[tuple[Expectation, ...], str]:
        expectations = self.expectations() if self.accept("#") else ()
        remark = _comment(self.take()) if self.token.kind == "comment" else ""
        self.expect("newline", "the end of the line")
        return expectations, remark

    # -- annotations -----------------------------------------------------------------------------

    def expectations(self) -> tuple[Expectation, ...]:
        found = [self.expectation()]
        while self.accept(";"):
            found.append(self.expectation())
        return tuple(found)

    def expectation(self) -> Expectation:
        """Read one part of an annotation, with what it depends on (docs/annotations.md)."""
        found = self.part()
        if not self.accept_word("if"):
            return found
        condition = self.condition()
        otherwise = None
        if self.accept_word("else"):
            otherwise = self.expectation()
            if otherwise.actor is None and found.actor is not None:
                otherwise = replace(otherwise, actor=found.actor)
        return replace(found, condition=condition, otherwise=otherwise)

    def accept_word(self, word: str) -> bool:
        """Take the name *word* if it comes next."""
        if self.token.kind != "name" or self.token.text != word:
            return False
        self.take()
        return True

    def is_conditional(self) -> bool:
        """Tell whether a part of an annotation ends here."""
        return self.token.kind == "name" and self.token.text in CONDITIONAL

    def condition(self) -> Condition:
        """Read ``x and not y``: words for what a kernel has."""
        place = self.token.place
        terms: list[tuple[str, bool]] = []
        while True:
            wanted = not self.accept_word("not")
            token = self.expect("name", "what a kernel has, such as splice_to_socket")
            if token.text not in condition_names():
                hint = did_you_mean(token.text, condition_names()) or "docs/annotations.md lists them"
                self.fail(f"unknown condition {token.text!r}", token.place, hint)
            terms.append((token.text, wanted))
            if not self.accept_word("and"):
                return Condition(tuple(terms), place=place)

    def part(self) -> Expectation:
        start = self.token
        actor = None
        if start.kind == "name" and self.ahead().kind == ":":
            actor = self.take().text
            self.take()
        token = self.token
        place = token.place
        word = token.text if token.kind == "name" and self.ahead().kind not in ("(", "=", ".", "[") else ""
        if word in ("blocked", "continued"):
            self.take()
            return Expectation(word, actor, place=place)
        if word == "exited":
            self.take()
            return Expectation("exited", actor, value=self.expression(), place=place)
        if word in ("killed", "stopped"):
            self.take()
            return Expectation(word, actor, self.signal(), place=place)
        if word in SIGNAL_NUMBERS:
            return Expectation("handles", actor, self.signal(), outs=self.attributes(), place=place)
        if word in ERRNO_NUMBERS:
            self.take()
            return Expectation("fails", actor, ERRNO_NAMES[ERRNO_NUMBERS[word]], place=place)
        return self.returns(actor, place)

    def signal(self) -> str:
        """Read a signal's name, such as ``SIGPIPE`` or ``SIGRTMIN+1``, and return the one that events have."""
        first = self.expect("name", "a signal's name")
        text = first.text
        if text in ("SIGRTMIN", "SIGRTMAX") and self.token.kind in ("+", "-"):
            text += self.take().kind + str(number_of(self.expect("number", "a number").text)[0])
        if text not in SIGNAL_NUMBERS:
            self.fail(f"unknown signal {text!r}", first.place)
        return signal_name(SIGNAL_NUMBERS[text])

    def attributes(self) -> tuple[tuple[str | None, Expression], ...]:
        found: list[tuple[str | None, Expression]] = []
        while self.token.kind == "name" and not self.is_conditional():
            key = self.take()
            if key.text not in ("code", "sender", "fd", "band"):
                self.fail(f"a signal has no {key.text!r}", key.place, "it has code, sender, fd and band")
            self.expect("=")
            found.append((key.text, self.expression()))
        return tuple(found)

    def returns(self, actor: str | None, place: Place) -> Expectation:
        self.accept("=")
        value: Expression | None = None
        token = self.token
        if token.kind in ("number", "-", "~", "(") or (token.kind == "name" and self.ahead().kind not in ("=", "(")):
            value = self.expression()
        outs: list[tuple[str | None, Expression]] = []
        while self.token.kind not in (";", "newline", "comment", "end") and not self.is_conditional():
            key = None
            if self.token.kind == "name" and self.ahead().kind == "=":
                key = self.take().text
                self.take()
            outs.append((key, self.expression()))
        if value is None and not outs:
            self.unexpected("a value, an error, blocked, exited, killed, stopped, continued or a signal")
        return Expectation("returns", actor, value=value, outs=tuple(outs), place=place)


def _comment(token: Token) -> str:
    return token.text[2:].strip()


def _title(text: str) -> tuple[str, str]:
    name, colon, title = text.partition(": ")
    if colon and name and all(part.isalnum() and part == part.lower() for part in name.split("-")):
        return name, title.strip()
    return "", text
