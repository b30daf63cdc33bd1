"""Stop at a kernel function while a workload runs, and look at the structures as they are at that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import drgn
import drgn.helpers.common
import drgn.helpers.linux
from drgn.helpers.linux.sched import cpu_curr

from ktrace.errors import GuestHang, KtraceError, UsageError
from ktrace.inspect.kernel import LiveKernel
from ktrace.machine.gdbstub import GdbStub
from ktrace.state.trace.probe import Hit
from ktrace.suggest import did_you_mean

WORLD = "world"
_ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
"""Where the first integer and pointer arguments are at a function's entry (System V ABI)."""
_FRAMES = 64
_STEPS = 100
_TICK = 0.01
"""seconds between two looks at whether the probe is to end"""


@dataclass(frozen=True)
class ProbeTarget:
    """A function to stop at, and what to show there.

    :param expressions: Python over drgn objects, with ``->`` for a dot: the function's parameters by name, ``task``
        (who is running), ``prog``, drgn's helpers, the kernel's variables. :data:`WORLD` stands for what the step has
        changed in the World so far
    :param call: stop in this system call only, ``""`` for in any
    """

    function: str
    expressions: tuple[str, ...] = ()
    call: str = ""


def parse_probe(text: str) -> ProbeTarget:
    """Return the target in ``pipe_write iocb->ki_filp; task->comm``, or ``write: pipe_write iocb->ki_filp``.

    :raises UsageError: it names no function
    """
    function, _, rest = text.strip().partition(" ")
    call = ""
    if function.endswith(":"):
        call = function[:-1]
        function, _, rest = rest.strip().partition(" ")
    if not function.isidentifier():
        raise UsageError(f"{text!r} names no function", "write FUNCTION EXPRESSION; EXPRESSION")
    return ProbeTarget(function, tuple(part.strip() for part in rest.split(";") if part.strip()), call)


@dataclass(frozen=True)
class _Place:
    """A target as it is in this kernel."""

    function: str
    parameters: tuple[tuple[str, drgn.Type], ...]
    code: Mapping[str, Any]


class Breakpoints:
    """Stop the guest at the entry of functions, from :meth:`start` to :meth:`stop`.

    A thread of its own does this, for who makes a call waits for its end.

    :param actors: name by pid; other tasks run on unseen
    :param changed: tells what the step has changed in the World so far
    :raises UsageError: this kernel has no such function, or an expression cannot be read
    """

    def __init__(
        self,
        stub: GdbStub,
        kernel: LiveKernel,
        targets: tuple[ProbeTarget, ...],
        actors: Mapping[int, str],
        changed: Callable[[], str],
    ) -> None:
        self._stub = stub
        self._changed = changed
        self._kernel = kernel
        self._actors = actors
        self._places = dict(_place(kernel.prog, target) for target in targets)
        self._hits: list[Hit] = []
        self._failure: BaseException | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ktrace probe", daemon=True)

    def start(self) -> None:
        """Let the guest run, with the breakpoints in place."""
        for address in self._places:
            self._stub.insert(address)
        self._thread.start()

    def stop(self) -> tuple[Hit, ...]:
        """Take the breakpoints back, let the guest stand still, and return what was hit.

        :raises KtraceError: the guest failed meanwhile
        """
        self._ending.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        for address in self._places:
            self._stub.remove(address)
        return tuple(self._hits)

    def _run(self) -> None:
        stub = self._stub
        try:
            stub.go()
            while True:
                if stub.stopped(_TICK):
                    registers = stub.registers()
                    address = registers["rip"]
                    if address not in self._places:
                        return
                    self._look(self._places[address], registers)
                    # Over the instruction without its breakpoint, else the guest stops there for ever.
                    stub.remove(address)
                    self._step_over(address)
                    stub.insert(address)
                    stub.go()
                elif self._ending.is_set():
                    stub.interrupt()
        except (KtraceError, OSError) as error:
            self._failure = error

    def _step_over(self, address: int) -> None:
        """Do the instruction at *address*; what QEMU has to do meanwhile may end a step before it was done."""
        for _ in range(_STEPS):
            self._stub.step()
            if self._stub.registers()["rip"] != address:
                return
        raise GuestHang(f"the guest does not get past the instruction at {address:#x}")

    def _look(self, place: _Place, registers: Mapping[str, int]) -> None:
        prog = self._kernel.prog
        task = cpu_curr(prog, 0)
        actor = self._actors.get(task.pid.value_())
        if actor is None:
            return
        arguments = {
            name: drgn.Object(prog, type_, value=registers[register])
            for (name, type_), register in zip(place.parameters, _ARGUMENTS, strict=False)
        }
        scope = _Scope(prog, {**_helpers(), **arguments, "task": task, "prog": prog})
        shown = {
            text: self._changed() if text == WORLD else _evaluate(text, code, scope, place.function)
            for text, code in place.code.items()
        }
        written = {name: _written(value) for name, value in arguments.items()}
        self._hits.append(Hit(place.function, actor, written, shown, tuple(self._stack(registers))))

    def _stack(self, registers: Mapping[str, int]) -> list[str]:
        """Return the callers, by the frame pointers that the lab's kernels keep."""
        memory, found = self._kernel.memory, []
        address, frame = registers["rsp"], registers["rbp"]
        try:
            for _ in range(_FRAMES):
                name = self._name(memory.u64(address))
                if name is None:
                    break
                found.append(name)
                if frame <= address:
                    break
                address, frame = frame + 8, memory.u64(frame)
        except KtraceError:
            pass
        return found

    def _name(self, address: int) -> str | None:
        try:
            return str(self._kernel.prog.symbol(address - 1).name)
        except LookupError:
            return None


class _Scope(dict[str, Any]):
    """Names of an expression; what is none of its own is a variable of the kernel."""

    def __init__(self, prog: drgn.Program, names: Mapping[str, Any]) -> None:
        super().__init__(names)
        self._prog = prog

    def __missing__(self, name: str) -> Any:
        try:
            return self._prog[name]
        except KeyError:
            raise KeyError(name) from None


def _compile(text: str) -> Any:
    try:
        return compile(text.strip().replace("->", "."), "<--show>", "eval")
    except SyntaxError as error:
        raise UsageError(
            f"cannot read the expression {text!r}: {error.msg}", "write C's members: iocb->ki_filp->f_flags"
        ) from error


def check_probes(kernel: LiveKernel, targets: tuple[ProbeTarget, ...]) -> None:
    """Complain of a target at which this kernel cannot be stopped.

    :raises UsageError: there is no such function, or an expression cannot be read
    """
    for target in targets:
        _place(kernel.prog, target)


def _place(prog: drgn.Program, target: ProbeTarget) -> tuple[int, _Place]:
    """Return the address of a target's function, and what to do there."""
    function = target.function
    code = {text: _compile(text) for text in target.expressions}
    try:
        address = int(prog.symbol(function).address)
    except LookupError:
        hint = did_you_mean(function, _functions(prog), "if gcc inlined it, the image lab-6.1-functions may have it")
        raise UsageError(f"this kernel has no function {function!r} to stop at", hint) from None
    try:
        parameters = prog.function(function).type_.parameters
    except LookupError:
        parameters = []  # written in assembler
    named = tuple((parameter.name or f"argument{index}", parameter.type) for index, parameter in enumerate(parameters))
    return address, _Place(function, named, code)


def _functions(prog: drgn.Program) -> set[str]:
    """Return the names of the kernel's functions."""
    return {symbol.name for symbol in prog.symbols() if symbol.kind == drgn.SymbolKind.FUNC}


def _helpers() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for module in (drgn.helpers.common, drgn.helpers.linux):
        names.update({name: getattr(module, name) for name in getattr(module, "__all__", ())})
    names.update({name: getattr(drgn, name) for name in ("Object", "cast", "container_of", "sizeof")})
    return names


def _evaluate(text: str, code: Any, scope: _Scope, function: str) -> str:
    """Return what an expression is now.

    :raises UsageError: it is nothing at any time
    """
    try:
        return _written(eval(code, {"__builtins__": __builtins__}, scope))
    except drgn.FaultError as error:
        return f"cannot be read: {error}"
    except (AttributeError, NameError, KeyError) as error:
        # It is so at every hit: the kernel has no such member, or nobody knows the name.
        what = f"no name {error.args[0]!r}" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            f"cannot show {text!r} at {function}(): {what}",
            "parameters, task, prog and the kernel's variables have names",
        ) from error
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _written(value: Any) -> str:
    if not isinstance(value, drgn.Object):
        return str(value)
    try:
        return str(value.format_(dereference=False, columns=100))
    except drgn.FaultError as error:
        return f"cannot be read: {error}"
