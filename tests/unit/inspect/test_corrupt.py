"""Whatever a reader falls over becomes one error that says whose reading it was."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import cast

import drgn
import pytest

from ktrace.errors import GuestGarbage, KernelLacks, UsageError
from ktrace.inspect.corrupt import CorruptStructure, explained
from ktrace.inspect.inspector import Inspector, Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import allow_unread
from ktrace.state.unread import Unread


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("init_net"), "KeyError: 'init_net'"),
        (TypeError("cannot convert 'struct x' to int"), "TypeError: cannot convert 'struct x' to int"),
        (OverflowError("can't convert negative int to unsigned"), "OverflowError: can't convert negative int"),
        (struct.error("unpack requires a buffer of 8 bytes"), "error: unpack requires a buffer of 8 bytes"),
        (drgn.FaultError("could not find memory segment", 0x10), "FaultError: could not find memory segment: 0x10"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "UnicodeDecodeError: 'utf-8' codec"),
    ],
)
def test_a_surprise_says_whose_it_is(error: Exception, said: str) -> None:
    with pytest.raises(GuestGarbage) as caught, explained("SocketReader"):
        raise error
    assert caught.value.message.startswith(f"the kernel's memory makes no sense to SocketReader: {said}")
    assert caught.value.hint is not None
    assert "\n" not in caught.value.message


def no_such_object() -> Exception:
    """Return what drgn raises for a variable that there is not."""
    with pytest.raises(LookupError) as caught:
        drgn.Program()["tk_core"]
    return caught.value


NO_SUCH_OBJECT = no_such_object()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LookupError("'struct net' has no member 'x'"), "struct net has no member 'x' in this vmlinux"),
        (AttributeError("'union y' has no member 'x'"), "union y has no member 'x' in this vmlinux"),
        (LookupError("could not find 'struct net'"), "struct net is unknown in this vmlinux"),
        (NO_SUCH_OBJECT, "this kernel has no variable 'tk_core'"),
        (LookupError("could not find constant 'NO'"), "this kernel has no constant 'NO'"),
        (LookupError("could not find symbol with name 'a_b'"), "this kernel has no symbol 'a_b'"),
    ],
)
def test_what_debug_information_lacks_is_named(error: Exception, said: str) -> None:
    with pytest.raises(KernelLacks) as caught, explained("SocketReader"):
        raise error
    assert (caught.value.message, caught.value.exit_code) == (said, 2)


@pytest.mark.parametrize("error", [CorruptStructure("sock", 0x10, "is wild"), UsageError("no"), KeyboardInterrupt()])
def test_what_explains_itself_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, explained("SocketReader"):
        raise error
    assert caught.value is error


def test_a_look_says_which_of_its_readers_fell_over_what() -> None:
    class GoodReader:
        def observe(self, observation: Observation) -> None:
            pass

    class SocketReader:
        def observe(self, observation: Observation) -> None:
            raise AttributeError("no member 'sk'")

    kernel = SimpleNamespace(memory=None, prog=SimpleNamespace(cache={}))
    inspector = Inspector(cast(LiveKernel, kernel), [GoodReader(), SocketReader(), GoodReader()])
    with pytest.raises(CorruptStructure, match="makes no sense to SocketReader: AttributeError: no member 'sk'"):
        inspector.observe()
    allow_unread(kernel.prog)["struct sock.sk_mark"] = Unread("struct sock", "sk_mark")
    with pytest.raises(KernelLacks, match=r"^SocketReader needs what is not in .*: struct sock\.sk_mark \(AttributeE"):
        inspector.observe()
