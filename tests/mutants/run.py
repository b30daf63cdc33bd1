"""Break a kernel one line at a time and see how long ``ktrace fuzz`` needs to notice.

    ktrace image source lab-6.1 TREE            # and the make that it prints, once
    python tests/mutants/run.py TREE pipe       # every mutant of pipe.toml, a minute each

A kernel is built while the one before is fuzzed. The images go to a cache of their own beside TREE, so that
removing that directory removes everything. The tree is left as it was found. What came of each mutant is kept in
results.json, and docs/mutants.md is written anew from that.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from table import as_what, caught, keep

HERE = Path(__file__).parent
KTRACE = (sys.executable, "-m", "ktrace")
SEEDS = 3
"""How often to try again after a finding that is the model's and not the mutant's."""
TOGETHER = {"sem": "sem,msg,shm", "msg": "sem,msg,shm", "shm": "sem,msg,shm"}
"""Families that are fuzzed at once, as whoever does not know where a kernel is wrong would do."""


@dataclass(frozen=True)
class Mutant:
    """One wrong line.

    :param old: text that stands in *file* exactly once; *new* takes its place
    """

    name: str
    file: str
    old: str
    new: str


def read_mutants(family: str) -> list[Mutant]:
    """Return the mutants of *family*."""
    table = tomllib.loads((HERE / f"{family}.toml").read_text())
    return [Mutant(**entry) for entry in table["mutant"]]


def mutate(text: str, mutant: Mutant) -> str:
    """Return *text* with the mutant's line in it.

    :raises ValueError: the old one does not stand there exactly once
    """
    if (count := text.count(mutant.old)) != 1:
        raise ValueError(f"{mutant.name}: what it replaces stands {count} times in {mutant.file}")
    return text.replace(mutant.old, mutant.new)


class Tree:
    """A kernel's source that was built once already.

    A whole make links four times, and most of a mutant's time is that. So the tree is linked once the long way, with
    every command printed; a mutant then costs one object and the last link. Its kallsyms are those of the sound
    kernel: nobody reads them but an oops.

    :param command: the make that builds it
    """

    def __init__(self, directory: Path, command: list[str], output: Path) -> None:
        self._directory = directory
        self._command = command
        self._output = output
        self._sound = output / "sound.log"
        self._link = output / "link.sh"
        self._stale = output / "stale"

    def prepare(self, files: set[str]) -> None:
        """Build the sound kernel and note how *files*, which will be changed, are compiled, and how all is linked."""
        if self._link.exists() and all(self._compiler(file) for file in files):
            return
        for file in files:
            (self._directory / file).touch()
        self._run([*self._command, "V=1"], self._sound)
        lines = [line.removeprefix("+ ") for line in self._sound.read_text(errors="replace").splitlines()]
        link = [line for line in lines if re.match(r"\S*ld .* -o vmlinux ", line)]
        sort = [line for line in lines if re.match(r"\S*sorttable vmlinux$", line)]
        self._link.write_text(f"set -e\n{link[-1]}\n{sort[-1]}\n")

    def build(self, mutant: Mutant) -> Path:
        """Build *mutant*'s vmlinux and return where it is."""
        path = self._directory / mutant.file
        original = path.read_text()
        log = self._output / f"{mutant.name}.log"
        # A run that is killed in the middle leaves the wrong line behind: the next one takes it out.
        (self._output / "unfinished").write_text(json.dumps({"file": mutant.file, "text": original}))
        try:
            path.write_text(mutate(original, mutant))
            # The last mutant's object is still there: it goes with this one's link at the latest.
            if self._stale.exists() and (stale := self._stale.read_text()) != mutant.file:
                self._compile(stale, log)
            self._stale.write_text(mutant.file)
            self._compile(mutant.file, log)
            self._run(["sh", str(self._link.absolute())], log)
            built = self._output / f"{mutant.name}.vmlinux"
            (self._directory / "vmlinux").rename(built)
        finally:
            self.restore()
        return built

    def _compiler(self, file: str) -> str | None:
        """Return the command that compiles *file*: make would look at the whole tree before it runs that."""
        mark = f" -c -o {Path(file).with_suffix('.o')} {file} "
        lines = self._sound.read_text(errors="replace").splitlines() if self._sound.exists() else []
        return next((line.strip() for line in reversed(lines) if mark in line), None)

    def _compile(self, file: str, log: Path) -> None:
        command = self._compiler(file)
        assert command is not None, f"prepare() has not seen how {file} is compiled"
        self._run(["sh", "-ec", command], log)

    def _run(self, command: list[str], log: Path) -> None:
        with log.open("a") as stream:
            subprocess.run(command, cwd=self._directory, stdout=stream, stderr=subprocess.STDOUT, check=True)

    def restore(self) -> None:
        """Put back what a build changed."""
        note = self._output / "unfinished"
        if note.exists():
            left = json.loads(note.read_text())
            (self._directory / left["file"]).write_text(left["text"])
            note.unlink()


def fuzz(mutant: Mutant, vmlinux: Path, given: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    """Import a kernel, fuzz it, and return the report."""
    family = ["--family", given.families, "--actors", str(given.actors), "--shrink", "4"]
    name = f"mutant-{mutant.name}"
    subprocess.run([*KTRACE, "image", "import", name, "--vmlinux", str(vmlinux), "-q"], check=True, env=environment,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    vmlinux.unlink()
    # The first guest boots; the minute is for fuzzing.
    subprocess.run([*KTRACE, "fuzz", "--image", name, "--steps", "1", "-q", "--json", *family],
                   env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    for seed in range(given.seed, given.seed + SEEDS):
        command = [*KTRACE, "fuzz", "--image", name, "--json", *family, "--time", str(given.time), "--seed", str(seed)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode not in (0, 1) or not done.stdout:
            return {"divergences": [], "failed": f"exit code {done.returncode}"}
        report: dict[str, Any] = json.loads(done.stdout)
        if all(is_the_kernels(found["script"]) for found in report["divergences"]):
            return report
        print(f"  {mutant.name}: seed {seed} finds what the sound kernel does, too", file=sys.stderr, flush=True)
    return {**report, "divergences": []}


def is_the_kernels(script: str) -> bool:
    """Tell whether the sound kernel agrees with the model where the broken one did not.

    :raises CalledProcessError: it could not be asked
    """
    done = subprocess.run([*KTRACE, "run", script, "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode not in (0, 1):
        raise subprocess.CalledProcessError(done.returncode, done.args)
    return done.returncode == 0


def row(mutant: Mutant, report: dict[str, Any]) -> str:
    """Return a line for the terminal."""
    if "failed" in report:
        return f"{mutant.name}: failed, {report['failed']}"
    found = next(iter(report["divergences"]), None)
    if found is None:
        return f"{mutant.name}: NOT FOUND in {report['steps']} steps, {report['seconds']:.0f} s"
    return f"{mutant.name}: found after {found['steps']} steps, {found['seconds']:.1f} s: {as_what(found)}"


def main() -> int:
    """Run the mutants that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path, help="a built tree, from: ktrace image source")
    parser.add_argument("family", help="pipe, sem, msg, shm, unix or inet: which list of mutants")
    parser.add_argument("--only", default="", help="names, with commas between")
    parser.add_argument("--open", action="store_true", help="those without a result, and those missed")
    parser.add_argument("--time", type=float, default=60, help="seconds for each")
    parser.add_argument("--families", help="what to fuzz; default: the family, for sem, msg and shm all three")
    parser.add_argument("--actors", type=int, help="default: 4 for pipe, else 6")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="how many are fuzzed at a time")
    parser.add_argument("--make", help="the make command; default: what ktrace image source prints")
    given = parser.parse_args()
    given.families = given.families or TOGETHER.get(given.family, given.family)
    given.actors = given.actors or (4 if given.family == "pipe" else 6)
    output = given.tree.absolute().parent / "mutants"
    output.mkdir(exist_ok=True)
    tree = Tree(given.tree, shlex.split(given.make or make_of(given.tree)), output)
    tree.restore()
    mutants = read_mutants(given.family)
    only = set(filter(None, given.only.split(",")))
    mutants = [mutant for mutant in mutants if not only or mutant.name in only]
    if given.open:
        mutants = [mutant for mutant in mutants if mutant.name not in caught(given.family)]
    for mutant in mutants:
        mutate((given.tree / mutant.file).read_text(), mutant)
    tree.prepare({mutant.file for mutant in mutants})
    kept = Lock()

    def hunt(mutant: Mutant, built: Path) -> bool:
        cache = output / "caches" / mutant.name
        try:
            report = fuzz(mutant, built, given, {**os.environ, "XDG_CACHE_HOME": str(cache)})
        except subprocess.CalledProcessError as error:
            report = {"divergences": [], "failed": f"{error.returncode} of {shlex.join(error.cmd)}"}
        finally:
            # Kernel and guest are some 200 MB.
            for part in ("kernels", "images", "templates"):
                shutil.rmtree(cache / "ktrace" / part, ignore_errors=True)
        with kept:
            print(row(mutant, report), flush=True)
            keep(given.family, mutant.name, report)
        return bool(report["divergences"])

    with ThreadPoolExecutor(given.jobs) as hunters:
        hunts: list[Future[bool]] = []
        for mutant in mutants:
            # One is built ahead.
            while sum(not hunted.done() for hunted in hunts) > given.jobs:
                wait([hunted for hunted in hunts if not hunted.done()], return_when=FIRST_COMPLETED)
            try:
                hunts.append(hunters.submit(hunt, mutant, tree.build(mutant)))
            except subprocess.CalledProcessError:
                print(f"{mutant.name}: not built, see {output / mutant.name}.log", flush=True)
    return 0 if all(hunted.result() for hunted in hunts) else 1


def make_of(directory: Path) -> str:
    """Return the command that builds a tree, with one job: the other core is for fuzzing."""
    from ktrace.image.kernel import make_command
    from ktrace.image.recipe import load_recipe

    words = shlex.split(make_command(load_recipe("lab-6.1").kernel, directory.absolute()))
    return shlex.join("-j1" if word.startswith("-j") else word for word in words)


if __name__ == "__main__":
    sys.exit(main())
