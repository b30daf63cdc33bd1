"""ktrace as somebody else has it: from a wheel, in an environment and a directory of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
UNNEEDED = ("tests/", "traces/recorded/", "docs/")


def build_wheel(scratch: Path) -> Path:
    """Build the wheel of this checkout from a copy of it."""
    tree = scratch / "tree"
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    for name in listed.stdout.splitlines():
        if not name.startswith(UNNEEDED) and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(scratch), str(tree))
    (wheel,) = scratch.glob("ktrace-*.whl")
    return wheel


def pip(*arguments: str) -> None:
    """Run pip of the environment that runs this test."""
    subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], check=True, timeout=110)


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel and the packages that it needs.

    :param directory: of the environment
    :param work: an empty directory, where commands are run
    """

    directory: Path
    work: Path

    @property
    def package(self) -> Path:
        """The package's directory."""
        (found,) = self.directory.glob("lib/python*/site-packages/ktrace")
        return found

    def run(self, *command: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, such as ``ktrace``, in the empty directory."""
        program, *arguments = command
        known = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "KTRACE", "PYTEST"))
        }
        return subprocess.run(
            [str(self.directory / "bin" / program), *arguments],
            cwd=cwd or self.work,
            env={**known, "COLUMNS": "200", "NO_COLOR": "1", **environment},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )


def install(wheel: Path, scratch: Path) -> Installed:
    """Install the wheel in a fresh environment.

    What it depends on is taken from the environment that runs this test, where pip has put it.
    """
    directory, work = scratch / "venv", scratch / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True, timeout=60)
    pip("--python", str(directory / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
    (site,) = directory.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    work.mkdir()
    return Installed(directory, work)


NOBODY = "65534"


def as_ordinary_user(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody without rights: as nobody where root runs this test; *cwd* is its home."""
    drop = []
    if os.geteuid() == 0:
        # setpriv itself may still look into directories of root's: what it runs may not.
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/env"]
    home = {"HOME": str(cwd), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [*drop, *command],
        cwd=cwd,
        env={**home, **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def python_of_everybody(cwd: Path) -> str | None:
    """Return a Python like the one that runs this test that an ordinary user can run, too, if there is one."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for program in (os.path.realpath(sys.executable), f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        if Path(program).exists() and as_ordinary_user(program, "-c", "import venv", cwd=cwd).returncode == 0:
            return program
    return None
