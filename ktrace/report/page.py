"""A session as one self-contained HTML page: everything in one file, nothing from any network."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import IO, Any

from jinja2 import Environment
from markupsafe import Markup

from ktrace.errors import UsageError
from ktrace.report.overview import Overview
from ktrace.state.compare import label
from ktrace.state.ref import Ref
from ktrace.trace.session_reader import SessionReader, what_lacks

STEPS_PER_CHUNK = 256
"""Steps that are decoded at once in the browser; each chunk begins with its whole World."""

TEXT_LIMIT = 240
_PARTS = ("values.js", "store.js", "timeline.js", "pictures.js", "details.js", "overview.js", "page.js")


@dataclass
class PageTotals:
    """What a page holds.

    :param steps: how many
    :param diverged: the step that diverged, or ``None``
    :param truncated: whether the session was cut off
    :param end: the session's last line
    :param initial: the verdict on the World before the first step, if there is one
    :param functions: names of kernel functions in it
    :param overview: what it was about
    """

    steps: int = 0
    diverged: int | None = None
    truncated: bool = False
    end: Mapping[str, Any] | None = None
    initial: Mapping[str, Any] | None = None
    actors: list[str] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    overview: Overview = field(default_factory=lambda: Overview(()))


Places = Callable[[set[str]], Mapping[str, str]]
"""Tell ``file:line`` of kernel functions."""


def write_page(
    reader: SessionReader,
    out: IO[str],
    places: Places = lambda names: {},
    rules: Iterable[tuple[int, tuple[str, ...]]] = (),
    source: str = "",
) -> PageTotals:
    """Write the page of a session as it is read; one chunk of it is held in memory.

    :param places: asked once, for every function that the session names
    :param rules: by number of the step, the kernel functions that the model's rules mirror, in the order of steps
    :param source: where functions are linked to, with ``{file}`` and ``{line}`` in it
    :raises UsageError: the session cannot be read
    """
    totals = PageTotals()
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_asset("report.html.j2"))
    script, style = "\n".join(map(_asset, _PARTS)), _asset("report.css")
    parts = template.generate(
        title=reader.header.title,
        style=Markup(style),
        script=Markup(script),
        script_hash=_hash(script),
        style_hash=_hash(style),
        chunks=_packed(reader, totals, iter(rules)),
        about=lambda: _pack({**_about(reader, totals, places), "source": source}),
    )
    for part in parts:
        out.write(part)
    return totals


def _packed(
    reader: SessionReader, totals: PageTotals, rules: Iterator[tuple[int, tuple[str, ...]]]
) -> Iterator[tuple[str, str]]:
    """Yield the chunks: lines of the list; and the World before, with what each step brought."""
    world = dict(_pairs(reader.initial))
    totals.overview = overview = Overview(world)
    chunk = _Chunk(world)
    beside: list[Mapping[str, Any]] = []  # what stands in front of its step
    try:
        for record in reader.records():
            if "step" in record:
                if len(chunk.steps) == STEPS_PER_CHUNK:
                    yield chunk.packed()
                    chunk = _Chunk(world)
                chunk.step(record, world, beside)
                beside = []
                number, mirrored = next(rules, (0, ()))
                known = mirrored if number == record["step"] else ()
                if known:
                    chunk.steps[-1]["rules"] = known
                    totals.functions.update(map(_rule_function, known))
                overview.step(record, chunk.steps[-1]["changed"], chunk.steps[-1]["gone"], known)
                totals.steps += 1
                for names in record.get("sleeps", {}).values():
                    totals.functions.update(names)
                if record["actor"] is not None and record["actor"] not in totals.actors:
                    totals.actors.append(record["actor"])
            elif "functions" in record:
                beside.append(record)
                totals.functions.update(record["names"])
            elif "probes" in record:
                beside.append(record)
                for hit in record["hits"]:
                    totals.functions.update((hit["function"], *hit["stack"]))
            elif "choices" in record:
                chunk.choices(record["rules"])
                overview.choices(record["rules"])
                totals.functions.update(function for _, function, _, _ in record["rules"])
            elif "diverged" in record:
                totals.diverged = record["diverged"]
                totals.functions.update(_rule_function(rule) for rule in record["rules"])
                verdict = {name: record[name] for name in ("differences", "rules", "complaints")}
                if not totals.steps:
                    totals.initial = verdict
                chunk.verdict(verdict)
            elif "end" in record:
                totals.end = record
            else:
                beside.append(record)
                totals.functions.update(row[2].removesuffix("%return") for row in record.get("rows", ()))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise UsageError(f"{str(reader.path)!r}: {what_lacks(error)}") from error
    chunk.last(beside)
    yield chunk.packed()
    totals.truncated = reader.truncated


class _Chunk:
    """A number of steps on their way into the page."""

    def __init__(self, world: Mapping[str, Any]) -> None:
        self._before = dict(world)
        self.steps: list[dict[str, Any]] = []
        self._lines: list[list[Any]] = []

    def step(self, record: Mapping[str, Any], world: dict[str, Any], beside: list[Mapping[str, Any]]) -> None:
        """Take a step with the records *beside* it, and apply it to *world*."""
        changed = dict(_pairs(record["changed"]))
        gone = [item["$ref"] for item in record["gone"]]
        for ref in gone:
            world.pop(ref, None)
        world.update(changed)
        outcome, actor = record["outcome"], record["actor"]
        detail = {
            "text": record["text"],
            "answer": record["answer"],
            "call": [record["call"]["name"], *(_number(item) for item in record["call"]["args"][:3])],
            "changed": changed,
            "gone": gone,
            "events": outcome["events"],
            "blocked": outcome["blocked"]["items"],
        }
        for name in ("comment", "sleeps", "clock", "line", "host"):
            if record.get(name):
                detail[name] = record[name]
        found = []
        for item in beside:
            if "functions" in item:
                detail["functions"] = item
            elif "probes" in item:
                detail["probes"] = item["hits"]
                found += [f"probe {hit['function']}" for hit in item["hits"]]
            elif "events" in item:
                detail["traced"] = {"lost": item["lost"], "rows": item["rows"]}
                found += [row[2] for row in item["rows"]]
            elif "console" in item:
                detail["console"] = item["lines"]
                found += ["console", *item["lines"]]
            else:  # of a kind that the page knows nothing of: it is shown as data
                detail.setdefault("more", []).append(item)
        self.steps.append(detail)
        failed = str(record["answer"]).startswith("-1")
        state = "b" if actor in detail["blocked"] else "f" if failed else ""
        names = _cut(" ".join((*map(_label, (*changed, *gone)), *dict.fromkeys(found))))
        text, answer = _cut(str(record["text"])), _cut(str(record["answer"]))
        when = [time // 1000 for time in record.get("host") or (0, 0)]
        self._lines.append([record["step"], actor, text, answer, state, names, record.get("comment", ""), when])

    def choices(self, rules: list[Any]) -> None:
        """Take what the kernel chose in the last step, by rule."""
        if self.steps:
            self.steps[-1]["choices"] = rules

    def verdict(self, verdict: Mapping[str, Any]) -> None:
        """Take the verdict on the last step."""
        if self.steps:
            self.steps[-1]["verdict"] = verdict
            self._lines[-1][4] += "d"

    def last(self, beside: list[Mapping[str, Any]]) -> None:
        """Take what stands in front of a step that nobody saw the end of."""
        lines = [line for item in beside if "console" in item for line in item["lines"]]
        if self.steps and lines:
            self.steps[-1]["after"] = lines

    def packed(self) -> tuple[str, str]:
        return _pack(self._lines), _pack({"before": self._before, "steps": self.steps})


def _about(reader: SessionReader, totals: PageTotals, places: Places) -> dict[str, Any]:
    header = reader.header
    return {
        "title": header.title,
        "manifest": dict(header.manifest),
        "steps": totals.steps,
        "chunk": STEPS_PER_CHUNK,
        "actors": totals.actors,
        "end": totals.end,
        "truncated": totals.truncated,
        "diverged": totals.diverged,
        "initial": totals.initial,
        "overview": totals.overview.as_dict(),
        "places": dict(places(totals.functions)) if totals.functions else {},
    }


def _rule_function(rule: str) -> str:
    """Return the function that a citation such as ``fs/pipe.c: pipe_write()`` names."""
    return rule.rpartition(" ")[2].removesuffix("()")


def _pairs(encoded: Any) -> Iterator[tuple[str, Any]]:
    """Yield the objects of an encoded mapping whose keys are references."""
    for key, value in encoded.get("$map", ()) if isinstance(encoded, dict) else ():
        yield key["$ref"], value


def _label(ref: str) -> str:
    kind, _, key = ref.partition(":")
    return label(Ref(kind, key))


def _number(value: Any) -> int | None:
    """Return an argument of a call if it may be a descriptor or an identifier."""
    return value if isinstance(value, int) else None


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "…"


def _pack(value: Any) -> str:
    """Return *value* as base64 of compressed JSON: no character of it can end a script element."""
    data = json.dumps(value, separators=(",", ":"), check_circular=False).encode()
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _asset(name: str) -> str:
    return (files("ktrace.report") / "html" / name).read_text(encoding="utf-8")
