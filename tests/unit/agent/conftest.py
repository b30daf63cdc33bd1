"""The real agent, compiled once and run on this machine's own kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.agent.build import build
from ktrace.agent.client import Agent
from tests.unit.agent.actors import Lab

GUEST = Path(__file__).parents[3] / "guest"


@pytest.fixture(scope="session")
def agent_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(GUEST, "agent", tmp_path_factory.mktemp("agent") / "agent")


@pytest.fixture
def agent(agent_binary: Path) -> Iterator[Agent]:
    with Agent.local(agent_binary) as running:
        yield running


@pytest.fixture
def lab(agent: Agent) -> Lab:
    return Lab(agent)
