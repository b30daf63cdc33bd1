"""What the configuration of a person's own kernel must have for ktrace, and what it had better have."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.image.build_tree import source_of
from ktrace.image.kconfig import read_config
from ktrace.image.symbols import kconfig_symbols


@dataclass(frozen=True)
class Wish:
    """Something wanted of a configuration.

    :param what: its name
    :param why: what does not work without
    :param options: names that must be ``y``, without ``CONFIG_``; ``!NAME`` must not be
    :param instead: other sets of names that will do
    :param required: whether nothing works without
    :param modular: whether ``m`` will do
    """

    what: str
    why: str
    options: tuple[str, ...]
    instead: tuple[tuple[str, ...], ...] = ()
    required: bool = True
    modular: bool = False


def _wish(what: str, why: str, options: str, *instead: str, required: bool = True, modular: bool = False) -> Wish:
    return Wish(what, why, tuple(options.split()), tuple(tuple(one.split()) for one in instead), required, modular)


WISHES = (
    _wish("64 bit", "the agent does not start", "64BIT"),
    _wish("initramfs", "there is no agent and no init", "BLK_DEV_INITRD BINFMT_ELF"),
    _wish(
        "virtio transport",
        "the agent is not heard",
        "VIRTIO_MENU VIRTIO_MMIO VIRTIO_MMIO_CMDLINE_DEVICES",
        "PCI VIRTIO_PCI",
        modular=True,
    ),
    _wish("virtio console", "the agent is not heard", "TTY VIRTIO_CONSOLE", modular=True),
    _wish("PVH entry", "QEMU needs the slower bzImage", "HYPERVISOR_GUEST PARAVIRT PVH", required=False),
    _wish("serial console", "a panic says nothing", "PRINTK SERIAL_8250 SERIAL_8250_CONSOLE", required=False),
    _wish("file systems", "neither init nor actors find what they need", "PROC_FS SYSFS SHMEM TMPFS"),
    _wish("vmcoreinfo", "memory cannot be read", "PROC_KCORE"),
    _wish(
        "DWARF",
        "structures cannot be read",
        "DEBUG_KERNEL DEBUG_INFO_DWARF5 !DEBUG_INFO_REDUCED !DEBUG_INFO_SPLIT",
        "DEBUG_INFO_DWARF4 !DEBUG_INFO_REDUCED !DEBUG_INFO_SPLIT",
        "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT !DEBUG_INFO_REDUCED !DEBUG_INFO_SPLIT",
    ),
    _wish("futexes", "the agent cannot wait", "FUTEX POSIX_TIMERS"),
    _wish("System V IPC", "half of what is checked is not there", "SYSVIPC"),
    _wish("waiting", "many workloads end early", "EPOLL EVENTFD SIGNALFD TIMERFD"),
    _wish("sockets", "half of the workloads do not run", "NET UNIX INET IPV6 PACKET", required=False),
    _wish(
        "namespaces",
        "some workloads do not run",
        "MULTIUSER NAMESPACES IPC_NS USER_NS PID_NS NET_NS UTS_NS",
        required=False,
    ),
    _wish("checkpoint/restore", "ids cannot be chosen, undo lists not copied", "CHECKPOINT_RESTORE", required=False),
    _wish("notification pipes", "O_NOTIFICATION_PIPE is ENOPKG", "WATCH_QUEUE", required=False),
    _wish("SLUB", "caches and leaks cannot be read", "SLUB SLUB_DEBUG !SLUB_TINY", required=False),
    _wish(
        "function paths",
        "ktrace run --functions records nothing",
        "KALLSYMS FTRACE FUNCTION_TRACER FUNCTION_GRAPH_TRACER DYNAMIC_FTRACE FTRACE_SYSCALLS",
        required=False,
    ),
    _wish("probes", "ktrace run --event records nothing", "MODULES KPROBES FTRACE KPROBE_EVENTS", required=False),
)


@dataclass(frozen=True)
class Advice:
    """What a configuration lacks.

    :param missing: wishes that it does not fulfil
    :param unknown: options of these that the kernel's Kconfig does not know: it is too old, or too new
    """

    missing: tuple[Wish, ...]
    unknown: frozenset[str]

    @property
    def fragment(self) -> str:
        """The options to merge, as a configuration fragment."""
        lines = []
        given: set[str] = set()
        for wish in self.missing:
            lines.append(f"# {wish.what}: else {wish.why}")
            for option in wish.options:
                name = option.removeprefix("!")
                if name in given:
                    continue
                given.add(name)
                if name in self.unknown:
                    lines.append(f"# CONFIG_{name}: this kernel does not know it")
                else:
                    lines.append(f"# CONFIG_{name} is not set" if option != name else f"CONFIG_{name}=y")
        return "".join(f"{line}\n" for line in lines)


def _fulfilled(options: tuple[str, ...], config: Mapping[str, str], wish: Wish, known: Container[str] | None) -> bool:
    for option in options:
        name = option.removeprefix("!")
        value = config.get(f"CONFIG_{name}", "n")
        if option != name:
            if value != "n":
                return False
        # A name that came later, or went because what it brought is always there, is nothing to wish for.
        elif value not in (("y", "m") if wish.modular else ("y",)) and (
            wish.required or known is None or name in known
        ):
            return False
    return True


def advise(config: Mapping[str, str], symbols: Container[str] | None) -> Advice:
    """Compare a configuration with everything wanted of it.

    :param config: ``CONFIG_X`` to value, as :func:`ktrace.image.kconfig.read_config` reads it
    :param symbols: names that the kernel's Kconfig knows, ``None`` if that is not known
    """
    missing = tuple(
        wish
        for wish in WISHES
        if not any(_fulfilled(options, config, wish, symbols) for options in (wish.options, *wish.instead))
    )
    names = {option.removeprefix("!") for wish in missing for option in wish.options}
    return Advice(missing, frozenset(name for name in names if symbols is not None and name not in symbols))


def advise_for(path: Path) -> Advice:
    """Compare the configuration of a kernel with everything wanted of it.

    :param path: build directory, source tree, or a configuration file
    :raises UsageError: if it is none of them
    """
    symbols = None
    config = path
    if path.is_dir():
        symbols = kconfig_symbols(source_of(path))
        config = path / ".config"
        if not config.is_file():
            raise UsageError(
                f"{str(path)!r} is not configured: it has no .config", hint=f"run: make -C {path} defconfig"
            )
    return advise(read_config(config).options, symbols)
