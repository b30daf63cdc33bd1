"""Script to text to script: nothing is lost."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrace.agent.syscalls import CONSTANTS, SIGNATURES
from ktrace.errors import UsageError
from ktrace.workload import Repeat, Script, Step, bundled, format_script, load, parse_script
from ktrace.workload.check import check_script
from ktrace.workload.reader import PRECEDENCE
from ktrace.workload.script import (
    Abstract,
    Array,
    Binary,
    Braces,
    Expectation,
    Expression,
    Form,
    Name,
    Number,
    String,
    Unary,
)

texts = st.text("abc é:#;->\"'", max_size=12).map(str.strip)
titles = texts.filter(lambda text: ": " not in text)
constants = st.sampled_from(sorted(CONSTANTS))
numbers = st.builds(Number, st.integers(0, 2**64 - 1), st.sampled_from([8, 10, 16])).map(
    # 0 looks the same in octal and in decimal.
    lambda number: Number(0) if number.value == 0 and number.base == 8 else number
)
strings = st.builds(String, st.binary(max_size=8))
leaves = st.one_of(numbers, strings, st.builds(Name, constants), st.builds(Name, st.just("bound")))
members = st.one_of(
    st.lists(st.tuples(st.none(), st.deferred(lambda: expressions)), max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.deferred(lambda: expressions), max_size=3).map(
        lambda found: tuple(found.items())
    ),
)
forms = st.one_of(
    st.just(Form("unix", ())),
    st.builds(lambda name: Form("unix", (Abstract(name),)), st.binary(max_size=4)),
    st.builds(lambda host, port: Form("inet", (host, port)), strings, numbers),
)
expressions: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(leaves, forms),
    lambda inner: st.one_of(
        st.builds(Unary, st.sampled_from("-~"), inner),
        st.builds(Binary, st.sampled_from(sorted(PRECEDENCE)), inner, inner),
        st.lists(inner, max_size=3).map(lambda items: Array(tuple(items))),
        st.builds(Braces, members),
    ),
    max_leaves=6,
)
calls = st.sampled_from(sorted(name for name, entry in SIGNATURES.items() if not entry.outs and entry.names))
outs = st.lists(st.tuples(st.sampled_from(["buf", "addr"]), expressions), max_size=2).map(tuple)
expectations = st.one_of(
    st.builds(Expectation, st.just("returns"), st.none(), value=st.one_of(numbers, st.just(Name("_"))), outs=outs),
    st.builds(Expectation, st.just("fails"), st.just("B"), st.sampled_from(["EAGAIN", "EIDRM"])),
    st.builds(Expectation, st.just("blocked")),
    st.builds(Expectation, st.just("exited"), st.just("A"), value=numbers),
    st.builds(Expectation, st.just("killed"), st.just("A"), st.sampled_from(["SIGKILL", "SIGRTMIN+1", "SIGRTMAX"])),
    st.builds(Expectation, st.just("handles"), st.none(), st.just("SIGIO"), outs=st.just((("fd", Number(3)),))),
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    name = draw(calls)
    args = tuple(draw(expressions) for _ in SIGNATURES[name].names)
    return Step(
        draw(st.sampled_from(["A", "B"])),
        name,
        args,
        value=draw(st.sampled_from([None, "bound"])),
        times=draw(st.sampled_from([1, 7])),
        expectations=tuple(draw(st.lists(expectations, max_size=2))),
        comments=tuple(draw(st.lists(texts, max_size=2))),
        remark=draw(texts),
    )


repeats = st.builds(
    Repeat,
    st.integers(1, 9),
    st.lists(steps(), max_size=2).map(tuple),
    st.sampled_from([None, "i"]),
    st.lists(texts, max_size=1).map(tuple),
    st.lists(texts, max_size=1).map(tuple),
)
FIRST = Step("A", "getpid", value="bound")
scripts = st.builds(
    lambda title, name, body, end, functions, probes: Script(
        title, (FIRST, *body), name, tuple(end), functions, tuple(probes)
    ),
    titles.filter(bool),
    st.sampled_from(["", "a-name"]),
    st.lists(st.one_of(steps(), repeats), max_size=3),
    st.lists(texts, max_size=2),
    st.booleans(),
    st.lists(texts, max_size=2),
)


@given(scripts)
def test_what_is_written_is_read_again(script: Script) -> None:
    check_script(script, values=False)
    assert parse_script(format_script(script), values=False) == script


@given(scripts)
def test_values_of_any_kind_are_judged(script: Script) -> None:
    with suppress(UsageError):
        check_script(script)


@pytest.mark.parametrize("name", bundled())
def test_bundled_scripts_keep_their_form(name: str) -> None:
    script = load(name)
    text = format_script(script)
    assert parse_script(text) == script
    assert format_script(parse_script(text)) == text


def test_text_is_as_people_write_it() -> None:
    text = (
        "## x: a title\n"
        "A: pipe2([r, w], O_NONBLOCK|O_CLOEXEC)  # 0 [0, 1]\n"
        "## comment\n"
        'A: write(w, "x" * 4096) * 3             # 4096  ## remark\n'
        "spawn C uid=5\n"
        "repeat 2 as i {\n"
        "    C: close(3 + i)                     # EBADF\n"
        "}\n"
    )
    assert format_script(parse_script(text)).replace(" " * 4 + "# EBADF", "# EBADF").split() == text.split()
