"""A model that never comes to rest is a mistake that is told, not one that is waited for."""

from __future__ import annotations

import pytest

from ktrace.model import kernel
from tests.unit.model.bench import Bench


def test_kernel_threads_that_always_have_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench("A")
    turns = iter(range(kernel.ROUNDS))
    busy = bench.kernel.subsystems[0]
    monkeypatch.setattr(busy, "idle", lambda _: next(turns) < 50)
    assert bench.call("A", "pipe2", 0) == 0
    assert next(turns) == 51
    monkeypatch.setattr(busy, "idle", lambda _: True)
    monkeypatch.setattr(kernel, "ROUNDS", 100)
    with pytest.raises(RuntimeError, match="does not come to rest"):
        bench.call("A", "pipe2", 0)
