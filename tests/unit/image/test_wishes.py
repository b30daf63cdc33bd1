"""What a configuration lacks is named, with the lines to merge."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.image.kconfig import parse_config
from ktrace.image.recipe import load_recipe
from ktrace.image.wishes import WISHES, advise, advise_for


@pytest.fixture
def lab() -> dict[str, str]:
    """Everything that lab-6.1 asks for."""
    return {
        option: value
        for fragment in load_recipe("lab-6.1").kernel.read_fragments()
        for option, value in fragment.options.items()
    }


# Of linux-image-6.1.0-57-cloud-amd64's configuration what is looked at, as it stands there.
CLOUD = """
CONFIG_64BIT=y
CONFIG_BLK_DEV_INITRD=y
CONFIG_BINFMT_ELF=y
CONFIG_PCI=y
CONFIG_VIRTIO_MENU=y
CONFIG_VIRTIO_PCI=m
CONFIG_VIRTIO_MMIO=m
# CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES is not set
CONFIG_TTY=y
CONFIG_VIRTIO_CONSOLE=m
CONFIG_HYPERVISOR_GUEST=y
CONFIG_PARAVIRT=y
CONFIG_PVH=y
CONFIG_PRINTK=y
CONFIG_SERIAL_8250=y
CONFIG_SERIAL_8250_CONSOLE=y
CONFIG_PROC_FS=y
CONFIG_SYSFS=y
CONFIG_SHMEM=y
CONFIG_TMPFS=y
CONFIG_PROC_KCORE=y
CONFIG_DEBUG_KERNEL=y
CONFIG_DEBUG_INFO=y
CONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT=y
# CONFIG_DEBUG_INFO_REDUCED is not set
CONFIG_FUTEX=y
CONFIG_POSIX_TIMERS=y
CONFIG_SYSVIPC=y
CONFIG_EPOLL=y
CONFIG_EVENTFD=y
CONFIG_SIGNALFD=y
CONFIG_TIMERFD=y
CONFIG_NET=y
CONFIG_UNIX=y
CONFIG_INET=y
CONFIG_IPV6=y
CONFIG_PACKET=y
CONFIG_MULTIUSER=y
CONFIG_NAMESPACES=y
CONFIG_IPC_NS=y
CONFIG_USER_NS=y
CONFIG_PID_NS=y
CONFIG_NET_NS=y
CONFIG_UTS_NS=y
CONFIG_CHECKPOINT_RESTORE=y
# CONFIG_WATCH_QUEUE is not set
CONFIG_SLUB=y
CONFIG_SLUB_DEBUG=y
CONFIG_KALLSYMS=y
CONFIG_FTRACE=y
CONFIG_FUNCTION_TRACER=y
CONFIG_FUNCTION_GRAPH_TRACER=y
CONFIG_DYNAMIC_FTRACE=y
CONFIG_FTRACE_SYSCALLS=y
CONFIG_MODULES=y
CONFIG_KPROBES=y
CONFIG_KPROBE_EVENTS=y
"""


def missing(config: dict[str, str], symbols: frozenset[str] | None = None) -> list[str]:
    return [wish.what for wish in advise(config, symbols).missing]


def test_a_lab_kernel_lacks_nothing(lab: dict[str, str]) -> None:
    assert missing(lab) == []


def test_debian_12s_kernel_lacks_notification_pipes() -> None:
    advice = advise(parse_config(CLOUD, "config").options, None)
    assert [(wish.what, wish.required) for wish in advice.missing] == [("notification pipes", False)]
    assert advice.fragment == "# notification pipes: else O_NOTIFICATION_PIPE is ENOPKG\nCONFIG_WATCH_QUEUE=y\n"


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.what.replace(" ", "-"))
def test_every_wish_is_missed_and_mended(wish, lab: dict[str, str]) -> None:
    spoiled = dict(lab)
    for option in wish.options:
        name = f"CONFIG_{option.removeprefix('!')}"
        spoiled[name] = "y" if option.startswith("!") else "n"
    advice = advise(spoiled, None)
    assert wish in advice.missing
    merged = {**spoiled, **parse_config(advice.fragment, "fragment").options}
    assert missing(merged) == []


def test_system_v_is_required(lab: dict[str, str]) -> None:
    (wish,) = advise({**lab, "CONFIG_SYSVIPC": "n"}, None).missing
    assert (wish.what, wish.required) == ("System V IPC", True)


def test_a_module_will_do_for_virtio_only(lab: dict[str, str]) -> None:
    assert missing({**lab, "CONFIG_VIRTIO_CONSOLE": "m"}) == []
    assert missing({**lab, "CONFIG_IPV6": "m"}) == ["sockets"]


def test_an_old_kernel_is_told_what_it_does_not_know(lab: dict[str, str]) -> None:
    # WATCH_QUEUE came with 5.8, DEBUG_INFO_DWARF5 with 5.12, SLUB_TINY with 6.2
    names = {option.removeprefix("CONFIG_") for option in lab} - {"WATCH_QUEUE", "DEBUG_INFO_DWARF5", "SLUB_TINY"}
    config = {option: value for option, value in lab.items() if option.removeprefix("CONFIG_") in names}
    advice = advise(config, frozenset(names))
    # What nobody needs and the kernel does not know is no lack of it.
    assert [wish.what for wish in advice.missing] == ["DWARF"]
    assert "# CONFIG_DEBUG_INFO_DWARF5: this kernel does not know it\n" in advice.fragment


def test_a_tree_is_asked_what_it_knows(tmp_path: Path) -> None:
    (tmp_path / "arch" / "x86").mkdir(parents=True)
    (tmp_path / "Kconfig").write_text("config SYSVIPC\n\tbool\n")
    with pytest.raises(UsageError, match=r"is not configured: it has no \.config"):
        advise_for(tmp_path)
    (tmp_path / ".config").write_text("CONFIG_64BIT=y\n")
    advice = advise_for(tmp_path)
    assert "CONFIG_SYSVIPC=y\n" in advice.fragment
    assert "FUTEX" in advice.unknown
    assert "64 bit" not in [wish.what for wish in advice.missing]


def test_what_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is neither a kernel's source tree nor its build directory"):
        advise_for(tmp_path)
    with pytest.raises(UsageError, match="cannot read"):
        advise_for(tmp_path / "nothing")
    (tmp_path / "x").write_text("hello\n")
    with pytest.raises(UsageError, match="is no kernel configuration"):
        advise_for(tmp_path / "x")
    (tmp_path / "x").write_text("CONFIG_A\n")
    with pytest.raises(UsageError, match="x:1: not a configuration line"):
        advise_for(tmp_path / "x")
