"""Which arguments are descriptors is said three times: by the encoding, for pictures here, for pictures in a page."""

from __future__ import annotations

import re
from importlib.resources import files

from ktrace.agent.syscalls import SIGNATURES
from ktrace.agent.syscalls.parameter import Directory, Fd
from ktrace.report.pictures.touched import DESCRIPTORS


def test_pictures_know_the_descriptors_of_every_call() -> None:
    places = {
        name: tuple(
            place
            for place, parameter in enumerate(signature.inputs)
            if isinstance(parameter, Fd) and not isinstance(parameter, Directory)
        )
        for name, signature in SIGNATURES.items()
    }
    assert {name: place for name, place in places.items() if place} == DESCRIPTORS


def test_the_page_says_the_same() -> None:
    script = (files("ktrace.report") / "html" / "pictures.js").read_text()
    (several,) = re.findall(r"const DESCRIPTORS = \{(.*)\};", script)
    (first,) = re.findall(r"for \(const name of `([^`]*)`\.split", script)
    known = {name: tuple(map(int, places.split(", "))) for name, places in re.findall(r"(\w+): \[([\d, ]+)\]", several)}
    assert known | dict.fromkeys(first.split(), (0,)) == DESCRIPTORS
