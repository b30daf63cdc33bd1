"""Sockets in the columns of ss(8), and the tables that socket() goes by."""

from __future__ import annotations

from dataclasses import replace

from ktrace.model.net.socket_tables import INETSW, register_protosw, tables
from ktrace.report.sockets import registered, table
from ktrace.state.naming import Namer
from ktrace.state.net.facts import ProtocolSwitch
from ktrace.uapi.socket import AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM
from tests.unit.model.bench import Bench, inet, unix
from tests.unit.model.facts import NET


def rows(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines]


def test_a_line_a_socket() -> None:
    bench = Bench("ABU")
    server = bench.call("A", "socket", AF_INET, SOCK_STREAM, 0)
    bench.call("A", "bind", server, inet(5000))
    bench.call("A", "listen", server, 7)
    one, two = bench.pair()
    bench.call("A", "sendto", one, b"hello", 0)
    named = bench.call("A", "socket", AF_UNIX, SOCK_DGRAM, 0)
    bench.call("A", "bind", named, unix(b"\0a\0b"))
    found = rows(list(table(Namer().name(bench.kernel.world()))))
    assert ["tcp", "LISTEN", "0", "7", "127.0.0.1:5000", "0.0.0.0:*"] in [row[:6] for row in found]
    assert any(row[:4] == ["u_str", "ESTAB", "5", "0"] and f'users:(("A",fd={two}))' in row for row in found)
    assert ["u_dgr", "UNCONN", "0", "0", "@a@b"] in [row[:5] for row in found]
    assert any(row[0] == "u_dgr" and f'users:(("A",fd={named}))' in row for row in found)


def test_lists_are_in_lookup_order() -> None:
    lines = rows(list(registered(tables(NET), "inetsw")))
    assert lines[1] == ["[SOCK_STREAM]", "6", "IPPROTO_TCP", "tcp_prot", "inet_stream_ops", "PERMANENT|ICSK"]
    assert [line[0] for line in lines[2:4]] == ["[SOCK_DGRAM]", "1"]
    assert ["[2]", "AF_INET", "inet_create"] in rows(list(registered(tables(NET), "net_families")))


def test_a_protocol_goes_behind_the_last_permanent_one() -> None:
    """``inet_register_protosw()``: UDP-Lite is registered last and stands before ping."""
    facts = replace(NET, inetsw=INETSW)
    assert [entry.protocol for entry in tables(facts).inetsw[SOCK_DGRAM]] == [17, 136, 1]
    entries = list(tables(facts).inetsw[SOCK_DGRAM])
    register_protosw(entries, ProtocolSwitch(SOCK_DGRAM, 17, "mine", "ops", ()))
    assert len(entries) == 3
    register_protosw(entries, ProtocolSwitch(SOCK_DGRAM, 1, "mine", "ops", ()))
    assert [entry.prot for entry in entries] == ["udp_prot", "udplite_prot", "mine", "ping_prot"]
