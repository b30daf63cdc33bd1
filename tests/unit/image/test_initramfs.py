"""The initramfs: equal bits from any directory, and its own key for its own inputs."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.image.build import ensure_initramfs
from ktrace.image.initramfs import build_initramfs, initramfs_inputs
from ktrace.image.progress import Silent
from ktrace.image.recipe import BinaryRecipe, InitramfsRecipe
from ktrace.image.store import digest_json, open_store

C = """
#include "a.h"
#include <assert.h>
int main(int argc, char **argv) { (void)argv; assert(argc < LIMIT); return 0; }
"""


def recipe_in(directory: Path) -> InitramfsRecipe:
    directory.mkdir(parents=True)
    (directory / "init.c").write_text(C)
    (directory / "a.h").write_text("#define LIMIT 7\n")
    return InitramfsRecipe(
        cflags=("-O2", "-g", "-Wall", "-Werror"),
        binaries=(BinaryRecipe("init", "init", (directory / "init.c",), (directory / "a.h",)),),
        directories=("proc",),
    )


def build(recipe: InitramfsRecipe, place: Path) -> bytes:
    scratch, output = place / "scratch", place / "output"
    scratch.mkdir(parents=True)
    output.mkdir()
    build_initramfs(recipe, scratch, output, Silent())
    return (output / "initramfs").read_bytes()


def test_equal_bits_from_another_directory(tmp_path):
    one = recipe_in(tmp_path / "checkout")
    other = recipe_in(tmp_path / "another" / "checkout" / "somewhere")
    assert initramfs_inputs(one) == initramfs_inputs(other)
    archive = build(one, tmp_path / "a")
    assert archive == build(other, tmp_path / "a-longer-name")
    assert str(tmp_path).encode() not in archive
    assert b"/usr/src/ktrace/guest/init.c" in archive


@pytest.mark.parametrize("changed", ["init.c", "a.h", "cflags", "directories"])
def test_every_input_changes_the_key(tmp_path, changed):
    recipe = recipe_in(tmp_path / "checkout")
    before = digest_json(initramfs_inputs(recipe))
    if changed == "cflags":
        recipe = replace(recipe, cflags=("-Os",))
    elif changed == "directories":
        recipe = replace(recipe, directories=("proc", "sys"))
    else:
        with (tmp_path / "checkout" / changed).open("a") as stream:
            stream.write("/* more */\n")
    assert digest_json(initramfs_inputs(recipe)) != before


def test_c_that_does_not_compile_is_the_persons_fault(tmp_path):
    recipe = recipe_in(tmp_path / "checkout")
    (tmp_path / "checkout" / "init.c").write_text("int main(void) { return nothing; }\n")
    store = open_store(tmp_path / "store")
    with pytest.raises(UsageError, match="nothing"):
        ensure_initramfs(recipe, store, Silent())
    assert list((store.root / "initramfs").iterdir()) == []
    assert list((store.root / "tmp").iterdir()) == []


def test_the_environment_does_not_matter(tmp_path, monkeypatch):
    recipe = recipe_in(tmp_path / "checkout")
    archive = build(recipe, tmp_path / "a")
    monkeypatch.setenv("CFLAGS", "-O0")
    monkeypatch.setenv("MAKEFLAGS", "-n")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12345")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    assert build(recipe, tmp_path / "b") == archive


def test_entry_of_the_store_is_read_only(tmp_path):
    store = open_store(tmp_path / "store")
    entry = ensure_initramfs(recipe_in(tmp_path / "checkout"), store, Silent())
    assert {stat.S_IMODE(path.stat().st_mode) for path in entry.iterdir()} == {0o444}
