"""Guests of one image: a fresh clone for every session, in a lab, with what records its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ktrace.errors import GuestError, GuestFileError, HostError
from ktrace.image.image import Image, find_image
from ktrace.inspect.members import allow_unread
from ktrace.machine.accel import KVM, Accelerator, kvm_obstacle, named_accelerator
from ktrace.machine.find_accel import find_accelerator
from ktrace.machine.machine import Machine
from ktrace.machine.pool import Pool
from ktrace.machine.template.make import ensure_template
from ktrace.machine.template.memory import TemplateMemory
from ktrace.machine.template.prepared import prepared_template
from ktrace.machine.template.template import Template, template_identity
from ktrace.state.changes import Changes, changes
from ktrace.trace.session_state import SessionState
from ktrace.verify.exec.lab import ProgramLab
from ktrace.verify.lab import KernelCaches, Lab
from ktrace.verify.notify import Notify, silent
from ktrace.verify.options import GuestOptions
from ktrace.verify.paused import PausedGuest, inspect_memory
from ktrace.verify.probing.lab import ProbingLab
from ktrace.verify.tracing.both import BothTracers
from ktrace.verify.tracing.events import EventTracer
from ktrace.verify.tracing.functions import SETTINGS, FunctionTracer, InlinedTable, cannot_trace
from ktrace.verify.tracing.guest_files import SettledFiles
from ktrace.verify.tracing.inlined_cache import inlined_functions
from ktrace.verify.tracing.protocol import StepTracer
from ktrace.verify.wholeness import blamed_rightly, require_whole
from ktrace.version import VERSION


class Guests:
    """Make guests of one image; see :func:`prepare_guests`.

    :param template: what they are clones of
    :param options: what their steps are to carry
    :param inlined: what gcc inlined in which function, where functions are recorded
    """

    def __init__(self, image: Image, template: Template, options: GuestOptions, inlined: InlinedTable) -> None:
        self.image = image
        self.template = template
        self.options = options
        self.inlined = inlined
        self._kernels = KernelCaches()
        self._base: TemplateMemory | None = None
        self._facts: Mapping[str, Any] | None = None
        self._pool: Pool | None = None
        self._is_taken = False

    @contextmanager
    def lab(
        self, directory: Path, checkpoint: tuple[Template, SessionState] | None = None
    ) -> Iterator[tuple[Lab, Machine]]:
        """Yield a lab in a fresh clone; its console log lands in *directory*.

        :param checkpoint: what to clone instead of the image's template, and where its session was then
        """
        template, state = checkpoint or (self.template, None)
        with (
            self._kernels.lent() as kernels,
            blamed_rightly(self.image, template),
            self._machine(template, directory) as machine,
        ):
            try:
                if not self.options.probes:
                    lab = Lab(machine, self.image.vmlinux, kernels, state, self._facts if state is None else None)
                    if state is None:
                        self._facts = lab.facts  # every clone has the same
                    yield lab, machine
                    return
                probing = ProbingLab(machine, self.image.vmlinux, self.options.probes, kernels)
                try:
                    yield probing, machine
                finally:
                    probing.close()
            except GuestError as error:
                error.console = error.console or machine.console_tail()
                raise

    @contextmanager
    def ahead(self, scratch: Path) -> Iterator[None]:
        """Have the next guest made while one is at work, as long as this lasts.

        :param scratch: gets a directory for each, with its console's log, removed with it
        """
        with Pool(self.template, scratch) as pool:
            self._pool = pool
            try:
                yield
            finally:
                self._pool = None

    @contextmanager
    def _machine(self, template: Template, directory: Path) -> Iterator[Machine]:
        """Yield a clone, one that was made ahead if there is one; who wants a second meanwhile has it made."""
        pool = self._pool if template is self.template and not self._is_taken else None
        with ExitStack() as stack:
            try:
                machine = stack.enter_context(
                    Machine.clone(template, directory=directory) if pool is None else pool.guest()
                )
            except (GuestError, HostError):
                if pool is None:
                    raise
                # It makes no more; what is wrong with guests is told by one that is made now.
                pool = self._pool = None
                machine = stack.enter_context(Machine.clone(template, directory=directory))
            self._is_taken = self._is_taken or pool is not None
            try:
                yield machine
            except GuestError as error:
                machine.explain(error)
                raise
            finally:
                if pool is not None:
                    self._is_taken = False

    @contextmanager
    def program_lab(self, directory: Path, furnish: Callable[[Machine], None]) -> Iterator[tuple[ProgramLab, Machine]]:
        """Yield a lab in which one actor becomes a program, in a fresh clone.

        :param furnish: brings what the program needs, before anything of the guest is looked at
        """
        with (
            self._kernels.lent() as kernels,
            blamed_rightly(self.image, self.template),
            Machine.clone(self.template, directory=directory) as machine,
        ):
            try:
                furnish(machine)
                yield ProgramLab(machine, self.image.vmlinux, kernels), machine
            except GuestError as error:
                error.console = error.console or machine.console_tail()
                raise

    def save(self, machine: Machine, directory: Path) -> Template:
        """Save *machine* as it is now in *directory*: of its RAM, what is not as in the template; it goes on as before.

        :raises HostError: no room, or QEMU refuses
        """
        if self._base is None:
            self._base = TemplateMemory(self.template)
        return machine.checkpoint(directory, self._base)

    def require_whole(self) -> None:
        """See, before the kernel is blamed for anything, that its guests were made of what was built.

        :raises HostError: a file of the image, or the template, was damaged
        """
        require_whole(self.image, self.template)

    @contextmanager
    def paused(
        self, checkpoint: Template, directory: Path, vmcoreinfo: bytes, state: SessionState
    ) -> Iterator[PausedGuest]:
        """Yield the guest of a checkpoint, standing still as it was saved.

        :param state: of the session then
        """
        vmlinux = self.image.vmlinux
        with Machine.clone(checkpoint, directory=directory, paused=True) as machine:
            inspection = inspect_memory(machine.memory, vmlinux, vmcoreinfo, state.living, state.names_by_pid)
            inspection.namer.adopt(state.addresses, state.world)
            yield PausedGuest(inspection, machine, vmcoreinfo, vmlinux)

    def tracer(self, lab: Lab, machine: Machine) -> StepTracer | None:
        """Return what records the functions and events of *lab*'s steps, if they are to carry them."""
        agent = SettledFiles(machine.agent)
        functions = FunctionTracer(agent, lab.kernel, self.inlined) if self.options.functions else None
        if not self.options.events:
            return functions
        events = EventTracer(agent, lab.kernel, self.options.events, lab.actors.by_pid)
        return events if functions is None else BothTracers(functions, events)

    def manifest(self, lab: Lab, command: str) -> Mapping[str, Any]:
        """Return what a session notes of where it ran.

        :param command: the command line that asked for it
        """
        events = [target.text for target in self.options.events]
        unread = allow_unread(lab.kernel.prog)
        told = lab.facts.get("changes", Changes())
        untold = [name for name, _ in changes() if getattr(told, name) is None]
        return {
            "ktrace": VERSION,
            "command": command,
            "image": self.image.name,
            "build_id": self.image.build_id,
            "release": lab.hello.release,
            "accelerator": self.template.spec.accel,
            "memory_mib": self.template.spec.memory_mib,
            "began": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "template": template_identity(self.template),
            "functions": self.options.functions,
            **({"events": events} if events else {}),
            **({"partly_read": list(unread)} if unread else {}),
            **({"untold": untold} if untold else {}),
        }


def prepare_guests(options: GuestOptions, notify: Notify = silent) -> Guests:
    """Find the image and boot it, once: guests are clones of it.

    :param notify: told what takes long
    :raises UsageError: there is no such image, or its kernel cannot record what is asked for
    :raises HostError: it is not built, or this machine cannot run it
    """
    image = find_image(options.image)
    accel = _asked_for(options.accel)
    with blamed_rightly(image), _under(accel, image):
        template = ensure_template(
            image,
            accel=accel,
            memory_mib=options.memory_mib,
            booting=lambda: notify(f"booting {image.name} once"),
            damaged=lambda why: notify(f"the template of {image.name} is damaged ({why}): it is made anew"),
        )
    inlined: InlinedTable = {}
    if options.functions:
        template = traced_template(template, notify)
        inlined = inlined_functions(
            image.vmlinux, image.build_id, reading=lambda: notify(f"looking up what is inlined in {image.name} once")
        )
    return Guests(image, template, options, inlined)


def _asked_for(name: str | None) -> Accelerator | None:
    """Return the accelerator that a person asked for.

    :raises HostError: this machine does not have it
    """
    accel = None if name is None else named_accelerator(name)
    if accel == KVM and (obstacle := kvm_obstacle()) is not None:
        raise _no_kvm(obstacle)
    return accel


@contextmanager
def _under(accel: Accelerator | None, image: Image) -> Iterator[None]:
    """Tell a guest that cannot come up under KVM from one that cannot come up.

    :raises HostError: no guest comes up under it
    """
    try:
        yield
    except (GuestError, HostError) as error:
        if accel == KVM and (found := find_accelerator(image)).name != KVM.name:
            raise _no_kvm(found.reason) from error
        raise


def _no_kvm(reason: str) -> HostError:
    reason = reason.removeprefix("KVM does not work here: ")
    return HostError(f"KVM does not work on this machine: {reason}", "leave out --accel: QEMU's own emulation does")


def traced_template(template: Template, notify: Notify = silent) -> Template:
    """Return *template* with the function graph tracer at work.

    :raises UsageError: its kernel cannot trace functions
    """
    name = template.spec.image
    try:
        return prepared_template(
            template,
            SETTINGS,
            preparing=lambda: notify(f"preparing {name} for tracing once"),
            damaged=lambda why: notify(f"the template of {name} for tracing is damaged ({why}): it is made anew"),
        )
    except GuestFileError as error:
        raise cannot_trace(error) from error
