"""Read ``struct ipv6_pinfo`` and the IPv6 addresses of a ``struct sock`` (``include/linux/ipv6.h``)."""

from __future__ import annotations

from typing import Any

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import constant, lacking, member_of, require_size
from ktrace.inspect.memory import Place
from ktrace.inspect.net.core.sock_names import unnamed
from ktrace.inspect.unread import kept
from ktrace.state.net.inet import Ipv6Sock
from ktrace.state.net.sockaddr import ipv6_text
from ktrace.state.unread import Unread

RXOPT = (
    "srcrt", "osrcrt", "rxinfo", "rxoinfo", "rxhlim", "rxohlim", "hopopts", "ohopopts", "dstopts", "odstopts",
    "rxflow", "rxtclass", "rxpmtu", "rxorigdstaddr", "recvfragsize",
)  # fmt: skip
PINET6_BITS = {
    "mc_loop": "MC6_LOOP", "mc_all": "MC6_ALL", "recverr": "RECVERR6", "sndflow": "SNDFLOW", "repflow": "REPFLOW",
    "dontfrag": "DONTFRAG", "autoflowlabel": "AUTOFLOWLABEL", "autoflowlabel_set": "AUTOFLOWLABEL_SET",
    "recverr_rfc4884": "RECVERR6_RFC4884", "rtalert_isolate": "RTALERT_ISOLATE",
}  # fmt: skip
"""Bits of ``ipv6_pinfo``, with their names in ``inet_flags``, where later kernels have them."""

IN6_ADDR = 16
"""Bytes of a ``struct in6_addr``."""


class Inet6Reader:
    """Read what only an AF_INET6 sock has."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.sock = layout_of(
            prog, "struct inet_sock", "pinet6", "?inet_flags",
            rcv_saddr="&sk.__sk_common.skc_v6_rcv_saddr", daddr="&sk.__sk_common.skc_v6_daddr",
            ipv6only="sk.__sk_common.skc_ipv6only",
        )  # fmt: skip
        for structure, path in (
            ("struct inet_sock", "sk.__sk_common.skc_v6_rcv_saddr"),
            ("struct inet_sock", "sk.__sk_common.skc_v6_daddr"),
            ("struct ipv6_pinfo", "saddr"),
        ):
            require_size(prog, structure, path, IN6_ADDR)
        self.pinfo = layout_of(
            prog, "struct ipv6_pinfo", "&saddr", "flow_label", "frag_size", "ucast_oif", "mcast_oif", "tclass",
            "min_hopcount",
        )  # fmt: skip
        numbers = ("hop_limit", "mcast_hops", "pmtudisc", "srcprefs")
        self.widths = {name: member_of(prog, "struct ipv6_pinfo", name)[2] for name in ("hop_limit", "mcast_hops")}
        self.numbers = {name: layout_of(prog, "struct ipv6_pinfo", name) for name in numbers}
        self.bits = layout_of(prog, "struct ipv6_pinfo", *(f"?{name}" for name in PINET6_BITS))
        self.rxopt = layout_of(prog, "struct ipv6_pinfo", *(f"rxopt.bits.{name}" for name in RXOPT))
        self.flags = {name: constant(prog, f"INET_FLAGS_{flag}") for name, flag in PINET6_BITS.items()}
        self._no_bits: Unread | None = None
        for name, bit in self.flags.items():
            if name not in self.bits.offsets and bit is None:
                self._no_bits = lacking(prog, "struct ipv6_pinfo", name)
            elif name not in self.bits.offsets and "inet_flags" not in self.sock.offsets:
                self._no_bits = lacking(prog, "struct inet_sock", "inet_flags")

    def read(self, observation: Observation, raw: bytes) -> tuple[Ipv6Sock | None, list[Place]]:
        """Return the IPv6 part of a sock whose ``struct inet_sock`` is *raw*, and the places that it depends on."""
        found = self.sock.unpack(raw, 0)
        if not found.pinet6:
            return None, []
        data = observation.memory.read(found.pinet6, self.pinfo.size)
        np = self.pinfo.unpack(data, 0)
        hop_limit, mcast_hops, pmtudisc, srcprefs = (
            getattr(layout.unpack(data, 0), name) for name, layout in self.numbers.items()
        )
        rxopt = self.rxopt.unpack(data, 0)._asdict()
        part = Ipv6Sock(
            saddr=ipv6_text(np.saddr),
            v6_rcv_saddr=ipv6_text(found.rcv_saddr),
            v6_daddr=ipv6_text(found.daddr),
            ipv6only=bool(found.ipv6only),
            flow_label=kept(np.flow_label, lambda label: int.from_bytes(label.to_bytes(4, "little"), "big")),
            frag_size=np.frag_size,
            hop_limit=_hops(hop_limit, self.widths["hop_limit"]),
            mcast_hops=_hops(mcast_hops, self.widths["mcast_hops"]),
            ucast_oif=np.ucast_oif,
            mcast_oif=np.mcast_oif,
            tclass=np.tclass,
            pmtudisc=pmtudisc,
            srcprefs=srcprefs,
            min_hopcount=np.min_hopcount,
            bits=self._bits(data, found.inet_flags),
            rxopt=tuple(sorted(name for name in RXOPT if rxopt[f"rxopt_bits_{name}"])),
        )
        return part, [(found.pinet6, data)]

    def _bits(self, data: bytes, inet_flags: Any) -> Any:
        if self._no_bits is not None:
            return unnamed(self._no_bits)
        found = self.bits.unpack(data, 0)
        names = []
        for name, bit in self.flags.items():
            value = getattr(found, name)
            if value is None:
                value = inet_flags >> bit & 1
            if value:
                names.append(name)
        return tuple(sorted(names))


def _hops(value: int, width: int | None) -> int:
    """Return a signed number that is a bit field of *width* bits, or has a type of its own that tells its sign.

    ``hop_limit`` has nine bits on 6.1; by 6.12 it is an ``s16``, and ``mcast_hops`` a ``u8``.
    """
    return value if width is None else value - (value >> width - 1 << width)
