"""Values as short text."""

from __future__ import annotations

import struct

import pytest

from ktrace.state.call import UNWRITTEN
from ktrace.trace.value import short


@pytest.mark.parametrize("code", ["h", "H", "i", "I", "q", "Q"])
def test_a_number_that_the_kernel_did_not_write_is_told(code: str) -> None:
    (number,) = struct.unpack(f"<{code}", bytes([UNWRITTEN]) * struct.calcsize(code))
    assert short({"tv_sec": number}) == f"{{tv_sec: {number} (not written)}}"


def test_bytes_that_the_kernel_did_not_write_are_told() -> None:
    assert short(bytes([UNWRITTEN]) * 3) == "3 bytes that were not written"
    assert "not written" not in short(b"a" + bytes([UNWRITTEN]) * 3)
    assert short(bytes([UNWRITTEN])) == r'"\xb7"'
