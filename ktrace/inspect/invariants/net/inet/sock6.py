"""Check the IPv6 part of AF_INET6 socks: its place, and both forms of each address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktrace.include.net.tcp_states import TCP_ESTABLISHED
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import find_member, offset_of, type_of
from ktrace.inspect.net.core.sock_names import dotted
from ktrace.state.net.sockaddr import ipv6_text
from ktrace.uapi.in6 import IPPROTO_ICMPV6
from ktrace.uapi.in_ import IPPROTO_TCP
from ktrace.uapi.socket import SOCK_DGRAM, SOCK_STREAM

MAPPED = "::ffff:"


class Inet6Checks:
    """Check the IPv6 part of a sock."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.sock = layout_of(
            prog, "struct inet_sock", "pinet6", rcv_saddr="sk.__sk_common.skc_rcv_saddr",
            daddr="sk.__sk_common.skc_daddr", v6_rcv_saddr="&sk.__sk_common.skc_v6_rcv_saddr",
            v6_daddr="&sk.__sk_common.skc_v6_daddr",
        )  # fmt: skip
        kinds = {kind: type_of(prog, f"struct {kind}") for kind in ("tcp6_sock", "udp6_sock", "raw6_sock")}
        if find_member(type_of(prog, "struct proto"), "ipv6_pinfo_offset") is not None:
            self.places = {kind: offset_of(prog, f"struct {kind}", "inet6") for kind in kinds}
        else:
            # inet6_sk_generic() took the last bytes of the object, which are not the last member's where it is padded.
            size = type_of(prog, "struct ipv6_pinfo").size
            self.places = {kind: type_.size - size for kind, type_ in kinds.items()}
        self.pinfo = layout_of(prog, "struct ipv6_pinfo", "pktoptions")

    def pktoptions(self, address: int) -> int:
        """Return the buffer that tells IPV6_2292PKTOPTIONS of the last packet, 0 where there is none.

        It is charged to the sock of a TCP connection (``skb_clone_and_charge_r()``).
        """
        memory = self.kernel.memory
        pinet6 = self.sock.read(memory, address).pinet6
        return int(self.pinfo.read(memory, pinet6).pktoptions) if pinet6 else 0

    def check(self, where: str, address: int, sock: Any) -> Iterator[Violation]:
        """Check the sock at *address*."""
        found = self.sock.read(self.kernel.memory, address)
        kind = "raw6_sock"
        if sock.sk_type == SOCK_STREAM and sock.sk_protocol == IPPROTO_TCP:
            kind = "tcp6_sock"
        elif sock.sk_type == SOCK_DGRAM and sock.sk_protocol != IPPROTO_ICMPV6:
            kind = "udp6_sock"
        if found.pinet6 != address + self.places[kind]:
            yield Violation(f"{where}.pinet6", f"is {found.pinet6:#x}, which is not in its {kind}")
        for name, four, six in (
            ("rcv_saddr", found.rcv_saddr, found.v6_rcv_saddr),
            ("daddr", found.daddr, found.v6_daddr),
        ):
            text = ipv6_text(six)
            # connect() sets the peer's before it knows whether there is a way to it.
            settled = name == "rcv_saddr" or sock.state == TCP_ESTABLISHED
            if settled and text.startswith(MAPPED) and text != MAPPED + dotted(four):
                yield Violation(f"{where}.skc_v6_{name}", f"is {text}, but skc_{name} is {dotted(four)}")
