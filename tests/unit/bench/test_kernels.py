"""Figures of several kernels, where none is in the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.bench.kernels import AT_MOST, NEWER, OLDER, boot_of_each_image, missing_kernels
from ktrace.bench.measure import Row
from ktrace.bench.names import KERNELS, NAMES
from ktrace.bench.this_build import measure_this_build
from ktrace.errors import HostError
from ktrace.verify.notify import silent
from ktrace.verify.options import GuestOptions


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_no_image_is_said_to_be_missing() -> None:
    assert missing_kernels() == [NEWER, OLDER]
    with pytest.raises(HostError, match="no image is in the store"):
        boot_of_each_image(3, lambda text: None)


def test_who_asks_for_them_by_name_is_told_what_to_build() -> None:
    assert set(KERNELS) <= set(NAMES)
    with pytest.raises(HostError, match=f"image {NEWER!r} is not built"):
        list(measure_this_build(("run-all-kernels",), 3, GuestOptions(), silent, silent))


def test_the_goal_is_an_upper_bound() -> None:
    assert Row("x", "s", 13.0, 10.0, 1.3, AT_MOST, at_most=True).met
    assert not Row("x", "s", 13.1, 10.0, 1.31, AT_MOST, at_most=True).met
