"""The pytest plugin where there is no guest: it disturbs nobody, and says what is missing or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.testing.pytests import run

NOT_OURS = """
import sys

def test_nothing_was_loaded():
    assert "drgn" not in sys.modules
    assert sorted(name for name in sys.modules if name.startswith("ktrace")) == [
        "ktrace", "ktrace.testing", "ktrace.testing.plugin"
    ]
"""


def test_runs_that_do_not_use_it_are_not_disturbed(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(NOT_OURS)
    (tmp_path / "Main.kt").write_text("fun main() {}\n")
    (tmp_path / "empty.kt").write_text("")
    done = run(tmp_path, "--strict-markers", "-W", "error")
    assert done.returncode == 0, done.stdout
    assert "collected 1 item" in done.stdout


def test_without_an_image_tests_are_skipped_or_fail_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\ndef test_lab(lab): pass\n@pytest.mark.ktrace(image='lab-0')\ndef test_no_such(lab): pass\n"
    )
    (tmp_path / "script.kt").write_text("## script: one call\nA: getpid()\n")
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = run(tmp_path, **cache)
    assert done.returncode == 0 and "3 skipped" in done.stdout, done.stdout
    assert "no lab 'lab-6.1' here: image 'lab-6.1' is not built (run: ktrace image build lab-6.1)" in done.stdout
    assert "no lab 'lab-0' here: no image 'lab-0'" in done.stdout
    (tmp_path / "pytest.ini").write_text("[pytest]\nktrace_scripts = false\n")
    done = run(tmp_path, "--ktrace-require", **cache)
    assert done.returncode == 1 and "collected 2 items" in done.stdout, done.stdout
    assert "Failed: no lab 'lab-6.1' here" in done.stdout and "skipped" not in done.stdout


def test_without_qemu_tests_say_so(tmp_path: Path) -> None:
    from ktrace.errors import KtraceError
    from ktrace.image.image import find_image

    try:
        find_image("lab-6.1")
    except KtraceError as error:
        pytest.skip(str(error))
    (tmp_path / "test_it.py").write_text("def test_lab(lab): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nktrace_require = true\n")
    (tmp_path / "bin").mkdir()
    done = run(tmp_path, PATH=str(tmp_path / "bin"))
    assert done.returncode == 1, done.stdout
    assert "Failed: no lab 'lab-6.1' here: " in done.stdout and "qemu" in done.stdout


def test_wrong_markers_and_scripts_are_told(tmp_path: Path) -> None:
    wrong = {
        "'lab-6.1'": "the ktrace marker takes names: ktrace(image='lab-6.1')",
        "imge='lab-6.1'": "the ktrace marker has no imge",
        "image='lab-6.1,lab-6.1'": "'lab-6.1,lab-6.1' names an image twice",
        "memory='64M'": "memory is a number of MiB, not '64M'",
        "events=':'": "':' names no event",
        "prepare=print": "the marker's prepare is for prepared_lab, and this test takes lab",
    }
    for number, marker in enumerate(wrong):
        source = f"import pytest\n@pytest.mark.ktrace({marker})\ndef test_lab(lab): pass\n"
        (tmp_path / f"test_{number}.py").write_text(source)
    (tmp_path / "script.kt").write_text("## script: one call\nA: getpod()\n")
    done = run(tmp_path, "--continue-on-collection-errors")
    assert done.returncode != 0 and "INTERNALERROR" not in done.stdout + done.stderr
    assert "script.kt:2:4: unknown call 'getpod'" in done.stdout
    for said in wrong.values():
        assert said in done.stdout + done.stderr


def test_images_multiply_tests(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_each(lab): pass\n"
        "def test_none(): pass\n"
        "@pytest.mark.ktrace(image=('lab-6.12', 'lab-7.3'))\n"
        "def test_both(prepared_lab): pass\n"
        "@pytest.mark.ktrace(image='lab-7.3')\n"
        "def test_its_own(lab): pass\n"
    )
    (tmp_path / "script.kt").write_text("## script: one call\nA: getpid()\n")
    done = run(tmp_path, "--collect-only", "-q", "--ktrace-image", "lab-6.1,lab-7.3")
    assert [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line] == [
        "script[lab-6.1]",
        "script[lab-7.3]",
        "test_each[lab-6.1]",
        "test_each[lab-7.3]",
        "test_none",
        "test_both[lab-6.12]",
        "test_both[lab-7.3]",
        "test_its_own",
    ]


def test_an_image_that_is_misspelt_on_the_command_line_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_lab(lab): pass\n")
    done = run(tmp_path, "--ktrace-image", "lab-6.1,lab-7.33")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --ktrace-image: no image 'lab-7.33'; did you mean lab-7.3" in done.stderr, done.stderr
    assert "passed" not in done.stdout and "skipped" not in done.stdout
