"""The picture of a connection: two ends, their states and queues; of a listener, who is in its backlog."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from ktrace.report.pictures.canvas import DIM, NAME, WHO, line, mark
from ktrace.report.pictures.holders import holders, listed
from ktrace.state.net.skbuff import Buffer
from ktrace.state.net.sock import Sock
from ktrace.state.net.socket import Socket
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.value import quoted

WIDTH = 42
BUFFERS_SHOWN = 6
_TEXT = 16
_GONE = "TCP_CLOSE"


def picture(world: World, ref: Ref, before: World | None = None) -> list[Text]:
    """Draw the sock *ref*, beside its other end where it has one.

    :param before: the World of the step before; what changed since stands out
    """
    sock = world.objects[ref]
    assert isinstance(sock, Sock)
    other = peer(world, ref)
    left = _box(world, ref, before)
    if other is None or other == ref:
        return left
    right = _box(world, other, before)
    height = max(len(left), len(right))
    left, right = _stretch(left, height), _stretch(right, height)
    middle = _link(sock, world.objects[other], height)
    return [Text.assemble(one, link, two) for one, link, two in zip(left, middle, right, strict=True)]


def peer(world: World, ref: Ref) -> Ref | None:
    """Return the other end of *ref* as far as this World has it.

    AF_UNIX knows it (``unix_sk(sk)->peer``); of the internet families it is who has the same addresses the other
    way round.
    """
    sock = world.objects.get(ref)
    if not isinstance(sock, Sock):
        return None
    if sock.unix is not None:
        return sock.unix.peer if sock.unix.peer in world.objects else None
    inet = sock.inet
    here = ends(sock)
    if inet is None or here is None or not inet.inet_dport:
        return None
    for other, value in world.objects.items():
        if not isinstance(value, Sock) or value.inet is None or other == ref or value.sk_type != sock.sk_type:
            continue
        theirs = value.inet
        same_ports = (theirs.inet_sport, theirs.inet_dport) == (inet.inet_dport, inet.inet_sport)
        if same_ports and value.sk_protocol == sock.sk_protocol and ends(value) == here[::-1]:
            return other
    return None


def ends(sock: Sock) -> tuple[str, str] | None:
    """Return the local and the remote address of a sock of the internet as its packets carry them."""
    if sock.ipv6 is not None:
        local, remote = sock.ipv6.v6_rcv_saddr, sock.ipv6.v6_daddr
        return local.removeprefix("::ffff:"), remote.removeprefix("::ffff:")
    return (sock.inet.inet_rcv_saddr, sock.inet.inet_daddr) if sock.inet is not None else None


def socket_of(world: World, ref: Ref) -> tuple[Ref, Socket] | None:
    """Return the ``struct socket`` in front of the sock *ref*."""
    sock = world.objects.get(ref)
    if isinstance(sock, Sock) and sock.sk_socket is not None:
        value = world.objects.get(sock.sk_socket)
        if isinstance(value, Socket):
            return sock.sk_socket, value
    return None


def _box(world: World, ref: Ref, before: World | None) -> list[Text]:
    sock = world.objects[ref]
    assert isinstance(sock, Sock)
    old = before.objects.get(ref) if before is not None else None
    last = old if isinstance(old, Sock) else None
    front = socket_of(world, ref)
    rows = [Text.assemble((str(ref), "bold cyan"), f"  {sock.sk_family} {sock.sk_type}")]
    state = mark(sock.sk_state, last is not None and last.sk_state != sock.sk_state, "bold")
    if front is None:
        rows.append(Text.assemble(state, ("  in no socket", DIM)))
    else:
        name, value = front
        known = before.objects.get(name) if before is not None else None
        changed = isinstance(known, Socket) and known.state != value.state
        rows.append(Text.assemble(state, "  ", mark(value.state, changed)))
        rows.append(Text.assemble((f"{name} ", DIM), (listed(holders(world, name)), WHO)))
    rows += _addresses(sock)
    if sock.sk_shutdown:
        text = "shut down: " + "|".join(sock.sk_shutdown)
        rows.append(mark(text, last is not None and last.sk_shutdown != sock.sk_shutdown, "yellow"))
    if sock.sk_err:
        rows.append(mark(f"sk_err {sock.sk_err}", last is not None and last.sk_err != sock.sk_err, "red"))
    if sock.sk_state == "TCP_LISTEN":
        rows += _backlog(world, ref, sock, last)
    else:
        rows += _queue(sock.sk_receive_queue, last.sk_receive_queue if last is not None else None)
    if front is not None and front[1].wait:
        who = ", ".join(str(item.process.key) if item.process is not None else item.func for item in front[1].wait)
        rows.append(Text.assemble("waits: ", (who, WHO)))
    if sock.unix is not None and sock.unix.peer_wait:
        who = ", ".join(
            str(item.process.key) if item.process is not None else item.func for item in sock.unix.peer_wait
        )
        rows.append(Text.assemble("waits for room here: ", (who, WHO)))
    return _framed(rows)


def _addresses(sock: Sock) -> Iterable[Text]:
    if sock.unix is not None and sock.unix.addr is not None:
        yield Text(f"bound to {quoted(sock.unix.addr)}")
    if sock.inet is not None and (sock.inet.inet_num or sock.inet.inet_dport):
        inet = sock.inet
        local, remote = inet.inet_rcv_saddr, inet.inet_daddr
        if sock.ipv6 is not None:
            local, remote = sock.ipv6.v6_rcv_saddr, sock.ipv6.v6_daddr
        yield Text(f"{_address(local, inet.inet_num)} → {_address(remote, inet.inet_dport)}")


def _address(host: str, port: int) -> str:
    if not port and host in ("0.0.0.0", "::"):
        return "*"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _backlog(world: World, ref: Ref, sock: Sock, last: Sock | None) -> Iterable[Text]:
    changed = last is not None and last.sk_ack_backlog != sock.sk_ack_backlog
    yield Text.assemble(
        "backlog ", mark(str(sock.sk_ack_backlog), changed, "bold"), f" of {sock.sk_max_ack_backlog} waiting"
    )
    for number, item in enumerate(backlog(world, ref), 1):
        yield Text.assemble((f" {number}. ", DIM), (str(item), NAME))


def backlog(world: World, ref: Ref) -> list[Ref]:
    """Return the connections that the listener *ref* has not accepted yet, oldest first."""
    sock = world.objects.get(ref)
    if not isinstance(sock, Sock):
        return []
    if sock.tcp is not None:
        return list(sock.tcp.accept_queue)
    # AF_UNIX: embryos lie as buffers in the listener's receive queue.
    return [item.sk for item in sock.sk_receive_queue if item.sk is not None]


def _queue(queue: tuple[Buffer, ...], last: tuple[Buffer, ...] | None) -> Iterable[Text]:
    total = sum(item.len for item in queue)
    old = sum(item.len for item in last) if last is not None else total
    if not queue:
        yield mark("receive queue is empty", old != total, DIM)
        return
    yield Text.assemble("receive queue: ", mark(f"{total} bytes", old != total, "bold"))
    for number, item in enumerate(queue[:BUFFERS_SHOWN], 1):
        more = ""
        if item.unix is not None and item.unix.fp:
            more = f" + {', '.join(map(str, item.unix.fp))}"
        yield Text.assemble((f" {number}. ", DIM), (quoted(item.data, _TEXT), "green"), more)
    if len(queue) > BUFFERS_SHOWN:
        yield Text(f" ⋮ and {len(queue) - BUFFERS_SHOWN} more", DIM)


def _framed(rows: list[Text]) -> list[Text]:
    width = WIDTH - 4
    framed = [line(("┌" + "─" * (width + 2) + "┐", DIM))]
    for row in rows:
        row.truncate(width, overflow="ellipsis")
        framed.append(line(("│ ", DIM), row, " " * (width - row.cell_len), (" │", DIM)))
    framed.append(line(("└" + "─" * (width + 2) + "┘", DIM)))
    return framed


def _stretch(rows: list[Text], height: int) -> list[Text]:
    while len(rows) < height:
        rows.insert(-1, line(("│", DIM), " " * (WIDTH - 2), ("│", DIM)))
    return rows


def _link(one: Sock, two: Sock, height: int) -> list[Text]:
    rows = [Text(" " * 7)] * height
    out = "SEND_SHUTDOWN" not in one.sk_shutdown and "RCV_SHUTDOWN" not in two.sk_shutdown
    back = "SEND_SHUTDOWN" not in two.sk_shutdown and "RCV_SHUTDOWN" not in one.sk_shutdown
    if _GONE in (one.sk_state, two.sk_state) and one.sk_type == "SOCK_STREAM":
        out = back = False
    # AF_UNIX datagrams go to the connected peer only; the way back needs a connection of its own.
    if one.unix is not None and two.unix is not None and two.unix.peer is None:
        back = False
    rows[1] = Text(" ────▶ " if out else " ──╳   ", "green" if out else "red")
    rows[2] = Text(" ◀──── " if back else "   ╳── ", "green" if back else "red")
    return rows
