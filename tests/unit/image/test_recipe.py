"""Recipes say what is wrong with them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ktrace.cli.image import image
from ktrace.errors import UsageError
from ktrace.image.recipe import load_recipe, read_recipe, readable_recipes, recipe_names
from ktrace.own_files import own_files

GOOD = """
summary = "a kernel"
[kernel]
package = "linux-source-6.1"
fragments = ["a.config"]
objects = 3
[kernel.make_variables]
CFLAGS_pipe.o = "-fno-inline"
[initramfs]
cflags = ["-O2"]
directories = ["proc"]
[[initramfs.binary]]
name = "init"
path = "init"
sources = ["*.c"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.config").write_text("CONFIG_A=y\n")
    (tmp_path / "b.c").write_text("int b;\n")
    (tmp_path / "a.c").write_text("int a;\n")
    return tmp_path


def read(root: Path, text: str):
    path = root / "some.toml"
    path.write_text(text)
    return read_recipe(path, root)


def test_good_recipe(root):
    recipe = read(root, GOOD.replace("CFLAGS_pipe.o = ", '"CFLAGS_pipe.o" = '))
    assert recipe.name == "some"
    assert recipe.kernel.base == "tinyconfig"
    assert recipe.kernel.make_variables == {"CFLAGS_pipe.o": "-fno-inline"}
    assert [path.name for path in recipe.initramfs.binaries[0].sources] == ["a.c", "b.c"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('summary = "a kernel"', "", "summary must be a string, not None"),
        ('"a.config"', '"none.config"', "fragments names 'none.config'"),
        ('"*.c"', '"*.cc"', r"sources names '\*.cc'"),
        ("objects = 3", "objects = 0", "objects must be a positive number, not 0"),
        ("objects = 3", "objects = 3\ncolour = 'red'", r"unknown keys \['colour'\]"),
        ('["-O2"]', '"-O2"', "cflags must be a list of strings"),
        ("linux-source-6.1", "../evil", "no package name"),
        ("[[initramfs.binary]]", "[initramfs.binary]", "at least one"),
        ("[kernel]", "[kernel", "some.toml: "),
        ('CFLAGS_pipe.o = "-fno-inline"', "A = 3", "A must be a string, not 3"),
    ],
)
def test_faulty_recipe(root, old, new, message):
    assert old in GOOD
    text = (
        GOOD.replace("CFLAGS_pipe.o = ", '"CFLAGS_pipe.o" = ')
        if old not in ('CFLAGS_pipe.o = "-fno-inline"',)
        else GOOD
    )
    with pytest.raises(UsageError, match=message):
        read(root, text.replace(old, new))


LIKE = """
summary = "another kernel"
like = "good"
[kernel]
package = "linux-source-6.12"
suite = "trixie"
version = "6.12.117-1~bpo1+2"
"""


def test_a_recipe_may_be_like_another(root):
    (root / "good.toml").write_text(GOOD.replace("CFLAGS_pipe.o = ", '"CFLAGS_pipe.o" = '))
    good, recipe = read_recipe(root / "good.toml", root), read(root, LIKE)
    assert (recipe.name, recipe.summary) == ("some", "another kernel")
    assert (recipe.kernel.package, recipe.kernel.suite) == ("linux-source-6.12", "trixie")
    assert recipe.kernel.version == "6.12.117-1~bpo1+2"
    assert recipe.kernel.fragments == good.kernel.fragments
    assert recipe.kernel.make_variables == good.kernel.make_variables
    assert recipe.initramfs == good.initramfs
    own = read(root, LIKE + '[kernel.make_variables]\nA = "b"\n')
    assert own.kernel.make_variables == {"A": "b"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"good"', '"bad"', "like names 'bad', which is no recipe"),
        ('"good"', '"../good"', "like names '../good', which is no recipe"),
        ('"good"', "3", "like names 3, which is no recipe"),
        ('suite = "trixie"', "", "suite and version come together"),
        ('version = "6.12.117-1~bpo1+2"', "", "suite and version come together"),
        ('"trixie"', '"tri xie"', "'tri xie' is no name of a suite"),
        ('"trixie"', '"-o"', "'-o' is no name of a suite"),
        ('"6.12.117-1~bpo1+2"', '"newest"', "'newest' is no package version"),
        ('"6.12.117-1~bpo1+2"', "6.12", "version must be a string, not 6.12"),
    ],
)
def test_faulty_recipe_like_another(root, old, new, message):
    (root / "good.toml").write_text(GOOD.replace("CFLAGS_pipe.o = ", '"CFLAGS_pipe.o" = '))
    assert old in LIKE
    with pytest.raises(UsageError, match=message):
        read(root, LIKE.replace(old, new))


def test_a_recipe_is_like_one_that_is_whole(root):
    (root / "good.toml").write_text(LIKE.replace('"good"', '"other"'))
    with pytest.raises(UsageError, match="like names 'good', which is itself like another"):
        read(root, LIKE)


@pytest.mark.parametrize("name", ["nope", "../lab-6.1", "", "LAB", "lab-6.1/x"])
def test_unknown_name_says_which_there_are(name):
    with pytest.raises(UsageError) as caught:
        load_recipe(name)
    assert "lab-6.1" in (caught.value.hint or "")


def test_bundled_recipes_are_good():
    assert "lab-6.1" in recipe_names()
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe.summary
        assert {binary.path for binary in recipe.initramfs.binaries} == {"init", "agent"}
        assert all(path.is_relative_to(own_files()) for path in recipe.kernel.fragments)


def test_a_recipe_of_ones_own_may_be_like_ours_and_name_our_files(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images" / "other.toml").write_text('colour = "red"\n')
    (tmp_path / "images" / "lab-6.1.toml").write_text('like = "lab-7.3"\nsummary = "not ours"\n')
    before = recipe_names()
    assert "other" not in before
    (tmp_path / "own.config").write_text("CONFIG_A=y\n")
    (tmp_path / "images" / "beside.config").write_text("CONFIG_B=y\n")
    fragments = ["guest/base.config", "own.config", "beside.config"]
    text = f'like = "lab-6.1"\nsummary = "mine"\n[kernel]\nfragments = {fragments}\n'
    (tmp_path / "images" / "mine.toml").write_text(text)
    assert set(recipe_names()) - set(before) == {"mine"}
    recipe = load_recipe("mine")
    assert (recipe.summary, recipe.kernel.package) == ("mine", "linux-source-6.1")
    assert recipe.kernel.fragments == (
        own_files() / "guest" / "base.config",
        tmp_path / "own.config",
        tmp_path / "images" / "beside.config",
    )
    assert load_recipe("lab-6.1").summary != "not ours", "ours comes first"
    monkeypatch.chdir("/")
    assert "mine" not in recipe_names()
    monkeypatch.setenv("KTRACE_IMAGES", f"/nowhere:{tmp_path / 'images'}")
    assert load_recipe("mine") == recipe


def test_a_recipe_of_ones_own_that_is_wrong_keeps_nobody_from_the_others(tmp_path, monkeypatch):
    (tmp_path / "wrong.toml").write_text("[kernel]\nthis is no TOML\n")
    monkeypatch.setenv("KTRACE_IMAGES", str(tmp_path))
    assert "lab-6.1" in [recipe.name for recipe in readable_recipes()]
    with pytest.raises(UsageError, match=r"wrong\.toml"):
        load_recipe("wrong")
    done = CliRunner().invoke(image, ["list"], catch_exceptions=False)
    assert "wrong.toml" in done.output and "lab-6.1" in done.output
