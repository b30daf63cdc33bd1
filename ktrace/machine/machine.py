"""One guest: booted or cloned, looked into, paused, saved, and never left behind."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from ktrace.agent.client import Agent
from ktrace.agent.reports import Hello
from ktrace.errors import HostError
from ktrace.machine.accel import TCG, Accelerator
from ktrace.machine.clock import tsc_khz
from ktrace.machine.console import TAIL_LINES, Console
from ktrace.machine.diagnosis import Diagnosis
from ktrace.machine.identity import Bootable, check_build_id
from ktrace.machine.memory import GuestMemory
from ktrace.machine.migration import leave_ram_out, load_state, save_state
from ktrace.machine.process import QemuProcess
from ktrace.machine.qemu import Launch, Payload, choose_board, kernel_command_line, qemu_argv
from ktrace.machine.qmp import Qmp, QmpClosed
from ktrace.machine.room import require_memory
from ktrace.machine.spec import GuestSpec
from ktrace.machine.template.memory import TemplateMemory, fill_ram
from ktrace.machine.template.template import Template

BOOT_SECONDS = 60.0
CLONE_SECONDS = 20.0


class Machine:
    """A running guest; made by :meth:`boot` or :meth:`clone`, ended by :meth:`close`.

    QEMU ends at the latest with this process. Whatever waits for the guest looks
    now and then whether it still lives, and raises :class:`GuestPanic` or :class:`GuestDied` with the end of its
    console if not.

    :ivar agent: connected, and known to run the image's kernel
    :ivar hello: what the agent said of itself
    :ivar memory: the guest's RAM, mapped
    :ivar console: what it printed, in ``<directory>/console.log``
    :ivar spec: what it is made of
    :ivar template: what it was cloned from, ``None`` after a boot
    """

    agent: Agent
    hello: Hello

    def __init__(
        self,
        *,
        spec: GuestSpec,
        directory: Path,
        template: Template | None = None,
        payload: Payload | None = None,
        monitor: bool = False,
        paused: bool = False,
    ) -> None:
        self.spec = spec
        self.template = template
        self.monitor_path: Path | None = None
        self._paused = paused
        self._state: bytes | None = None
        with ExitStack() as stack:
            try:
                self._start(stack, directory, payload, monitor)
            except OSError as error:
                where = error.filename or directory
                raise HostError(
                    f"cannot use {str(where)!r}: {error.strerror}", "free some space, or use another directory"
                ) from error
            self._owned = stack.pop_all()

    def _start(self, stack: ExitStack, directory: Path, payload: Payload | None, monitor: bool) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        history = b"" if self.template is None else self.template.console.read_bytes()
        self.console = Console(directory / "console.log", history)
        self.memory = GuestMemory(self.spec.memory_bytes)
        stack.callback(self.memory.close)
        given = stack.enter_context(ExitStack())  # closed here as soon as QEMU has them
        ours_qmp, its_qmp = socket.socketpair()
        given.enter_context(its_qmp)
        self._qmp = Qmp(ours_qmp)
        stack.callback(self._qmp.close)
        ours_agent, its_agent = socket.socketpair()
        given.enter_context(its_agent)
        stack.enter_context(ours_agent)
        state_fd = None
        if self.template is not None:
            state_fd = os.open(self.template.state, os.O_RDONLY | os.O_CLOEXEC)
            given.callback(os.close, state_fd)
            leave_ram_out(self._qmp)  # read while the RAM is still being copied
        launch = Launch(
            spec=self.spec,
            ram_fd=self.memory.fd,
            qmp_fd=its_qmp.fileno(),
            agent_fd=its_agent.fileno(),
            console=self.console.path,
            monitor_fd=self._listen(stack, given) if monitor else None,
            payload=payload,
            state_fd=state_fd,
        )
        self._process = QemuProcess(qemu_argv(launch), pass_fds=launch.descriptors, log=directory / "qemu.log")
        stack.callback(self._process.close)
        given.close()
        port = stack.enter_context(ours_agent.dup())
        self._diagnosis = Diagnosis(self._process, self.console, port, self.spec, cloned=self.template is not None)
        self.agent = Agent.of_socket(ours_agent, check_alive=self.check)
        stack.callback(self.agent.close)
        if self.template is not None and state_fd is not None:
            self._load(self.template, state_fd)

    def _listen(self, stack: ExitStack, given: ExitStack) -> int:
        """Make the socket on which another program can speak QMP; its directory is private."""
        private = Path(tempfile.mkdtemp(prefix="ktrace-"))
        stack.callback(shutil.rmtree, private, ignore_errors=True)
        self.monitor_path = private / "qmp"
        listener = given.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(self.monitor_path))
        listener.listen(1)
        return listener.fileno()

    def _load(self, template: Template, state_fd: int) -> None:
        """Fill the RAM while QEMU starts (14 ms of its 27), then have it load the devices and go on."""
        fill_ram(self.memory, template)
        try:
            load_state(self._qmp, state_fd, paused=self._paused)
        except QmpClosed:
            raise self._diagnosis.death() from None

    # --- making -----------------------------------------------------------------------------------

    @classmethod
    def boot(
        cls,
        image: Bootable,
        *,
        directory: Path,
        memory_mib: int | None = None,
        accel: Accelerator = TCG,
        deadline: float = BOOT_SECONDS,
        append: str = "",
        monitor: bool = False,
    ) -> Machine:
        """Boot *image* and wait until its agent answers.

        :param directory: gets ``console.log`` and ``qemu.log``; made (0700) if it is not there
        :param memory_mib: RAM in MiB; default what the image needs
        :param deadline: seconds
        :param append: words for the kernel's command line; those after ``--`` go to init
        :param monitor: have a QMP socket for another program, see ``monitor_path``
        :raises HostError: no QEMU, it refuses, or there is no room
        :raises GuestPanic, GuestHang, GuestDied, GuestGarbage: the guest failed; with its console's tail
        :raises UsageError: the kernel that runs is not the one ``vmlinux`` describes, or does not fit into the memory
        """
        mib = image.memory_mib if memory_mib is None else memory_mib
        require_memory(image, mib)
        board = choose_board(image.vmlinux)
        payload = Payload(image.kernel, image.initramfs, kernel_command_line(board, tsc_khz(), append))
        machine = cls(
            spec=GuestSpec(image.name, image.build_id, board.name, accel.name, mib),
            directory=directory,
            payload=payload,
            monitor=monitor,
        )
        return machine._greet(deadline)

    @classmethod
    def clone(
        cls,
        template: Template,
        *,
        directory: Path,
        deadline: float = CLONE_SECONDS,
        monitor: bool = False,
        paused: bool = False,
    ) -> Machine:
        """Continue *template* in a machine of its own, and wait until the agent answers.

        :param paused: do not let it go on: it stands still as it was saved, and there is no ``hello``

        Measured with lab-6.1 under TCG on 2 cores, half busy: 42 to 60 ms, a boot 750 to 900 ms. Of that QEMU's own
        start takes 27 ms, the devices' state 1 ms, and the guest 12 ms, whose code has to be translated again.
        Parameters and errors as for :meth:`boot`; :class:`HostError` too if QEMU cannot load the template.
        """
        machine = cls(
            spec=template.spec,
            directory=directory,
            template=template,
            monitor=monitor,
            paused=paused,
        )
        return machine if paused else machine._greet(deadline)

    def _greet(self, seconds: float) -> Machine:
        """Hear from the agent, and see that it runs the kernel that the debug information is of."""
        try:
            self.hello = self.agent.hello(timeout=seconds)
            self._diagnosis.heard = True
            check_build_id(self.hello.build_id, self.spec.image, self.spec.build_id)
        except BaseException as error:
            reason = self._diagnosis.of_silence(error)
            self.close()
            raise reason from None
        return self

    # --- using ------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Process id of QEMU."""
        return self._process.pid

    @property
    def paused(self) -> bool:
        """Tell whether the guest stands still because it was told to."""
        return self._paused

    def console_tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of the console."""
        return self.console.tail(lines)

    def pause(self) -> None:
        """Make the guest stand still, its clock included (0.7 ms)."""
        self.command("stop")
        self._paused = True

    def resume(self) -> None:
        """Let the guest go on."""
        self.command("cont")
        self._paused = False
        self._state = None

    def check(self) -> None:
        """Look whether the guest still runs.

        :raises GuestPanic, GuestDied, HostError: it does not
        """
        self._diagnosis.check()

    def explain(self, error: BaseException) -> None:
        """Give an error of the guest the end of its console."""
        self._diagnosis.explain(error)

    def checkpoint(self, directory: Path, base: TemplateMemory | None = None) -> Template:
        """Save the guest as it is now, and let it go on as before.

        The agent must not be in the middle of an answer.

        :param directory: empty or not there yet
        :param base: save of its RAM only what is not as there
        :raises HostError: no room, or QEMU refuses
        """
        was_paused = self._paused
        if not was_paused:
            self.pause()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._save_state(directory / "state")
            extents = self._save_ram(directory / "ram", base)
            template = Template(
                directory=directory,
                spec=self.spec,
                extents=tuple(extents),
                base=None if base is None else base.template,
            )
            template.console.write_bytes(self.console.path.read_bytes())
            template.write()
        except OSError as error:
            raise HostError(
                f"cannot save the guest in {str(directory)!r}: {error.strerror}", "free some space there"
            ) from error
        finally:
            if not was_paused:
                self.resume()
        return template

    def _save_state(self, path: Path) -> None:
        if self._state is not None:
            path.write_bytes(self._state)  # the guest has not gone on since: its devices are as they were
            return
        try:
            self._state = save_state(self._qmp, path)
        except QmpClosed:
            raise self._diagnosis.death() from None

    def _save_ram(self, path: Path, base: TemplateMemory | None) -> list[tuple[int, int]]:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            return self.memory.save(descriptor, None if base is None else base.memory)
        finally:
            os.close(descriptor)

    def command(self, name: str, **arguments: Any) -> Any:
        """Have QEMU's monitor do one QMP command, and return what it returns.

        :raises HostError: QEMU refuses
        :raises GuestPanic, GuestDied: it is ending
        """
        try:
            return self._qmp.command(name, **arguments)
        except QmpClosed:
            raise self._diagnosis.death() from None

    # --- ending -----------------------------------------------------------------------------------

    def kill(self) -> None:
        """End QEMU at once; what uses the guest from now on raises :class:`GuestDied`."""
        self._process.close()

    def close(self) -> None:
        """End QEMU and give everything back; harmless when done already. The console's file stays."""
        self._owned.close()

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._diagnosis.explain(error)
        self.close()
