"""A guest that runs out of memory is not a kernel that does wrong."""

from __future__ import annotations

import pytest

from ktrace.errors import UsageError
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record

EATS = """## eats: memory until there is none
A: mmap(0x20000000, 100000000, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED|MAP_NORESERVE)
repeat 1600 as i {
A: store(0x20000000 + i * 50000, "x" * 50000)
}
"""


@pytest.mark.timeout(300)
def test_whom_the_kernel_kills_for_memory_is_not_modelled(lab: Lab) -> None:
    with pytest.raises(UsageError) as caught:
        run_script(parse_script(EATS, "mine.kt"), lab, Record(), {})
    assert caught.value.exit_code == 2
    assert caught.value.message.splitlines()[0] == (
        "mine.kt:4:4: store: the guest has run out of memory; --memory gives it more"
    )
