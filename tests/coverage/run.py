"""Measure which lines of the kernel's pipes, sockets, or of its ipc/, the workloads and the fuzzer reach.

    python tests/coverage/run.py pipe --steps 3000 > docs/coverage.md
    python tests/coverage/run.py net --steps 5000 > docs/coverage-net.md
    python tests/coverage/run.py ipc --steps 3000 > docs/coverage-ipc.md

Nothing is built for it: QEMU says which code of those files it translates (``-d in_asm`` inside
``-dfilter``), which it does when the guest is about to execute it, and the kernel's own DWARF says whose line
that is. What a compiler dropped has no line here and is not counted.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

import ktrace.machine.machine as machine_module
from ktrace.fuzz.planner import Planner
from ktrace.fuzz.trial import run_trial
from ktrace.image.image import find_image
from ktrace.machine.machine import Machine
from ktrace.machine.qemu import Launch, qemu_argv
from ktrace.machine.template.make import ensure_template
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.run import perform_script
from ktrace.workload.library import bundled, load


@dataclass(frozen=True)
class Subject:
    """What is measured.

    :param title: of the page
    :param workloads: what the names of the bundled workloads begin with
    :param families: of the fuzzer
    :param files: source files; *only* says which functions of one are counted
    :param actors: that the fuzzer has
    :param note: what a reader should know of the rest
    """

    title: str
    workloads: tuple[str, ...]
    families: tuple[str, ...]
    files: tuple[str, ...]
    actors: int
    only: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    note: tuple[str, ...] = ()


SUBJECTS = {
    "pipe": Subject(
        "Which code the pipe workloads and the fuzzer reach",
        ("pipe-", "fifo", "dup2-"),
        ("pipe",),
        ("fs/pipe.c", "fs/splice.c", "lib/iov_iter.c"),
        4,
        # Of lib/iov_iter.c only what has to do with pipes, and that whole.
        {"lib/iov_iter.c": re.compile("pipe|push_anon|push_page")},
        note=(
            "What is left is what ample memory and one CPU rule out (failed allocations, races); boot;",
            "notifications, which nothing in the lab sends (no CONFIG_KEYS); pages still being read from a disk",
            "(`page_cache_pipe_buf_confirm`: the lab has tmpfs alone); and what other parts call: `*_try_steal`",
            "FUSE and virtio-console, `splice_grow_spd` tracing and relay files, `pipe_get_pages` O_DIRECT,",
            "`copy_mc_pipe_to_iter` persistent memory, `do_pipe_flags` other architectures.",
        ),
    ),
    "net": Subject(
        "Which code of sockets the workloads and the fuzzer reach",
        ("socket", "unix-", "tcp", "udp", "raw", "ping", "reuseport", "packet", "netlink"),
        ("unix", "inet"),
        ("net/socket.c", "net/ipv4/af_inet.c", "net/unix/af_unix.c"),
        4,
        note=(
            "What is left: boot, namespaces, modules, failed allocations, packet offload (GRO, GSO), devices and their",
            "ioctls, io_uring, kernel sockets, /proc and diagnostics, which no actor of a workload reads.",
        ),
    ),
    "ipc": Subject(
        "Which code of ipc/ the System V workloads and the fuzzer reach",
        ("sem-", "msg-", "shm-", "ipc-"),
        ("sem", "msg", "shm"),
        ("ipc/sem.c", "ipc/msg.c", "ipc/msgutil.c", "ipc/shm.c", "ipc/util.c", "ipc/namespace.c", "ipc/ipc_sysctl.c"),
        6,
        note=(
            "What is left is what ample memory and one CPU rule out (failed allocations, races with a removal or",
            "between threads of one undo list), boot, huge pages, and `shm_pagesize`, which smaps leads to.",
        ),
    ),
}

SEQUENCE = 160
_ADDRESS = re.compile(r"^0x([0-9a-f]{16}):", re.M)


@dataclass
class Function:
    """A function as written, wherever the compiler put it.

    :ivar lines: that have code
    """

    name: str
    file: str
    line: int
    lines: set[int] = field(default_factory=set)


class Code:
    """What the files became: which address is which line.

    :param vmlinux: with DWARF
    :param files: the source files
    """

    def __init__(self, vmlinux: Path, files: tuple[str, ...]) -> None:
        self.functions: dict[str, list[Function]] = {}
        self.rows: list[tuple[int, str, int]] = []
        self.ranges: list[tuple[int, int]] = []
        with vmlinux.open("rb") as stream:
            dwarf = ELFFile(stream).get_dwarf_info()
            for unit in dwarf.iter_CUs():
                name = unit.get_top_DIE().attributes["DW_AT_name"].value.decode()
                if (file := next((file for file in files if name.endswith(file)), None)) is not None:
                    self._unit(dwarf, unit, file)
        self.rows.sort()
        self._lines: dict[int, list[tuple[str, int]]] = {}
        for address, file, line in self.rows:
            self._lines.setdefault(address, []).append((file, line))
        self._starts = sorted(self._lines)
        for _, file, line in self.rows:
            if (function := self.function(file, line)) is not None:
                function.lines.add(line)

    def _unit(self, dwarf: Any, unit: Any, file: str) -> None:
        program = dwarf.line_program_for_CU(unit)
        names = program["file_entry"]
        own = {index for index, entry in enumerate(names) if entry.name.decode() == Path(file).name}
        for entry in program.get_entries():
            state = entry.state
            if state is not None:
                line = state.line if state.file in own and not state.end_sequence else 0
                self.rows.append((state.address, file, line))
        found = []
        for die in unit.iter_DIEs():
            if die.tag != "DW_TAG_subprogram":
                continue
            attributes = die.attributes
            named = "DW_AT_name" in attributes and "DW_AT_decl_line" in attributes
            if named and attributes["DW_AT_decl_file"].value in own and "DW_AT_declaration" not in attributes:
                found.append((attributes["DW_AT_decl_line"].value, attributes["DW_AT_name"].value.decode()))
            if "DW_AT_low_pc" in attributes and "DW_AT_high_pc" in attributes:
                low = attributes["DW_AT_low_pc"].value
                self.ranges.append((low, attributes["DW_AT_high_pc"].value))
            elif "DW_AT_ranges" in attributes:
                for item in dwarf.range_lists().get_range_list_at_offset(attributes["DW_AT_ranges"].value, unit):
                    if hasattr(item, "begin_offset") and item.end_offset > item.begin_offset:
                        self.ranges.append((item.begin_offset, item.end_offset - item.begin_offset))
        self.functions[file] = [Function(name, file, line) for line, name in sorted(set(found))]

    def function(self, file: str, line: int) -> Function | None:
        """Return the function that *line* of *file* is in."""
        functions = self.functions[file]
        index = bisect_right([function.line for function in functions], line) - 1
        return functions[index] if line and index >= 0 else None

    def lines(self, address: int) -> list[tuple[str, int]]:
        """Return file and line of all that an instruction was made of: several lines may share it."""
        index = bisect_right(self._starts, address) - 1
        return [item for item in self._lines[self._starts[index]] if item[1]] if index >= 0 else []


def instrument(ranges: list[tuple[int, int]], log: Path) -> None:
    """Have every QEMU from now on write down what it translates in *ranges*."""
    plain = qemu_argv
    text = ",".join(f"{start:#x}+{size:#x}" for start, size in ranges)

    def argv(launch: Launch) -> list[str]:
        number = len(list(log.iterdir()))
        return [*plain(launch), "-d", "in_asm,nochain", "-dfilter", text, "-D", str(log / f"{number}.asm")]

    vars(machine_module)["qemu_argv"] = argv


def work(image: str, subject: Subject, steps: int, scratch: Path) -> tuple[int, list[str]]:
    """Run every workload, then the fuzzer; how many steps that was, and what was not as the model says."""
    found = find_image(image)
    template, kernels = ensure_template(found), KernelCache()
    done = 0
    complaints = []

    def lab(number: int) -> Iterator[tuple[Lab, Machine]]:
        with Machine.clone(template, directory=scratch / f"guest{number}") as machine:
            yield Lab(machine, found.vmlinux, kernels), machine

    for name in [name for name in bundled() if name.startswith(subject.workloads)]:
        for one, _ in lab(done):
            done += sum(1 for _ in perform_script(load(name), one))
    sequence = 0
    while done < steps:
        for one, machine in lab(1_000_000 + sequence):
            trial = run_trial(one, machine, Planner(subject.families, subject.actors, f"coverage/{sequence}"), SEQUENCE)
            done += len(trial.actions)
            if trial.finding is not None:
                complaints.append(f"sequence {sequence}: {trial.finding}")
        sequence += 1
        print(f"{done} steps", end="\r", file=sys.stderr)
    return done, complaints


def report(code: Code, subject: Subject, reached: set[tuple[str, int]], image: str, steps: int) -> str:
    """Return the page."""
    lines = [
        f"# {subject.title}",
        "",
        f"Measured on {image}, {steps} steps: all bundled workloads of these, then sequences of "
        f"`ktrace fuzz --family {','.join(subject.families)}`.",
        "QEMU wrote down which instructions of these files it translated, which it does when the guest is about to",
        "execute them; DWARF says whose lines they are. A line that the compiler left no code for is not counted.",
        "Written by `python tests/coverage/run.py`.",
        *(("", *subject.note) if subject.note else ()),
    ]
    for file in subject.files:
        functions = [item for item in code.functions[file] if item.lines]
        if (only := subject.only.get(file)) is not None:
            functions = [item for item in functions if only.search(item.name)]
        total = sum(len(item.lines) for item in functions)
        hit = {item.name: sum((file, line) in reached for line in item.lines) for item in functions}
        share = 100 * sum(hit.values()) // max(total, 1)
        lines += ["", f"## {file}", "", f"{sum(hit.values())} of {total} lines, {share} %."]
        whole = [item.name for item in functions if hit[item.name] == len(item.lines)]
        lines += ["", f"Whole ({len(whole)}): " + ", ".join(f"`{name}`" for name in whole) + "."]
        partly = [item for item in functions if 0 < hit[item.name] < len(item.lines)]
        if partly:
            lines += ["", "| in part | lines | not reached |", "|---|---|---|"]
            for item in partly:
                missing = [line for line in sorted(item.lines) if (file, line) not in reached]
                lines.append(f"| `{item.name}` | {hit[item.name]} of {len(item.lines)} | {spans(missing)} |")
        never = [item for item in functions if not hit[item.name]]
        if never:
            lines += ["", f"Not at all ({len(never)}): " + ", ".join(f"`{item.name}`" for item in never) + "."]
    return "\n".join(lines) + "\n"


def spans(numbers: list[int]) -> str:
    """Write sorted numbers, neighbours as a range."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number - parts[-1][-1] <= 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def main() -> int:
    """Measure, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--image", default="lab-6.1")
    parser.add_argument("--steps", type=int, default=3000)
    options = parser.parse_args()
    image = find_image(options.image)
    subject = SUBJECTS[options.subject]
    code = Code(image.vmlinux, subject.files)
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        log.mkdir()
        template = ensure_template(image)
        del template
        instrument(code.ranges, log)
        steps, complaints = work(options.image, subject, options.steps, Path(directory))
        reached = set()
        for path in log.iterdir():
            for match in _ADDRESS.finditer(path.read_text(errors="replace")):
                reached.update(code.lines(int(match[1], 16)))
    print(report(code, subject, reached, options.image, steps), end="")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
