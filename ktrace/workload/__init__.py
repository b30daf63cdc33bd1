"""Workloads: scripts of calls by several actors (docs/grammar.md)."""

from __future__ import annotations

from ktrace.workload.builder import Builder
from ktrace.workload.environment import Environment
from ktrace.workload.expect import Mismatch, check_annotation
from ktrace.workload.format import format_script
from ktrace.workload.library import bundled, load, titles
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Repeat, Script, Step
from ktrace.workload.tokens import ScriptError

__all__ = [
    "Builder",
    "Environment",
    "Mismatch",
    "Repeat",
    "Script",
    "ScriptError",
    "Step",
    "bundled",
    "check_annotation",
    "format_script",
    "load",
    "parse_script",
    "titles",
]
