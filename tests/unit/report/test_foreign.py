"""What readers that are not ours make of the formats: those that tools read, and those that tests are told in."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.trace.session import FILE_NAME
from tests.unit.report.foreign import (
    KERNEL_SOURCE,
    Question,
    Rows,
    ask,
    judge_ktap,
    kunit_parser,
    needs_trace_processor,
)
from tests.unit.report.recorded import HOSTILE, every_picture, hostile_session, small_session
from tests.unit.report.test_export import exported, traced

needs_kernel_source = pytest.mark.skipif(not KERNEL_SOURCE.exists(), reason="the package linux-source-6.1 is missing")

DRAWING = ("perfetto", "chrome", "ftrace")

SLICES = """select t.name, s.name, s.ts, s.dur, s.depth from slice s join thread_track k on s.track_id = k.id
join thread t using (utid) order by s.ts, s.depth"""
CURVES = "select t.name, c.ts, c.value from counter c join counter_track t on c.track_id = t.id order by c.ts, t.name"
COMPLAINTS = "select name, value from stats where value > 0 and severity in ('error', 'data_loss')"
DETAILS = "select s.name, a.key, a.display_value from slice s join args a on s.arg_set_id = a.arg_set_id"

Answers = dict[str, list[list[Rows]]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What it says of three sessions in each format; it is started once, which takes seconds."""
    sessions = [make(tmp_path_factory.mktemp("session")) for make in (traced, hostile_session, every_picture)]
    queries = SLICES, CURVES, COMPLAINTS, DETAILS
    questions = [Question(exported(session, form), queries) for form in DRAWING for session in sessions]
    found = iter(ask(*questions))
    return {form: [next(found) for _ in sessions] for form in DRAWING}


@pytest.fixture(scope="session")
def parser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel's parser of KTAP, kept from run to run where pytest keeps anything."""
    cache = getattr(request.config, "cache", None)  # none with -p no:cacheprovider
    return kunit_parser(tmp_path_factory.mktemp("kunit") if cache is None else cache.mkdir("kunit"))


@needs_trace_processor
@pytest.mark.parametrize("form", DRAWING)
def test_slices_and_curves_come_through(form: str, answers: Answers) -> None:
    slices, curves, complaints, _ = answers[form][0]
    assert complaints == []
    fine = form != "ftrace"  # which has microseconds
    call = "write" if fine else 'write(4, "step 1") = 6'
    assert slices[:4] == [
        ("B", call, 1000, 9000, 0),
        ("B", "__x64_sys_write", 1000, 9000, 1),
        ("B", "pipe_write", 1500 if fine else 1000, 8000, 2),
        ("B", "schedule", 9600 if fine else 9000, 100 if fine else 0, 2),
    ]
    assert len(slices) == 21
    assert {row[0] for row in slices} == {"A", "B"}
    unit = " slots" if form == "chrome" else ""
    assert [value for name, _, value in curves if name == "pipe1 slots" + unit] == [1, 2, 3, 4, 0, 1, 2, 3, 4, 0]


@needs_trace_processor
@pytest.mark.parametrize("form", DRAWING)
def test_hostile_strings_disturb_nothing(form: str, answers: Answers) -> None:
    slices, curves, complaints, _ = answers[form][1]
    assert complaints == []
    names = [name for _, name, *_ in slices]
    if form == "ftrace":
        assert names[0].startswith(HOSTILE[:40].replace("</script>", "<\\/script>"))
    else:
        whole = HOSTILE.replace("\0", "\ufffd")
        assert sorted(names) == [whole, whole, "caught " + whole, "diverged", "in " + whole, "write"]
    assert 105.0 in [value for _, _, value in curves]


@needs_trace_processor
def test_details_are_arguments(answers: Answers) -> None:
    details = answers["perfetto"][2][3]
    assert ("getpid", "debug.call", "getpid()") in details
    assert ("diverged", "debug.fields", "pipe1.head") in details


@needs_kernel_source
def test_the_kernels_own_parser_reads_ktap(tmp_path: Path, parser: Path) -> None:
    agreed = judge_ktap(parser, exported(small_session(tmp_path), "ktap").decode())
    assert agreed == ["SUCCESS", 12, 0, 0, ["a small session"]]
    diverged = judge_ktap(parser, exported(every_picture(tmp_path / "b"), "ktap").decode())
    assert diverged == ["FAILURE", 0, 1, 0, ["every picture"]]
    status, passed, failed, errors, _ = judge_ktap(parser, exported(hostile_session(tmp_path / "c"), "ktap").decode())
    assert (status, passed, failed, errors) == ("FAILURE", 0, 1, 0)


def test_jenkins_schema_admits_junit(tmp_path: Path) -> None:
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit-10.xsd")))
    sessions = small_session(tmp_path), every_picture(tmp_path / "b"), hostile_session(tmp_path / "c")
    for session in sessions:
        schema.assertValid(etree.fromstring(exported(session, "junit")))
    (sessions[0] / FILE_NAME).write_text((sessions[0] / FILE_NAME).read_text()[:-400])
    schema.assertValid(etree.fromstring(exported(sessions[0], "junit")))
    with pytest.raises(etree.DocumentInvalid):
        schema.assertValid(etree.fromstring(b'<testsuite tests="1"><testcase/></testsuite>'))
