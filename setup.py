"""What pyproject.toml cannot say: a wheel carries ``guest/``, ``images/`` and ``traces/`` as data of the package."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DATA = ("guest/*.c", "guest/*.h", "guest/*.config", "images/*.toml", "traces/*.kt", "traces/*.paths")


class BuildWithData(build_py):
    """Copy them into ``ktrace/data``; an editable install finds them beside the package."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source, target in self._data():
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *(str(target) for _, target in self._data())]

    def _data(self) -> list[tuple[Path, Path]]:
        into = Path(self.build_lib, "ktrace", "data")
        return [(path, into / path) for pattern in DATA for path in sorted(Path().glob(pattern))]


setup(cmdclass={"build_py": BuildWithData})
