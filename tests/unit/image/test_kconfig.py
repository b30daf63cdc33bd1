"""Fragments: parsed strictly, merged in order, and every dropped option is named."""

import pytest

from ktrace.errors import UsageError
from ktrace.image.kconfig import (
    DroppedOption,
    apply_options,
    find_dropped,
    merge_fragments,
    parse_config,
    require_options,
)
from ktrace.image.recipe import load_recipe, recipe_names


def merged(text: str):
    return merge_fragments([parse_config(text, "some.config")])


def test_parse():
    fragment = parse_config('# why\nCONFIG_A=y\n\nCONFIG_S="a=b"\n# CONFIG_B is not set\nCONFIG_C=n\n', "f")
    assert fragment.options == {"CONFIG_A": "y", "CONFIG_S": '"a=b"', "CONFIG_B": "n", "CONFIG_C": "n"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CONFIG_A=y\nCONFIG_B\n", "f:2: not a configuration line: 'CONFIG_B'"),
        ("A=y", "f:1: not a configuration line"),
        ("CONFIG_A=y\nCONFIG_A=n", "f:2: CONFIG_A is given twice"),
        ("CONFIG_A=y  # if knwon", "f:1: not a configuration line"),
        ("CONFIG_A=y # why", "f:1: not a configuration line"),
    ],
)
def test_parse_errors(text, message):
    with pytest.raises(UsageError, match=message):
        parse_config(text, "f")


def test_an_option_may_be_asked_only_of_kernels_that_know_it():
    fragment = parse_config('CONFIG_A=y\nCONFIG_B=y  # if known\nCONFIG_S="a # if known b"\nCONFIG_N=n # if known', "f")
    assert fragment.options == {"CONFIG_A": "y", "CONFIG_B": "y", "CONFIG_S": '"a # if known b"', "CONFIG_N": "n"}
    assert fragment.if_known == {"CONFIG_B", "CONFIG_N"}
    assert set(fragment.for_kernel({"A", "B", "N", "S"}).options) == {"CONFIG_A", "CONFIG_B", "CONFIG_N", "CONFIG_S"}
    # What is asked for without condition is asked of every kernel, and missed where it does not know it.
    old = fragment.for_kernel(set())
    assert set(old.options) == {"CONFIG_A", "CONFIG_S"}
    with pytest.raises(UsageError, match="CONFIG_A: f asks for y, kconfig made it n"):
        require_options(merge_fragments([old]), 'CONFIG_S="a # if known b"\n')


def test_an_option_that_is_known_and_dropped_is_missed_all_the_same():
    fragment = parse_config("CONFIG_B=y  # if known", "f").for_kernel({"B"})
    with pytest.raises(UsageError, match="CONFIG_B: f asks for y, kconfig made it n"):
        require_options(merge_fragments([fragment]), "CONFIG_C=y\n")


def test_later_fragment_wins():
    first, second = parse_config("CONFIG_A=y\nCONFIG_B=y", "one"), parse_config("CONFIG_A=n", "two")
    assert merge_fragments([first, second]) == {"CONFIG_A": ("n", "two"), "CONFIG_B": ("y", "one")}


def test_apply_replaces_both_spellings():
    base = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_KEEP=7\n"
    text = apply_options(base, merged("CONFIG_A=n\nCONFIG_B=y\nCONFIG_NEW=3"))
    assert parse_config(text, "x").options == {
        "CONFIG_A": "n",
        "CONFIG_B": "y",
        "CONFIG_KEEP": "7",
        "CONFIG_NEW": "3",
    }


def test_dropped_option_is_named():
    asked = merged("CONFIG_KPROBES=y\nCONFIG_NET=y\nCONFIG_PCI=n\nCONFIG_HZ=250")
    final = "CONFIG_NET=y\nCONFIG_PCI=y\nCONFIG_HZ=100\n"
    assert find_dropped(asked, final) == [
        DroppedOption("CONFIG_KPROBES", "y", "n", "some.config"),
        DroppedOption("CONFIG_PCI", "n", "y", "some.config"),
        DroppedOption("CONFIG_HZ", "250", "100", "some.config"),
    ]
    with pytest.raises(UsageError) as caught:
        require_options(asked, final)
    assert "3 of 4" in caught.value.message
    for option in ("CONFIG_KPROBES", "CONFIG_PCI", "CONFIG_HZ"):
        assert option in caught.value.message
    assert "CONFIG_NET" not in caught.value.message


def test_absent_and_unset_are_the_same_no():
    assert find_dropped(merged("CONFIG_A=n\nCONFIG_B=n"), "# CONFIG_A is not set\n") == []


@pytest.mark.parametrize("name", recipe_names())
def test_no_option_is_asked_for_twice(name):
    fragments = load_recipe(name).kernel.read_fragments()
    options = [option for fragment in fragments for option in fragment.options]
    assert sorted(options) == sorted(set(options))


@pytest.mark.parametrize("name", recipe_names())
def test_what_others_need_is_asked_for(name):
    asked = merge_fragments(load_recipe(name).kernel.read_fragments())
    needed = "SLUB SLUB_DEBUG SMP MODULES KPROBES PVH SYSVIPC CHECKPOINT_RESTORE DEBUG_INFO_DWARF5 BASE_FULL"
    assert [option for option in needed.split() if asked.get(f"CONFIG_{option}", ("n", ""))[0] != "y"] == []
