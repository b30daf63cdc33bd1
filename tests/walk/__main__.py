"""Take every word to the model and the kernel: ``python -m tests.walk [GROUP...] [--every N]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.image.image import find_image
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from ktrace.verify.lab import KernelCache, Lab
from tests.walk.walker import AGREED, UNKNOWN, Walker, dry
from tests.walk.words import GROUPS, every_word, once


def main() -> int:
    """Print what is wrong, and how many words are not; exit code 1 if anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.walk", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth word")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="begin with the Nth")
    parser.add_argument("--once", action="store_true", help="only the first words that name each call and constant")
    parser.add_argument("--unknown", action="store_true", help="say those that the model does not know, too")
    parser.add_argument("--image", default="lab-6.1")
    options = parser.parse_args()
    words = [word for group in options.groups or [""] for word in every_word(group)][options.first :: options.every]
    words = once(words) if options.once else words
    image = find_image(options.image)
    template, kernels = ensure_template(image), KernelCache()
    current: list[Machine] = []
    counts: Counter[str] = Counter()
    began = time.monotonic()

    def count(kind: str, name: str, text: str) -> None:
        counts[kind] += 1
        if kind not in (AGREED, UNKNOWN):
            print(f"{name}: {text}", flush=True)

    with TemporaryDirectory() as scratch:

        def new_lab() -> Lab:
            while current:
                current.pop().close()
            current.append(Machine.clone(template, directory=Path(scratch) / f"machine{walker.labs}"))
            return Lab(current[0], image.vmlinux, kernels)

        walker = Walker(new_lab)
        said = []
        try:
            for number, found in enumerate(dry(words, new_lab().facts)):
                if found.kind == AGREED or (found.kind == UNKNOWN and options.unknown):
                    said.append((number, found.word))
                else:
                    count(found.kind, found.word.name, found.text)
            walker.labs += 1
            for found in walker.walk(said):
                count(found.kind, found.word.name, found.text)
        finally:
            while current:
                current.pop().close()
    total = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
    print(f"{len(words)} words: {total}; {walker.labs} guests, {time.monotonic() - began:.0f} s")
    return int(any(kind not in (AGREED, UNKNOWN) for kind in counts))


if __name__ == "__main__":
    sys.exit(main())
