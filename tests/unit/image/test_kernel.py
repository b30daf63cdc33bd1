"""What a kernel's key depends on, what make is told, and when a build does not even begin."""

from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import HostError
from ktrace.image.kernel import kernel_inputs, make_arguments, make_command, require_room
from ktrace.image.recipe import KernelRecipe
from ktrace.image.source import SourcePackage
from ktrace.image.store import digest_json
from ktrace.image.verify import Verified

SOURCE = SourcePackage("linux-source-6.1", "6.1.192-2", Path("/usr/src/linux-source-6.1.tar.xz"), "d" * 64)


@pytest.fixture
def recipe(tmp_path: Path) -> KernelRecipe:
    fragment = tmp_path / "a.config"
    fragment.write_text("# why\nCONFIG_A=y\n")
    return KernelRecipe(
        package="linux-source-6.1",
        base="tinyconfig",
        fragments=(fragment,),
        make_variables={"CFLAGS_pipe.o": "-fno-inline", "KCFLAGS": "-fno-foo"},
        excludes=(),
        objects=1,
    )


def key(recipe: KernelRecipe, source: SourcePackage = SOURCE) -> str:
    return digest_json(kernel_inputs(recipe, source))


def test_key_depends_on_what_the_bits_depend_on(recipe):
    before = key(recipe)
    assert key(recipe, replace(SOURCE, digest="e" * 64)) != before
    assert key(recipe, replace(SOURCE, version="6.1.193-1")) != before
    assert key(replace(recipe, make_variables={})) != before
    assert key(replace(recipe, base="allnoconfig")) != before
    recipe.fragments[0].write_text("CONFIG_A=n\n")
    assert key(recipe) != before


def test_key_does_not_depend_on_the_rest(recipe):
    before = key(recipe)
    recipe.fragments[0].write_text("# another reason\n\nCONFIG_A=y\n")
    assert key(replace(recipe, objects=7)) == before
    assert key(recipe, replace(SOURCE, tarball=Path("/elsewhere.tar.xz"))) == before


def test_make_variables_are_passed_and_paths_are_hidden(recipe):
    arguments = make_arguments(recipe, Path("/some/where"))
    assert "CFLAGS_pipe.o=-fno-inline" in arguments
    assert "KCFLAGS=-fno-foo -ffile-prefix-map=/some/where=/usr/src/linux" in arguments
    assert "KAFLAGS=-ffile-prefix-map=/some/where=/usr/src/linux" in arguments
    assert sum(argument.startswith("KCFLAGS=") for argument in arguments) == 1
    assert "LOCALVERSION=" in arguments


def test_the_command_for_people_survives_a_shell(recipe):
    command = make_command(recipe, Path("/a b/c"))
    assert command.startswith("make -C '/a b/c' -j")
    assert "'KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970'" in command
    assert command.endswith(" vmlinux")


def test_too_little_room_is_said_before_anything_is_unpacked(tmp_path):
    require_room(tmp_path, 1)
    with pytest.raises(HostError, match=f"GB free in '{tmp_path}', 1000000.0 GB needed"):
        require_room(tmp_path, 10**15)


@pytest.mark.parametrize(
    ("manifest", "stored", "rebuilt", "equal"),
    [("a", "a", "a", True), ("a", "b", "a", False), ("a", "a", "b", False), ("b", "a", "a", False)],
)
def test_verified_means_all_three_agree(manifest, stored, rebuilt, equal):
    assert Verified("kernel", manifest, stored, rebuilt).equal is equal
