"""What came of each mutant, kept in results.json, and the page that shows it."""

from __future__ import annotations

import json
import os
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "docs" / "mutants.md"
FAMILIES = ("pipe", "sem", "msg", "shm", "unix", "inet")
HEAD = """# Wrong lines, and which of them random calls find

Each line is a kernel with one wrong line in it (`tests/mutants/*.toml`), given to `ktrace fuzz` as it stands there: a
seed, a bound in seconds, no hint where to look. A catch counts only if the sound kernel agrees on the same script.
Written by `python tests/mutants/run.py TREE FAMILY` from the last result of each mutant, misses included.

"Load" is the load average of the machine when the run ended: on its two cores others were at work, so seconds are not
those of a quiet machine; steps are what to compare. A miss after a few hundred steps says little; `--open` tries it
again. Generators were changed between runs after misses.
"""
COLUMNS = "| mutant | caught | steps | seconds | load | families, seed | as |"


def as_what(found: dict[str, Any]) -> str:
    """Return what a finding is about, in short."""
    return f"{found['call']}: {min(found['kinds'], key=len)}"


def caught(family: str) -> set[str]:
    """Return the mutants of *family* that were found the last time."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {name for name, result in results.get(family, {}).items() if result["caught"]}


def keep(family: str, name: str, report: dict[str, Any]) -> None:
    """Keep the *report* of ``ktrace fuzz`` on a mutant, and write the page anew."""
    if "failed" in report:
        return
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    found = next(iter(report["divergences"]), None)
    results.setdefault(family, {})[name] = {
        "families": ",".join(report["families"]),
        "actors": report["actors"],
        "seed": report["seed"],
        "caught": found is not None,
        "steps": found["steps"] if found else report["steps"],
        "seconds": round(found["seconds"] if found else report["seconds"], 1),
        "as": as_what(found) if found else "",
        "script": found["shortened_to"] if found else 0,
        "load": round(os.getloadavg()[0], 1),
        "day": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(results))


def page(results: dict[str, Any]) -> str:
    """Return the page's text."""
    parts = [HEAD]
    for family in FAMILIES:
        written = [entry["name"] for entry in tomllib.loads((HERE / f"{family}.toml").read_text())["mutant"]]
        known = results.get(family, {})
        run = [name for name in written if name in known]
        caught = sum(known[name]["caught"] for name in run)
        parts.append(f"\n## {family}\n\n{len(written)} written, {len(run)} run, {caught} caught.\n")
        if run:
            parts.append(
                "\n| mutant | caught | steps | seconds | load | families, seed | as |\n|---|---|---|---|---|---|---|\n"
            )
            parts += [_row(name, known[name]) for name in run]
        if missing := [name for name in written if name not in known]:
            parts.append(f"\nNot run: {', '.join(missing)}.\n")
    return "".join(parts)


def _row(name: str, result: dict[str, Any]) -> str:
    what = f"{result['as']}; script of {result['script']} steps" if result["caught"] else ""
    return (
        f"| {name} | {'yes' if result['caught'] else '**no**'} | {result['steps']} | {result['seconds']} | "
        f"{result['load']} | {result['families']}, {result['seed']} | {what} |\n"
    )
