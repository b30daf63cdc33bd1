"""Read expressions: recursive descent over the tokens of :mod:`ktrace.workload.tokens`."""

from __future__ import annotations

from typing import NoReturn

from ktrace.workload.script import (
    Abstract,
    Array,
    Binary,
    Braces,
    Expression,
    Form,
    Index,
    Member,
    Name,
    Number,
    String,
    Unary,
)
from ktrace.workload.tokens import Place, ScriptError, Token, tokenize, unquote

FORMS = {"unix": 1, "inet": 2, "inet6": 2, "netlink": 2, "packet": 2}
"""Socket addresses that can be written as a call, with the most arguments they take."""
DEPTH_LIMIT = 100
PRECEDENCE = {"|": 1, "&": 2, "<<": 3, "+": 4, "-": 4, "*": 5}


DIGITS_LIMIT = 100
"""Beyond it a number is too large for whatever it was meant for (and Python refuses one of 4,300 digits)."""


class Reader:
    """Go through the tokens of *text*; the parser of steps goes on from here."""

    def __init__(self, text: str, source: str) -> None:
        self.lines = text.split("\n")
        self.source = source
        self.tokens = tokenize(text, source)
        self.at = 0
        self.depth = 0

    # -- tokens ----------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def ahead(self, number: int = 1) -> Token:
        return self.tokens[min(self.at + number, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += token.kind != "end"
        return token

    def accept(self, kind: str) -> Token | None:
        return self.take() if self.token.kind == kind else None

    def expect(self, kind: str, what: str | None = None) -> Token:
        if self.token.kind != kind:
            self.unexpected(what or repr(kind))
        return self.take()

    def unexpected(self, wanted: str) -> NoReturn:
        token = self.token
        shown = {"newline": "the end of the line", "end": "the end of the script"}.get(token.kind, repr(token.text))
        self.fail(f"expected {wanted}, not {shown}", token.place)

    def fail(self, text: str, place: Place, hint: str | None = None) -> NoReturn:
        line = self.lines[place.line - 1] if 0 < place.line <= len(self.lines) else None
        raise ScriptError(text, place, hint, self.source, line)

    # -- expressions -----------------------------------------------------------------------------

    def expression(self, least: int = 1) -> Expression:
        outer = self.depth
        left = self.unary()
        while (level := PRECEDENCE.get(self.token.kind, 0)) >= least:
            operator = self.take()
            self.deeper(operator)
            right = self.expression(level + 1)
            left = Binary(operator.kind, left, right, place=operator.place)
        self.depth = outer
        return left

    def deeper(self, token: Token) -> None:
        """Count what stands inside each other, so that no recursion runs out of stack."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            self.fail("the expression is too deep", token.place)

    def unary(self) -> Expression:
        self.deeper(self.token)
        if self.token.kind in ("-", "~"):
            operator = self.take()
            return Unary(operator.kind, self.unary(), place=operator.place)
        return self.postfix()

    def postfix(self) -> Expression:
        found = self.primary()
        while isinstance(found, (Name, Member, Index)) and self.token.kind in (".", "[") and self.adjacent():
            self.deeper(self.token)
            if self.token.kind == "." and self.ahead().kind == "name":
                self.take()
                found = Member(found, self.take().text, place=found.place)
            elif self.token.kind == "[":
                self.take()
                number = self.expect("number", "a number")
                self.expect("]")
                found = Index(found, number_of(number.text)[0], place=found.place)
            else:
                break
        return found

    def adjacent(self) -> bool:
        """Say whether no space stands before this token: ``c[0]`` is an element, ``c [0]`` two values."""
        before, place = self.tokens[self.at - 1].place, self.token.place
        return before.line == place.line and before.column + before.width == place.column

    def primary(self) -> Expression:
        token = self.token
        match token.kind:
            case "number":
                value, base = number_of(self.take().text)
                if value >= 1 << 64:
                    self.fail("the number does not fit into 64 bits", token.place)
                return Number(value, base, place=token.place)
            case "string":
                value_bytes = self.string()
                prefix = self.accept("...") is not None
                return String(value_bytes, prefix, place=token.place)
            case "@":
                self.take()
                if self.token.kind != "string":
                    self.unexpected("a string")
                return Abstract(self.string(), place=token.place)
            case "(":
                self.take()
                inner = self.expression()
                self.expect(")")
                return inner
            case "[":
                return self.array()
            case "{":
                return self.braces()
            case "name":
                return self.form() if self.ahead().kind == "(" else Name(self.take().text, place=token.place)
        return self.unexpected("a value")

    def string(self) -> bytes:
        token = self.take()
        try:
            return unquote(token.text)
        except ValueError as error:
            at = token.text.find(str(error))
            place = Place(token.place.line, token.place.column + max(at, 0), max(2, len(str(error))))
            return self.fail(f"unknown escape {str(error)!r}", place, r"write a backslash as \\")

    def array(self) -> Array:
        place = self.take().place
        items: list[Expression] = []
        while self.token.kind != "]":
            items.append(self.expression())
            if not self.accept(","):
                break
        self.expect("]", "',' or ']'")
        return Array(tuple(items), place=place)

    def braces(self) -> Braces:
        place = self.take().place
        items: list[tuple[str | None, Expression]] = []
        while self.token.kind != "}":
            key, at = None, self.token.place
            if self.token.kind == "name" and self.ahead().kind == "=":
                key = self.take().text
                self.take()
            if items and (key is None) != (items[0][0] is None):
                self.fail("members with and without names cannot be mixed", at)
            if key is not None and any(name == key for name, _ in items):
                self.fail(f"member {key!r} is given twice", at)
            items.append((key, self.expression()))
            if not self.accept(","):
                break
        self.expect("}", "',' or '}'")
        return Braces(tuple(items), place=place)

    def form(self) -> Form:
        name = self.take()
        if name.text not in FORMS:
            self.fail(f"unknown address {name.text!r}", name.place, f"there are {', '.join(FORMS)}")
        self.expect("(")
        args: list[Expression] = []
        while self.token.kind != ")":
            args.append(self.expression())
            if not self.accept(","):
                break
        self.expect(")", "',' or ')'")
        wanted = FORMS[name.text]
        if len(args) != wanted and not (name.text == "unix" and not args):
            self.fail(f"{name.text} takes {wanted} arguments, not {len(args)}", name.place)
        return Form(name.text, tuple(args), place=name.place)


def number_of(text: str) -> tuple[int, int]:
    """Return a number and the base that it is written in; of one too long for any use, ``1 << 64``."""
    if len(text) > DIGITS_LIMIT:
        return 1 << 64, 10
    if text[:2] in ("0x", "0X"):
        return int(text, 16), 16
    if text[0] == "0" and len(text) > 1:
        return int(text, 8), 8
    return int(text), 10
